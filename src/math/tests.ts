import { medianAbsoluteDeviation, median as sortedMedian } from 'simple-statistics'
import { MathError } from './errors.ts'

// Probability masses by Loader's saddle-point expansion (Loader 2000, "Fast and accurate computation of binomial
// probabilities"), tails by summing ratios away from the mode: relative error about 1e-13 down to 1e-300.

// log(n!) - log(sqrt(2 pi n) (n / e)^n), n = 0..15
const stirlingTable = [
  0, 0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.02079067210376509, 0.01664469118982119, 0.01387612882307075,
  0.01189670994589177, 0.01041126526197209, 0.009255462182712733, 0.00833056343336287, 0.007573675487951841, 0.00694284010720953,
  0.006408994188004207, 0.005951370112758848, 0.005554733551962801,
]

function stirlingError(n: number): number {
  if (n <= 15) return stirlingTable[n] as number
  const square = n * n
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n
}

/** x log(x / m) + m - x without cancellation. */
function deviance(x: number, m: number): number {
  if (Math.abs(x - m) >= 0.1 * (x + m)) return x * Math.log(x / m) + m - x
  const v = (x - m) / (x + m)
  let sum = (x - m) * v
  let term = 2 * x * v
  for (let j = 1; j < 1000; j++) {
    term *= v * v
    const next = sum + term / (2 * j + 1)
    if (next === sum) break
    sum = next
  }
  return sum
}

function logBinomialMass(k: number, n: number, p: number, q: number): number {
  if (p === 0) return k === 0 ? 0 : -Infinity
  if (q === 0) return k === n ? 0 : -Infinity
  if (n === 0) return 0
  if (k === 0) return n * (p < 0.5 ? Math.log1p(-p) : Math.log(q))
  if (k === n) return n * (q < 0.5 ? Math.log1p(-q) : Math.log(p))
  const main = stirlingError(n) - stirlingError(k) - stirlingError(n - k) - deviance(k, n * p) - deviance(n - k, n * q)
  return main - 0.5 * (Math.log(2 * Math.PI * k) + Math.log1p(-k / n))
}

/** 1 + r1 + r1 r2 + ... until the terms vanish; `ratio(i)` is the i-th factor, i = 1, 2, ... up to `count`. */
function sumRatios(count: number, ratio: (i: number) => number): number {
  let sum = 1
  let term = 1
  for (let i = 1; i <= count; i++) {
    term *= ratio(i)
    sum += term
    if (term < sum * 1e-17) break
  }
  return sum
}

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

function requireCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts))
    if (!isCount(value)) throw new MathError('out-of-domain', `${name} must be a count, not ${value}`)
}

function requireProbability(name: string, p: number): void {
  if (!(p >= 0 && p <= 1)) throw new MathError('out-of-domain', `${name} must lie in 0..1, not ${p}`)
}

/** P(X >= k) for X ~ Binomial(n, p). Throws MathError `out-of-domain`. */
export function binomialUpper(k: number, n: number, p: number): number {
  return k > n * p || k <= 0 ? Math.exp(logBinomialUpper(k, n, p)) : 1 - binomialLower(k - 1, n, p)
}

/** Natural logarithm of `binomialUpper`, exact where that is too small for a double; -Infinity where it is 0. */
export function logBinomialUpper(k: number, n: number, p: number): number {
  requireCounts({ n })
  requireProbability('p', p)
  if (k <= 0) return 0
  if (k > n) return -Infinity
  const q = 1 - p
  if (p === 0) return -Infinity
  if (q === 0) return 0
  if (k > n * p) return logBinomialMass(k, n, p, q) + Math.log(sumRatios(n - k, (i) => ((n - k - i + 1) * p) / ((k + i) * q)))
  return Math.log1p(-binomialLower(k - 1, n, p))
}

