import { combine, digestOf, type Tokens, wordsOf } from '../../math/tokens.ts'
import type { Candidates, Matcher } from './matcher.ts'
import { emptySample, mergeSamples, offer, type PassageSample, passagesOf, type Sampling, sampleOf, startSampling } from './passages.ts'

/** Tokens of a record that are kept, around the first candidate where it is longer. */
const keptTokens = 256
const shownTokens = 12
const examplesKept = 3

/** A candidate and what stands beside it, in words: lower case, single spaces. */
export interface Example {
  readonly key: number
  /** Keyed hash of its tokens: of those that read the same one is kept. */
  readonly same: number
  readonly before: string
  readonly phrase: string
  readonly after: string
}

/** Records that carry candidates, rare candidates first, and a uniform sample of all records. */
export interface Carriers {
  readonly carriers: PassageSample
  readonly uniform: PassageSample
  readonly records: number
  /** [candidates]: records with it. */
  readonly counts: Uint32Array
  /** Of each candidate the examples with the smallest keys. */
  readonly examples: readonly (readonly Example[])[]
}

export interface CarrierSizes {
  readonly carriers: number
  readonly uniform: number
}

export const emptyCarriers = (candidates: number): Carriers => ({
  carriers: emptySample(),
  uniform: emptySample(),
  records: 0,
  counts: new Uint32Array(candidates),
  examples: Array.from({ length: candidates }, () => []),
})

export interface Gathering {
  records: number
  readonly counts: Uint32Array
  readonly carriers: Sampling
  readonly uniform: Sampling
  readonly examples: Example[][]
  readonly last: Int32Array
}

export const startGathering = (candidates: number): Gathering => ({
  records: 0,
  counts: new Uint32Array(candidates),
  carriers: startSampling(),
  uniform: startSampling(),
  examples: Array.from({ length: candidates }, () => []),
  last: new Int32Array(candidates).fill(-1),
})

export function gather(g: Gathering, candidates: Candidates, match: Matcher, sizes: CarrierSizes, tokens: Tokens, label: number): void {
  const record = g.records++
  const key = digestOf(tokens)
  let rarest = Number.POSITIVE_INFINITY
  let first = -1
  match(tokens.hashes, tokens.count, (candidate, from, to) => {
    if (g.last[candidate] === record) return
    g.last[candidate] = record
    g.counts[candidate] = (g.counts[candidate] as number) + 1
    if ((candidates.counts[candidate] as number) < rarest) {
      rarest = candidates.counts[candidate] as number
      first = from
    }
    addExample(g.examples[candidate] as Example[], tokens, key, from, to)
  })
  const start = tokens.count <= keptTokens ? 0 : Math.max(0, Math.min(tokens.count - keptTokens, first - keptTokens / 2))
  const kept = () => tokens.hashes.slice(start, Math.min(tokens.count, start + keptTokens))
  const uniform = (key >>> 0) / 2 ** 32
  offer(g.uniform, sizes.uniform, uniform, () => ({ key, order: uniform, label, tokens: kept() }))
  if (first >= 0) offer(g.carriers, sizes.carriers, uniform * rarest, () => ({ key, order: uniform * rarest, label, tokens: kept() }))
}

function exampleOf(tokens: Tokens, key: number, same: number, from: number, to: number): Example {
  const before = wordsOf(tokens, from - shownTokens, from)
  const phrase = wordsOf(tokens, from, to)
  const after = wordsOf(tokens, to, to + shownTokens)
  return { key, same, before, phrase, after }
}

function addExample(list: Example[], tokens: Tokens, key: number, from: number, to: number): void {
  if (list.length === examplesKept && key > (list[examplesKept - 1] as Example).key) return
  let same = 0
  for (let i = Math.max(0, from - shownTokens); i < Math.min(tokens.count, to + shownTokens); i++) {
    same = combine(same, tokens.hashes[i] as number)
  }
  const known = list.find((e) => e.same === same)
  if (known && known.key <= key) return
  list.push(exampleOf(tokens, key, same, from, to))
  trim(list)
}

function trim(list: Example[]): void {
  list.sort((a, b) => a.key - b.key || a.same - b.same)
  const kept = list.filter((e, i) => list.findIndex((o) => o.same === e.same) === i).slice(0, examplesKept)
  list.splice(0, list.length, ...kept)
}

export const gathered = (g: Gathering, sizes: CarrierSizes): Carriers => ({
  carriers: sampleOf(g.carriers.list, sizes.carriers),
  uniform: sampleOf(g.uniform.list, sizes.uniform),
  records: g.records,
  counts: g.counts,
  examples: g.examples,
})

export const addCarriers = (a: Carriers, b: Carriers, sizes: CarrierSizes): Carriers => ({
  carriers: mergeSamples(a.carriers, b.carriers, sizes.carriers),
  uniform: mergeSamples(a.uniform, b.uniform, sizes.uniform),
  records: a.records + b.records,
  counts: a.counts.map((n, i) => n + (b.counts[i] as number)),
  examples: a.examples.map((list, i) => {
    const both = [...list, ...(b.examples[i] ?? [])]
    trim(both)
    return both
  }),
})

/** Bytes of a state with so many candidates at most. */
export const carrierBytes = (sizes: CarrierSizes, candidates: number): number =>
  2 * (sizes.carriers + sizes.uniform) * (keptTokens * 4 + 100) + candidates * examplesKept * 600

export interface Occurrence {
  readonly passage: number
  readonly from: number
  readonly to: number
}

/** Of a candidate in more passages the first of the sample stand for all: by a keyed order, those with rarer candidates before the others. */
const mostOccurrences = 1024

/** Of each candidate its first occurrence in every passage of a sample. */
export function occurrencesIn(sample: PassageSample, candidates: number, match: Matcher): Occurrence[][] {
  const out: Occurrence[][] = Array.from({ length: candidates }, () => [])
  passagesOf(sample).forEach((p, passage) => {
    match(p.tokens, p.tokens.length, (candidate, from, to) => {
      const list = out[candidate] as Occurrence[]
      if (list.length < mostOccurrences && list.at(-1)?.passage !== passage) list.push({ passage, from, to })
    })
  })
  return out
}

/** Passages up to which all occurrences are known. */
const knownTo = (occurrences: readonly Occurrence[]): number =>
  occurrences.length < mostOccurrences ? Number.POSITIVE_INFINITY : (occurrences.at(-1) as Occurrence).passage

/** Share of the passages of the rarer one that have both, 0..1. */
export function overlap(a: readonly Occurrence[], b: readonly Occurrence[]): number {
  const last = Math.min(knownTo(a), knownTo(b))
  const [of, others] = [a, b].map((list) => new Set(list.filter((o) => o.passage <= last).map((o) => o.passage))) as [
    Set<number>,
    Set<number>,
  ]
  let both = 0
  for (const passage of of) if (others.has(passage)) both++
  return both / Math.max(1, Math.min(of.size, others.size))
}
