import { MathError } from './errors.ts'

/** `drawn` of a stratum's `population` without replacement, of which `marked` count. */
export interface Stratum {
  readonly population: number
  readonly marked: number
  readonly drawn: number
}

/** Of multiplications, below which the distribution of the sum is convolved. */
const exactWork = 2e7

interface Masses {
  readonly least: number
  /** P(X = least + i). */
  readonly masses: Float64Array
}

/** The hypergeometric distribution, by ratios away from its mode. */
function hypergeometric({ population, marked, drawn }: Stratum): Masses {
  if (![population, marked, drawn].every((n) => Number.isSafeInteger(n) && n >= 0) || marked > population || drawn > population)
    throw new MathError('out-of-domain', `${marked} marked and ${drawn} drawn of a population of ${population}`)
  const least = Math.max(0, drawn + marked - population)
  const masses = new Float64Array(Math.min(marked, drawn) - least + 1)
  const mode = Math.min(masses.length - 1, Math.max(0, Math.floor(((drawn + 1) * (marked + 1)) / (population + 2)) - least))
  const ratio = (k: number): number => ((marked - k + 1) * (drawn - k + 1)) / (k * (population - marked - drawn + k))
  masses[mode] = 1
  let sum = 1
  for (let i = mode + 1; i < masses.length; i++) {
    masses[i] = (masses[i - 1] as number) * ratio(least + i)
    sum += masses[i] as number
  }
  for (let i = mode - 1; i >= 0; i--) {
    masses[i] = (masses[i + 1] as number) / ratio(least + i + 1)
    sum += masses[i] as number
  }
  return { least, masses: masses.map((mass) => mass / sum) }
}

function convolved(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length + b.length - 1)
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number
    if (x > 0) for (let j = 0; j < b.length; j++) out[i + j] = (out[i + j] as number) + x * (b[j] as number)
  }
  return out
}

/** log of the mean of exp(t (X - least)), and its slope in t: the tilted mean. */
function cumulant({ masses }: Masses, t: number): { readonly log: number; readonly mean: number } {
  let top = -Infinity
  for (let i = 0; i < masses.length; i++) if ((masses[i] as number) > 0) top = Math.max(top, Math.log(masses[i] as number) + t * i)
  let sum = 0
  let weighted = 0
  for (let i = 0; i < masses.length; i++) {
    const w = (masses[i] as number) > 0 ? Math.exp(Math.log(masses[i] as number) + t * i - top) : 0
    sum += w
    weighted += w * i
  }
  return { log: top + Math.log(sum), mean: weighted / sum }
}

/** Chernoff's bound on P(X >= k), at the t at which the tilted mean is k: never below the probability. */
function chernoff(parts: readonly Masses[], k: number): number {
  const at = (t: number) =>
    parts.reduce(
      (all, part) => {
        const { log, mean } = cumulant(part, t)
        return { log: all.log + log, mean: all.mean + mean }
      },
      { log: 0, mean: 0 },
    )
  let low = 0
  let high = 1
  while (high < 64 && at(high).mean < k) high *= 2
  for (let i = 0; i < 40; i++) {
    const t = (low + high) / 2
    if (at(t).mean < k) low = t
    else high = t
  }
  return Math.min(0, at(low).log - low * k)
}

/**
 * log P(X >= k) for the sum X of independent hypergeometric counts, one a stratum: the test of a marked kind against strata
 * of which each has its own rate (the exact conditional test of stratified 2 x 2 tables, Mehta, Patel and Gray 1985, upper
 * tail). Exact to a relative error of about 1e-12 down to 1e-290 while its cost allows; beyond that an upper bound, Chernoff's.
 * Throws MathError `out-of-domain`.
 */
export function logStratifiedUpper(k: number, strata: readonly Stratum[]): { readonly log: number; readonly exact: boolean } {
  const parts = strata.map(hypergeometric)
  const least = parts.reduce((sum, part) => sum + part.least, 0)
  const spread = parts.reduce((sum, part) => sum + part.masses.length - 1, 0)
  const above = k - least
  if (above <= 0) return { log: 0, exact: true }
  if (above > spread) return { log: -Infinity, exact: true }
  const varying = parts.filter(({ masses }) => masses.length > 1).sort((a, b) => a.masses.length - b.masses.length)
  const bound = chernoff(varying, above)
  if (bound < -660 || varying.reduce((sum, { masses }) => sum + masses.length * spread, 0) > exactWork) return { log: bound, exact: false }
  const all = varying.reduce<Float64Array>((sum, { masses }) => convolved(sum, masses), new Float64Array([1]))
  let tail = 0
  for (let i = all.length - 1; i >= above; i--) tail += all[i] as number
  return { log: Math.min(0, Math.log(tail)), exact: true }
}