/** P(X <= k) for X ~ Binomial(n, p). Throws MathError `out-of-domain`. */
export function binomialLower(k: number, n: number, p: number): number {
  requireCounts({ n })
  requireProbability('p', p)
  if (k < 0) return 0
  if (k >= n) return 1
  const q = 1 - p
  if (p === 0) return 1
  if (q === 0) return 0
  if (k < n * p) return Math.exp(logBinomialMass(k, n, p, q) + Math.log(sumRatios(k, (i) => ((k - i + 1) * q) / ((n - k + i) * p))))
  return 1 - binomialUpper(k + 1, n, p)
}

function logHypergeometricMass(k: number, population: number, marked: number, drawn: number): number {
  const p = drawn / population
  const q = (population - drawn) / population
  return logBinomialMass(k, marked, p, q) + logBinomialMass(drawn - k, population - marked, p, q) - logBinomialMass(drawn, population, p, q)
}

function requireHypergeometric(population: number, marked: number, drawn: number): void {
  requireCounts({ population, marked, drawn })
  if (marked > population || drawn > population)
    throw new MathError('out-of-domain', `${marked} marked and ${drawn} drawn of a population of ${population}`)
}

/** P(X >= k): at least k of the `marked` among `drawn` without replacement from `population`. Throws MathError `out-of-domain`. */
export function hypergeometricUpper(k: number, population: number, marked: number, drawn: number): number {
  const isUpperHalf = k * population > drawn * marked || k <= Math.max(0, drawn + marked - population)
  return isUpperHalf
    ? Math.exp(logHypergeometricUpper(k, population, marked, drawn))
    : 1 - hypergeometricLower(k - 1, population, marked, drawn)
}

/** Natural logarithm of `hypergeometricUpper`, exact where that is too small for a double; -Infinity where it is 0. */
export function logHypergeometricUpper(k: number, population: number, marked: number, drawn: number): number {
  requireHypergeometric(population, marked, drawn)
  const most = Math.min(marked, drawn)
  const least = Math.max(0, drawn + marked - population)
  if (k <= least) return 0
  if (k > most) return -Infinity
  if (k * population <= drawn * marked) return Math.log1p(-hypergeometricLower(k - 1, population, marked, drawn))
  const rest = population - marked - drawn
  const sum = sumRatios(most - k, (i) => ((marked - k - i + 1) * (drawn - k - i + 1)) / ((k + i) * (rest + k + i)))
  return logHypergeometricMass(k, population, marked, drawn) + Math.log(sum)
}

/** P(X <= k), see `hypergeometricUpper`. */
export function hypergeometricLower(k: number, population: number, marked: number, drawn: number): number {
  requireHypergeometric(population, marked, drawn)
  const most = Math.min(marked, drawn)
  const least = Math.max(0, drawn + marked - population)
  if (k < least) return 0
  if (k >= most) return 1
  if (k * population >= drawn * marked) return 1 - hypergeometricUpper(k + 1, population, marked, drawn)
  const rest = population - marked - drawn
  const sum = sumRatios(k - least, (i) => ((k - i + 1) * (rest + k - i + 1)) / ((marked - k + i) * (drawn - k + i)))
  return Math.exp(logHypergeometricMass(k, population, marked, drawn) + Math.log(sum))
}

export type Alternative = 'greater' | 'less' | 'two-sided'

/**
 * Fisher's exact test of the table [[a, b], [c, d]]; `greater`: a is larger than chance.
 * Two-sided sums the tables that are at most as probable, as R and SciPy do.
 */
export function fisherExact(a: number, b: number, c: number, d: number, alternative: Alternative): number {
  requireCounts({ a, b, c, d })
  const population = a + b + c + d
  if (alternative === 'greater') return hypergeometricUpper(a, population, a + c, a + b)
  if (alternative === 'less') return hypergeometricLower(a, population, a + c, a + b)
  const limit = logHypergeometricMass(a, population, a + c, a + b) + 1e-7
  let sum = 0
  for (let k = Math.max(0, a - d); k <= Math.min(a + b, a + c); k++) {
    const mass = logHypergeometricMass(k, population, a + c, a + b)
    if (mass <= limit) sum += Math.exp(mass)
  }
  return Math.min(1, sum)
}

export interface Interval {
  readonly estimate: number
  readonly low: number
  readonly high: number
}

