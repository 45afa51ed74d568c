import { logBinomialUpper } from '../math/tests.ts'
import { alike, type Family, leastBefore, leastBusy, type Part, partOf, type Shift, type Stream, sum } from './scan.ts'

/** A busy night is one with at least as many events as in the night of this rank, of all nights: and with one. */
const ranks = [5, 8, 13, 21] as const
/** Longest stretch, in nights. */
const longest = 60
/** A stretch whose log likelihood ratio is below this is no trend, whatever its exact probability. */
const leastRatio = 5
/** More idle nights than this are added for no stream. */
const mostIdle = 2_000

interface Stretch {
  readonly length: number
  readonly ratio: number
}

/** log likelihood of `k` busy nights of `n`, at its best rate. */
const logBest = (k: number, n: number): number => (k === 0 || k === n ? 0 : k * Math.log(k / n) + (n - k) * Math.log(1 - k / n))

/** Log likelihood ratio of one rate in the last `length` nights and another before, against one; 0 where it is not higher now. */
function ratioOf(k: number, length: number, busy: number, nights: number): number {
  if (k * nights <= busy * length) return 0
  return logBest(k, length) + logBest(busy - k, nights - length) - logBest(busy, nights)
}

function bestStretch(isBusy: readonly boolean[], busy: number): Stretch | null {
  const nights = isBusy.length
  let best: Stretch | null = null
  for (let length = 1, k = 0; length <= Math.min(longest, nights - leastBefore); length++) {
    if (!isBusy[nights - length]) continue
    k++
    const ratio = ratioOf(k, length, busy, nights)
    if (k >= leastBusy && ratio >= Math.max(leastRatio, best?.ratio ?? 0)) best = { length, ratio }
  }
  return best
}

/** P(Poisson(mean) >= count), for mean > 0 and count >= 1. */
function poissonUpper(count: number, mean: number): number {
  let log = -mean
  let below = Math.exp(log)
  for (let j = 1; j < count; j++) {
    log += Math.log(mean / j)
    below += Math.exp(log)
  }
  return Math.max(0, 1 - below)
}

/**
 * Odds of a busy night by its exposure. Where there are fewer records than before, in proportion; where there are more, of a Poisson
 * count with the one rate at which `busy` nights are expected, which grows faster: what is uncertain speaks for the past.
 */
function oddsOf(exposure: readonly number[], threshold: number, busy: number): readonly number[] {
  const nights = exposure.length
  const total = exposure.reduce((a, b) => a + b, 0)
  const lean = exposure.reduce((a, x, i) => a + x * (2 * i + 1 - nights), 0) / (total * nights)
  if (lean < 0.001) return exposure.map((x) => (x * busy) / total)
  let [low, high] = [0, (4 * threshold + 50) / Math.min(...exposure)]
  let shares: number[] = []
  for (let i = 0; i < 40; i++) {
    const rate = (low + high) / 2
    shares = exposure.map((x) => poissonUpper(threshold, rate * x))
    if (shares.reduce((a, b) => a + b, 0) < busy) low = rate
    else high = rate
  }
  return shares.map((p) => Math.min(1e6, Math.max(1e-9, p / Math.max(1e-6, 1 - p))))
}

/**
 * Probability that some stretch that ends with the last night reaches `ratio`, given how many nights are busy and that nothing else
 * distinguishes them but their odds: an exact count of paths from the last night back.
 *
 * @param odds of each night, in their order
 * @param idle further nights of the past, none of them busy, with the mean odds
 */
export function crossing(odds: readonly number[], busy: number, ratio: number, idle: number): number {
  const nights = odds.length
  // ways[i][j]: weight of j busy nights among the first i, and none of the idle ones.
  const ways: Float64Array[] = [new Float64Array(busy + 1)]
  const mean = odds.reduce((a, b) => a + b, 0) / nights
  const first = ways[0] as Float64Array
  first[0] = 1
  for (let j = 1; j <= busy; j++) first[j] = ((first[j - 1] as number) * mean * Math.max(0, idle - j + 1)) / j
  odds.forEach((odd, i) => {
    const before = ways[i] as Float64Array
    ways.push(before.map((w, j) => w + (j > 0 ? odd * (before[j - 1] as number) : 0)))
  })
  const all = (ways[nights] as Float64Array)[busy] as number
  // paths[k]: weight of k busy nights in the stretch without having reached the ratio before.
  let paths = new Float64Array(busy + 1)
  paths[0] = 1
  let crossed = 0
  for (let length = 1; length <= Math.min(longest, nights - leastBefore); length++) {
    const odd = odds[nights - length] as number
    const rest = ways[nights - length] as Float64Array
    const before = paths
    paths = before.map((w, k) => w + (k > 0 ? odd * (before[k - 1] as number) : 0))
    for (let k = leastBusy; k <= busy; k++) {
      if (ratioOf(k, length, busy, nights) < ratio) continue
      crossed += ((paths[k] as number) * (rest[busy - k] as number)) / all
      paths[k] = 0
    }
  }
  return crossed
}

