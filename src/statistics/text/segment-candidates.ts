import { combine } from '../../math/tokens.ts'
import { longestGram } from './grams.ts'
import type { Candidates } from './matcher.ts'
import { type PairReader, perNat } from './pair-reader.ts'
import type { Passage } from './passages.ts'

/** Phrases that stand beside the beginnings of the strongest segments. */
export interface SegmentCandidates extends Candidates {
  /** [candidates]: kind of segment at which it stands most often. */
  readonly segmentKinds: Uint8Array
  /** [candidates]: records among the strongest of that kind with it. */
  readonly atSegments: Uint32Array
  /** [candidates]: mean share of other tokens that two of its windows have in common, 0..1. */
  readonly alike: Float64Array
  /** [candidates]: share of these records in which it ends within five tokens of the beginning. */
  readonly beside: Float64Array
  /** [candidates]: mean log-likelihood ratio, random against natural, of the tokens before and after it, in nats a token. */
  readonly natsBefore: Float64Array
  readonly natsAfter: Float64Array
  /** [kinds]: records that count as the strongest / all. */
  readonly shares: Float64Array
  /** Phrases that were counted. */
  readonly tested: number
}

const leastRecords = 8
const leastShare = 0.3
const strongestShare = 0.03
const leastStrongest = 200
const mostCandidates = 2000
const comparedPairs = 60
const besideTokens = 5
const contextTokens = 20

interface Row {
  readonly hash: number
  readonly n: number
  readonly kind: number
  readonly records: number[]
  /** Where it ends in each window. */
  readonly ends: number[]
  /** At most so many passages of the corpus have it. */
  readonly frequency: number
}

export function segmentCandidates(tops: readonly (readonly Passage[])[], records: number, pairs: PairReader): SegmentCandidates {
  const rows = new Map<string, Row>()
  const shares = new Float64Array(tops.length)
  let tested = 0
  tops.forEach((top, kind) => {
    const strongest = top.slice(0, Math.max(leastStrongest, Math.round(strongestShare * records)))
    shares[kind] = Math.min(1, strongest.length / Math.max(1, records))
    const found = windowGrams(strongest, pairs)
    tested += found.length
    for (const row of found) {
      const key = `${row.hash} ${row.n}`
      const known = rows.get(key)
      if (!known || known.records.length < row.records.length) rows.set(key, { ...row, kind })
    }
  })
  const kept = [...rows.values()]
    .filter((r) => r.records.length >= leastShare * r.frequency)
    .sort((a, b) => b.records.length - a.records.length || b.n - a.n || a.hash - b.hash)
    .slice(0, mostCandidates)
  const windowsOf = (r: Row): Passage[] => r.records.map((i) => (tops[r.kind] as readonly Passage[])[i] as Passage)
  return {
    hashes: Int32Array.from(kept, (r) => r.hash),
    kinds: Uint8Array.from(kept, (r) => r.n),
    counts: Uint32Array.from(kept, (r) => r.records.length),
    segmentKinds: Uint8Array.from(kept, (r) => r.kind),
    atSegments: Uint32Array.from(kept, (r) => r.records.length),
    alike: Float64Array.from(kept, (r) => alikeness(windowsOf(r))),
    beside: Float64Array.from(kept, (r) =>
      mean(windowsOf(r).map((w, i) => (Math.abs((r.ends[i] as number) - w.label) <= besideTokens ? 1 : 0))),
    ),
    natsBefore: Float64Array.from(kept, (r) =>
      mean(windowsOf(r).flatMap((w, i) => natsOf(w, (r.ends[i] as number) - r.n - contextTokens, (r.ends[i] as number) - r.n, pairs))),
    ),
    natsAfter: Float64Array.from(kept, (r) =>
      mean(windowsOf(r).flatMap((w, i) => natsOf(w, (r.ends[i] as number) + 1, (r.ends[i] as number) + contextTokens, pairs))),
    ),
    shares,
    tested,
  }
}

/** Every gram of a text of which all parts occur in the corpus often enough; `frequency` is at most how many passages have it. */
function eachFrequentGram(
  tokens: Int32Array,
  pairs: PairReader,
  visit: (hash: number, n: number, end: number, frequency: number) => void,
): void {
  for (let i = 0; i < tokens.length; i++) {
    let hash = tokens[i] as number
    let frequency = pairs.word(hash)
    for (let n = 1; n <= longestGram && i + n <= tokens.length; n++) {
      if (n > 1) {
        const next = tokens[i + n - 1] as number
        hash = combine(hash, next)
        const both = pairs.pair(combine(tokens[i + n - 2] as number, next))
        frequency = Math.min(frequency, pairs.word(next), both === 0xff ? Number.POSITIVE_INFINITY : both)
      }
      if (frequency < leastRecords) break
      visit(hash, n, i + n, frequency)
    }
  }
}

const cellBits = 22

/** Counted in cells first: of millions of grams few occur often, and only those are remembered. */
function windowGrams(windows: readonly Passage[], pairs: PairReader): Omit<Row, 'kind'>[] {
  const cells = new Uint8Array(2 ** cellBits)
  const cellOf = (hash: number, n: number): number => Math.imul(hash ^ n, 0x9e3779b1) >>> (32 - cellBits)
  for (const { tokens } of windows)
    eachFrequentGram(tokens, pairs, (hash, n) => {
      const cell = cellOf(hash, n)
      cells[cell] = Math.min(leastRecords, (cells[cell] as number) + 1)
    })
  const grams = new Map<number, Omit<Row, 'kind'>>()
  windows.forEach(({ tokens }, record) => {
    eachFrequentGram(tokens, pairs, (hash, n, end, frequency) => {
      if ((cells[cellOf(hash, n)] as number) < leastRecords) return
      const key = hash * 8 + n
      const row = grams.get(key) ?? { hash, n, records: [], ends: [], frequency }
      if (row.records.length === 0) grams.set(key, row)
      if (row.records.at(-1) === record) return
      row.records.push(record)
      row.ends.push(end)
    })
  })
  return [...grams.values()].filter((r) => r.records.length >= leastRecords)
}

const mean = (values: readonly number[]): number => (values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : 0)

/** One number for each pair of neighbours within from..to. */
function natsOf({ tokens }: Passage, from: number, to: number, pairs: PairReader): number[] {
  const out: number[] = []
  for (let i = Math.max(1, from + 1); i < Math.min(to, tokens.length); i++) {
    const token = tokens[i] as number
    out.push(pairs.edge(tokens[i - 1] as number, token) / perNat + Math.max(-2, Math.min(2, pairs.rarity(token))) / 2)
  }
  return out
}

function alikeness(windows: readonly Passage[]): number {
  const sets = windows.slice(0, 40).map((w) => new Set(w.tokens))
  let [sum, compared] = [0, 0]
  for (let step = 1; step < sets.length && compared < comparedPairs; step++) {
    for (let i = 0; i + step < sets.length && compared < comparedPairs; i++) {
      const [a, b] = [sets[i] as Set<number>, sets[i + step] as Set<number>]
      let [both, either] = [0, b.size]
      for (const t of a) if (b.has(t)) both++
      either += a.size - both
      sum += either > 0 ? both / either : 0
      compared++
    }
  }
  return compared > 0 ? sum / compared : 0
}
