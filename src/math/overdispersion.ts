import { MathError } from './errors.ts'

/** Trials and successes of one group; 0 <= successes <= trials. */
export interface Group {
  readonly trials: number
  readonly successes: number
}

/**
 * A beta-binomial by its mean and by theta = 1 / (alpha + beta) (Griffiths 1973): theta 0 is the binomial, a large one has
 * groups that succeed wholly or not at all.
 */
export interface Rates {
  readonly mean: number
  readonly theta: number
}

// The log-likelihood is a sum over i of how many groups have more than i successes, failures, trials, times log(mean + i theta),
// log(1 - mean + i theta), -log(1 + i theta). Beyond 64 the i are binned in steps of 5 %, which changes a logarithm by at most 1e-3.
const edges: readonly number[] = (() => {
  const list = Array.from({ length: 65 }, (_, i) => i)
  while ((list.at(-1) as number) < 2 ** 40) list.push(Math.ceil((list.at(-1) as number) * 1.05))
  return list
})()
const bins = edges.length - 1
const middle = Float64Array.from({ length: bins }, (_, b) => ((edges[b] as number) + (edges[b + 1] as number) - 1) / 2)

interface Sums {
  readonly successes: Float64Array
  readonly failures: Float64Array
  readonly trials: Float64Array
  /** Bins in use. */
  used: number
}

function add(weights: Float64Array, n: number, sign: 1 | -1): number {
  let b = 0
  for (; b < bins && (edges[b] as number) < n; b++) {
    weights[b] = (weights[b] as number) + sign * (Math.min(n, edges[b + 1] as number) - (edges[b] as number))
  }
  return b
}

function count(sums: Sums, { trials, successes }: Group, sign: 1 | -1): void {
  add(sums.successes, successes, sign)
  add(sums.failures, trials - successes, sign)
  sums.used = Math.max(sums.used, add(sums.trials, trials, sign))
}

function logLikelihood({ successes, failures, trials, used }: Sums, mean: number, theta: number): number {
  let sum = 0
  for (let b = 0; b < used; b++) {
    const spread = (middle[b] as number) * theta
    const s = successes[b] as number
    const f = failures[b] as number
    if (s > 0) sum += s * Math.log(mean + spread)
    if (f > 0) sum += f * Math.log(1 - mean + spread)
    sum -= (trials[b] as number) * Math.log1p(spread)
  }
  return sum
}

/** Of the log-likelihood by the mean: it falls, as each term is concave. */
function slope({ successes, failures, used }: Sums, mean: number, theta: number): number {
  let sum = 0
  for (let b = 0; b < used; b++) {
    const spread = (middle[b] as number) * theta
    sum += (successes[b] as number) / (mean + spread) - (failures[b] as number) / (1 - mean + spread)
  }
  return sum
}

const smallest = 1e-12

/** Where a falling function crosses 0, between the ends of the means; an end where it does not cross. */
function crossing(f: (mean: number) => number, from: number, to: number): number {
  let low = from
  let high = to
  if (f(low) <= 0) return low
  if (f(high) >= 0) return high
  for (let i = 0; i < 50 && high - low > 1e-7 * low; i++) {
    // means near 0 are told apart by their ratio
    const next = high < 0.1 ? Math.sqrt(low * high) : (low + high) / 2
    if (f(next) > 0) low = next
    else high = next
  }
  return (low + high) / 2
}

const bestMean = (sums: Sums, theta: number): number => crossing((mean) => slope(sums, mean, theta), smallest, 1 - smallest)

const thetas: readonly number[] = [0, ...Array.from({ length: 49 }, (_, i) => 10 ** (-5 + i / 6))]

function best(sums: Sums): Rates & { readonly log: number } {
  let top = { mean: 0, theta: 0, log: -Infinity }
  for (const theta of thetas) {
    const mean = bestMean(sums, theta)
    const log = logLikelihood(sums, mean, theta)
    if (log > top.log) top = { mean, theta, log }
  }
  return top
}

/** log P(X >= k) for a beta-binomial; 0 <= k <= trials. O(trials). */
export function logBetaBinomialUpper(k: number, trials: number, { mean, theta }: Rates): number {
  if (!(k <= trials) || k < 0) throw new MathError('out-of-domain', `${k} of ${trials}`)
  if (k === 0) return 0
  let mass = 0
  for (let i = 0; i < k; i++) mass += Math.log((trials - i) / (i + 1)) + Math.log((mean + i * theta) / (1 + i * theta))
  for (let i = 0; i < trials - k; i++) mass += Math.log((1 - mean + i * theta) / (1 + (k + i) * theta))
  let sum = mass
  for (let x = k; x < trials; x++) {
    mass += Math.log(((trials - x) / (x + 1)) * ((mean + x * theta) / (1 - mean + (trials - x - 1) * theta)))
    const [high, low] = mass > sum ? [mass, sum] : [sum, mass]
    sum = high + Math.log1p(Math.exp(low - high))
    if (mass < sum - 50 && theta === 0) break
  }
  return Math.min(0, sum)
}

export interface RateModel {
  /**
   * log p of "this group, one of the model's, succeeds no more often than the others do", under beta-binomial rates of any mean and
   * theta that the other groups do not rule out at level `error`: the supremum of the tail over that region, plus `error`
   * (Berger and Boos 1994). A few groups that succeed wholly among many alike that seldom do are no beta distribution: count them.
   */
  logExcess(group: Group, error: number): number
  /** log p at the most likely rates of the others: a quick screen, at most `logExcess`. */
  logScreen(group: Group): number
}

/** Rates of many groups that differ among themselves. O(groups) once, then O(1) and the tail's O(trials) a group. */
export function rateModel(groups: Iterable<Group>): RateModel {
  const sums: Sums = { successes: new Float64Array(bins), failures: new Float64Array(bins), trials: new Float64Array(bins), used: 0 }
  for (const group of groups) count(sums, group, 1)
  const without = <T>(group: Group, use: () => T): T => {
    count(sums, group, -1)
    try {
      return use()
    } finally {
      count(sums, group, 1)
    }
  }
  const tail = ({ trials, successes }: Group, rates: Rates): number => logBetaBinomialUpper(successes, trials, rates)
  return {
    logScreen: (group) => without(group, () => tail(group, best(sums))),
    logExcess: (group, error) =>
      without(group, () => {
        // twice the log-likelihood ratio is chi-squared with two degrees of freedom, whose upper tail is exp(-x / 2)
        const least = best(sums).log + Math.log(error)
        let worst = -Infinity
        for (const theta of thetas) {
          const centre = bestMean(sums, theta)
          if (logLikelihood(sums, centre, theta) < least) continue
          const mean = crossing((at) => logLikelihood(sums, at, theta) - least, centre, 1 - smallest)
          worst = Math.max(worst, tail(group, { mean, theta }))
        }
        return Math.min(0, worst + Math.log1p(error / Math.exp(worst)))
      }),
  }
}
