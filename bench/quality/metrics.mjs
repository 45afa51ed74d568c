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