interface Marked {
  readonly stream: Stream
  readonly threshold: number
  readonly isBusy: readonly boolean[]
  readonly busy: number
}

function thresholdsOf({ events }: Stream): readonly number[] {
  const sorted = [...events].sort((a, b) => b - a)
  return [...new Set([1, ...ranks.map((rank) => Math.max(1, sorted[rank - 1] ?? 1))])]
}

const mark = (stream: Stream, threshold: number): Marked => {
  const isBusy = Array.from(stream.events, (count) => count >= threshold)
  return { stream, threshold, isBusy, busy: isBusy.filter(Boolean).length }
}

/** Nights of other streams for one busy one of theirs; none where this one had more events before than they. */
function idleNights({ stream, threshold }: Marked, { streams, silentExposure }: Family, start: number): number {
  const nights = stream.events.length
  const before = partOf(stream, 0, start)
  let [busy, events, exposure] = [0, 0, silentExposure]
  for (const other of streams) {
    if (other === stream) continue
    busy += mark(other, threshold).busy
    events += sum(other.events, 0, nights)
    exposure += sum(other.exposure, 0, nights)
  }
  if (exposure <= 0) return 0
  const share = before.exposure / (before.exposure + exposure)
  if (before.events > 0 && logBinomialUpper(before.events, before.events + events, share) < Math.log(alike)) return 0
  return Math.min(mostIdle, Math.floor((exposure * nights) / sum(stream.exposure, 0, nights) / (busy + 1)))
}

const capped = (part: Part, { events }: Stream, start: number, cap: number): Part => ({
  ...part,
  events: events.slice(start).reduce((total, count) => total + Math.min(count, cap), 0),
})

/**
 * Are there more busy nights of late? One event a night is little against a rate, and much where most nights have none. A night
 * is busy where it has at least so many events (one, or as many as one of the highest nights of all); given the number of busy nights, every
 * choice of them is as likely as its odds say, whatever the counts are distributed like. The scan statistic over all stretches that
 * end with the last night (Kulldorff 2001) has its exact probability, and no correction for the stretches is due; corrected by
 * Bonferroni over thresholds and `possible` streams.
 */
export function scanBusy(family: Family): Shift[] {
  const out: Shift[] = []
  for (const stream of family.streams) {
    const nights = stream.events.length
    if (nights <= leastBefore || stream.events.some(Number.isNaN) || !stream.exposure.every((x) => x > 0)) continue
    const thresholds = thresholdsOf(stream)
    let found: Shift | null = null
    for (const threshold of thresholds) {
      const marked = mark(stream, threshold)
      if (marked.busy < leastBusy || marked.busy * 2 > nights) continue
      const stretch = bestStretch(marked.isBusy, marked.busy)
      if (stretch === null) continue
      const start = nights - stretch.length
      const p = crossing(
        oddsOf([...stream.exposure], threshold, marked.busy),
        marked.busy,
        stretch.ratio,
        idleNights(marked, family, start),
      )
      const logP = Math.min(0, Math.log(p) + Math.log(thresholds.length * Math.max(1, family.possible)))
      if (found !== null && found.logP <= logP) continue
      const cap = [...stream.events.slice(start)].sort((a, b) => b - a)[Math.ceil(stretch.length / 2) - 1] ?? threshold
      const since = capped(partOf(stream, start, nights), stream, start, Math.max(threshold, cap))
      found = { stream, start, since, before: partOf(stream, 0, start), dispersion: 1, logP }
    }
    if (found !== null) out.push(found)
  }
  return out
}