/** Clopper and Pearson's exact interval of a proportion, k of n; `level` is its confidence, 0..1. n = 0 gives 0..1 around NaN. */
export function clopperPearson(k: number, n: number, level = 0.95): Interval {
  requireCounts({ k, n })
  if (k > n || !(level > 0 && level < 1)) throw new MathError('out-of-domain', `interval at level ${level} of ${k} in ${n}`)
  const tail = (1 - level) / 2
  return { estimate: k / n, low: lowerLimit(k, n, tail), high: 1 - lowerLimit(n - k, n, tail) }
}

/** The p at which P(X >= k) = tail: Newton's method in log p, kept within a bracket. */
function lowerLimit(k: number, n: number, tail: number): number {
  if (k === 0) return 0
  let low = -800
  let high = 0
  let x = Math.log(k / n)
  if (k === n) return Math.exp(Math.log(tail) / n)
  for (let i = 0; i < 200; i++) {
    const p = Math.exp(x)
    const upper = binomialUpper(k, n, p)
    if (upper > tail) high = x
    else low = x
    const slope = (Math.exp(logBinomialMass(k, n, p, 1 - p)) * k) / upper
    const next = x - Math.log(upper / tail) / slope
    const bounded = next > low && next < high ? next : (low + high) / 2
    if (Math.abs(bounded - x) <= 1e-14) return Math.exp(bounded)
    x = bounded
  }
  return Math.exp(x)
}

/** P(Z >= z) of the standard normal distribution, with its relative accuracy in the far tail. */
export function normalUpper(z: number): number {
  if (z < 0) return 1 - normalUpper(-z)
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
  if (z < 2) {
    let sum = z
    let term = z
    for (let i = 3; term > sum * 1e-17; i += 2) {
      term *= (z * z) / i
      sum += term
    }
    return 0.5 - density * sum
  }
  // Laplace's continued fraction.
  let fraction = z
  for (let i = Math.ceil(20 + 400 / z); i >= 1; i--) fraction = z + i / fraction
  return density / fraction
}

/** The z with P(Z >= z) = p, 0 < p < 1. */
export function normalUpperQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new MathError('out-of-domain', `quantile at ${p}`)
  if (p > 0.5) return -normalUpperQuantile(1 - p)
  const t = Math.sqrt(-2 * Math.log(p))
  // Hastings (Abramowitz and Stegun 26.2.23), error below 4.5e-4, then Newton in log p.
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  for (let i = 0; i < 4; i++) {
    const upper = normalUpper(z)
    const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)
    z += (Math.log(upper / p) * upper) / density
  }
  return z
}

/** (value - median) / (1.4826 MAD); 0 for the median itself and +-Infinity beside it where more than half of the values are equal. */
export function robustZ(values: ArrayLike<number>): Float64Array {
  const list = Array.from(values)
  if (list.length === 0) return new Float64Array(0)
  const centre = sortedMedian(list)
  const spread = 1.4826022185056018 * medianAbsoluteDeviation(list)
  return Float64Array.from(list, (v) => (v === centre ? 0 : (v - centre) / spread))
}

/** Benjamini and Hochberg's adjusted p-values in the order given; `hypotheses` counts also those whose p-value is not listed. */
export function benjaminiHochberg(p: ArrayLike<number>, hypotheses: number = p.length): Float64Array {
  const values = Float64Array.from(p)
  for (const value of values) requireProbability('p', value)
  const order = Uint32Array.from(values.keys()).sort((a, b) => (values[a] as number) - (values[b] as number) || a - b)
  const out = new Float64Array(values.length)
  let smallest = 1
  for (let rank = order.length; rank >= 1; rank--) {
    const at = order[rank - 1] as number
    smallest = Math.min(smallest, (values[at] as number) * (hypotheses / rank))
    out[at] = smallest
  }
  return out
}

/** Bonferroni's adjusted p-values. */
export const bonferroni = (p: ArrayLike<number>, hypotheses: number = p.length): Float64Array =>
  Float64Array.from(p, (value) => {
    requireProbability('p', value)
    return Math.min(1, value * hypotheses)
  })
