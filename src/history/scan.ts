import { logBinomialUpper } from '../math/tests.ts'

/** Events of one kind, night by night: `events[i]` of `exposure[i]` records. NaN where a night says nothing of it. */
export interface Stream {
  readonly names: readonly string[]
  readonly events: Float64Array
  readonly exposure: Float64Array
}

/** Streams that are alike, and how many more there could be in which nothing ever happened. */
export interface Family {
  readonly streams: readonly Stream[]
  /** All that could have been seen, `streams` included: what a test is corrected for. */
  readonly possible: number
  /** Record-nights of the streams in which nothing ever happened. */
  readonly silentExposure: number
}

export interface Part {
  readonly nights: number
  readonly events: number
  readonly exposure: number
}

export interface Shift {
  readonly stream: Stream
  /** First night of the stretch, as an index. */
  readonly start: number
  /** The stretch, no night above its middle one: one batch of corrections is no trend. */
  readonly since: Part
  readonly before: Part
  /** Variance over that of independent events, from the nights before: at least 1. */
  readonly dispersion: number
  /** One-sided, corrected over the stretches and over `possible` streams; natural logarithm. */
  readonly logP: number
}

/** Lengths of the stretches that end with the last night. */
export const stretches: readonly number[] = [3, 4, 5, 6, 8, 11, 15, 21, 30]
/** Nights that must lie before a stretch. */
export const leastBefore = 10
/** Nights of a stretch in which something must happen. */
export const leastBusy = 3
/** Nights that the pooled dispersion counts as, beside a stream's own. */
const priorNights = 10
/** A stream whose own past is this unlikely under the others' rate is judged by its own past alone. */
export const alike = 0.2

export const sum = (values: Float64Array, from: number, to: number): number => {
  let total = 0
  for (let i = from; i < to; i++) if (!Number.isNaN(values[i])) total += values[i] as number
  return total
}

/** Pearson's chi-square of the nights about their common rate, and its degrees of freedom. */
function pearson({ events, exposure }: Stream, to: number): { readonly chi: number; readonly df: number } {
  const rate = sum(events, 0, to) / sum(exposure, 0, to)
  if (!(rate > 0)) return { chi: 0, df: 0 }
  let chi = 0
  let nights = 0
  for (let i = 0; i < to; i++) {
    const expected = rate * (exposure[i] as number)
    if (!(expected > 0)) continue
    chi += ((events[i] as number) - expected) ** 2 / expected
    nights++
  }
  return { chi, df: Math.max(0, nights - 1) }
}

export const partOf = ({ events, exposure }: Stream, from: number, to: number): Part => {
  let nights = 0
  for (let i = from; i < to; i++) if (!Number.isNaN(events[i])) nights++
  return { nights, events: sum(events, from, to), exposure: sum(exposure, from, to) }
}

/** No night counts for more than the night in the middle of the stretch: what happens in less than half of its nights is no trend. */
function steady({ events, exposure }: Stream, from: number): Part {
  const nights = [...events.slice(from)].filter((count) => !Number.isNaN(count))
  const rank = Math.min(nights.length, Math.max(leastBusy, Math.ceil(nights.length / 2)))
  const cap = [...nights].sort((x, y) => y - x)[rank - 1] ?? 0
  return {
    nights: nights.length,
    events: nights.reduce((total, count) => total + Math.min(count, cap), 0),
    exposure: sum(exposure, from, exposure.length),
  }
}

/** Record-nights in which the other streams see one event; 0 where this one is not like them. */
function pooledExposure(before: Part, pool: Part, dispersion: number): number {
  if (pool.exposure <= 0) return 0
  const own = Math.ceil(before.events / dispersion)
  const theirs = Math.ceil(pool.events / dispersion)
  const share = before.exposure / (before.exposure + pool.exposure)
  if (own > 0 && logBinomialUpper(own, own + theirs, share) < Math.log(alike)) return 0
  return pool.exposure / (theirs + 1)
}

/**
 * Does an event happen more often in the last nights than before? For every stretch that ends now, its events (no night above
 * the middle one) against those before it, given their sum: the exact conditional test of two Poisson rates (Przyborowski and
 * Wilenski 1940), which adds one event to the past. That event is worth as many record-nights as the other streams need for one,
 * so that a quiet past counts for as much as it should. Counts are divided by the dispersion of the past (quasi-likelihood,
 * Wedderburn 1974). The smallest p-value of each stream, corrected by Bonferroni.
 */
export function scan({ streams, possible, silentExposure }: Family): Shift[] {
  const nights = streams[0]?.events.length ?? 0
  const lengths = stretches.filter((length) => nights - length >= leastBefore)
  const best = new Map<Stream, Shift>()
  for (const length of lengths) {
    const start = nights - length
    const spread = streams.map((s) => pearson(s, start))
    const all = spread.reduce((a, b) => ({ chi: a.chi + b.chi, df: a.df + b.df }), { chi: 0, df: 0 })
    const pooled = Math.max(1, (all.chi + priorNights) / (all.df + priorNights))
    const whole = streams.map((s) => partOf(s, 0, nights))
    const total = whole.reduce((a, b) => ({ nights: 0, events: a.events + b.events, exposure: a.exposure + b.exposure }), {
      nights: 0,
      events: 0,
      exposure: silentExposure,
    })
    streams.forEach((stream, i) => {
      const before = partOf(stream, 0, start)
      if (before.nights < leastBefore || before.exposure <= 0) return
      const since = steady(stream, start)
      if (since.nights < leastBusy || since.events * before.exposure <= before.events * since.exposure) return
      const { chi, df } = spread[i] as (typeof spread)[number]
      const dispersion = Math.max(1, (chi + priorNights * pooled) / (df + priorNights))
      const mine = whole[i] as Part
      const pool = { nights: 0, events: total.events - mine.events, exposure: total.exposure - mine.exposure }
      const extra = pooledExposure(before, pool, dispersion)
      const late = Math.floor(since.events / dispersion)
      const early = Math.ceil(before.events / dispersion)
      const share = since.exposure / (since.exposure + before.exposure + extra)
      const logP = Math.min(0, logBinomialUpper(late, late + early, share) + Math.log(lengths.length * Math.max(1, possible)))
      const found = best.get(stream)
      if (found === undefined || logP < found.logP) best.set(stream, { stream, start, since, before, dispersion, logP })
    })
  }
  return [...best.values()]
}
