/** Sum over distinct scores of precision times the recall gained, as scikit-learn defines average precision; NaN without positives. */
export function averagePrecision(scores, positive) {
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a])
  const total = count(positive)
  let [hits, sum, before] = [0, 0, 0]
  order.forEach((row, i) => {
    if (positive[row]) hits++
    const isLastOfTie = i === order.length - 1 || scores[order[i + 1]] !== scores[row]
    if (!isLastOfTie) return
    sum += ((hits - before) / total) * (hits / (i + 1))
    before = hits
  })
  return sum
}

export const count = (mask) => mask.reduce((sum, v) => sum + (v ? 1 : 0), 0)
export const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length
export const least = (values) => Math.min(...values)
export const most = (values) => Math.max(...values)

/** Recall, precision and F1 of flags. Precision is 1 where nothing is flagged. */
export function flagQuality(flags, positive) {
  const both = count(flags.map((f, i) => (f && positive[i] ? 1 : 0)))
  const [flagged, wrong] = [count(flags), count(positive)]
  return {
    recall: both / wrong,
    precision: flagged ? both / flagged : 1,
    f1: (2 * both) / (flagged + wrong),
    flagged: flagged / flags.length,
  }
}

/** For each positive row, the number of rows with at least its score: ties count against it. Highest last. */
export function worstRank(scores, positive) {
  let worst = 0
  positive.forEach((p, row) => {
    if (!p) return
    worst = Math.max(
      worst,
      scores.reduce((n, s) => n + (s >= scores[row] ? 1 : 0), 0),
    )
  })
  return worst
}

/** 1 where two lists of numbers differ. */
export const differ = (a, b) => {
  if (a.length !== b.length) throw new Error(`${a.length} rows beside ${b.length}`)
  return Uint8Array.from(a, (v, i) => (v === b[i] ? 0 : 1))
}

/** P(X <= k) for X ~ Binomial(n, p), 0 < p < 1, by its terms: n is a number of runs, some hundreds at most. */
function binomialBelow(k, n, p) {
  let [term, sum] = [Math.log1p(-p) * n, 0]
  for (let i = 0; i <= k; i++) {
    sum += Math.exp(term)
    term += Math.log((n - i) / (i + 1)) + Math.log(p / (1 - p))
  }
  return sum
}

function root(f, target) {
  let [low, high] = [0, 1]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (f(middle) > target) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** 95 % interval of a share (Clopper and Pearson 1934). */
export const clopperPearson = (hits, runs) => ({
  low: hits === 0 ? 0 : root((p) => binomialBelow(hits - 1, runs, p), 0.975),
  high: hits === runs ? 1 : root((p) => binomialBelow(hits, runs, p), 0.025),
})
