import { mostInserted, mostInsertedPhrase, type RepeatedGrams } from '../repeated-grams.ts'
import { isShape } from './grams.ts'
import type { Candidates } from './matcher.ts'
import { perNat } from './pair-reader.ts'

export interface LabelCandidates extends Candidates {
  /** Label that each is bound to, -1 for one that only looks inserted. */
  readonly labels: Int32Array
  /** Records with it and that label. */
  readonly withLabel: Uint32Array
  /** Standard score of the share of that label. */
  readonly z: Float64Array
  /** [candidates]: 1 where the phrase looks inserted. */
  readonly looksInserted: Uint8Array
  /** Phrases and shapes that were tested for their labels, and for being inserted. */
  readonly tested: number
}

const least = 8
const leastZ = 3
/** A trigger goes with its label nearly always. */
const leastPurity = 0.75
const mostShare = 0.6
/** Of all kinds together, by their standard scores. */
const mostBound = 800
/**
 * Beside these, of words and of phrases of four: where every class has a topic, hundreds of its words and pairs go with the label in more
 * records than a trigger has. Pairs and shapes are not among them: those of a topic are too many to be told from triggers.
 */
const mostAlone = 600
const alone: ReadonlySet<number> = new Set([1, 4])

/** Of every gram the label that it goes with beyond chance. Numbers alone: there are a million grams, and each thread has them. */
interface Bound {
  /** [grams]: label, -1 for none. */
  readonly labels: Int32Array
  /** [grams] */
  readonly z: Float64Array
  readonly tested: number
  /** Those with a label, by falling z. */
  readonly places: Int32Array
}

function boundOf(g: RepeatedGrams): Bound {
  const labelled = g.recordsByLabel.reduce((a, b) => a + b, 0)
  const labels = new Int32Array(g.hashes.length).fill(-1)
  const z = new Float64Array(g.hashes.length)
  const places = new Int32Array(g.hashes.length)
  let [tested, count] = [0, 0]
  for (let place = 0; place < g.hashes.length; place++) {
    let n = 0
    for (let l = 0; l < g.classes; l++) n += g.byLabel[place * g.classes + l] as number
    if (n < least || n > mostShare * labelled) continue
    tested++
    for (let label = 0; label < g.classes; label++) {
      const p = (g.recordsByLabel[label] as number) / labelled
      const share = (g.byLabel[place * g.classes + label] as number) / n
      if (p === 0 || p === 1 || share < leastPurity) continue
      const score = (share - p) / Math.sqrt((p * (1 - p)) / n)
      if (score <= leastZ || score <= (z[place] as number)) continue
      labels[place] = label
      z[place] = score
    }
    if (labels[place] !== -1) places[count++] = place
  }
  return { labels, z, tested, places: places.subarray(0, count).sort((a, b) => (z[b] as number) - (z[a] as number) || a - b) }
}

/** Phrases and shapes that occur with one label more often than chance, and phrases whose neighbours look random. */
export function labelCandidates(g: RepeatedGrams): LabelCandidates {
  const { labels, z, tested, places } = boundOf(g)
  const others = places.subarray(mostBound)
  const kept = new Set(places.subarray(0, mostBound))
  for (const kind of alone) for (const place of others.filter((p) => g.kinds[p] === kind).subarray(0, mostAlone)) kept.add(place)
  // Rare triggers are bound less surely than a thousand words of the language: where they stand betrays them.
  const inserted = new Set(insertedPlaces(g))
  for (const place of inserted) kept.add(place)
  const at = Int32Array.from(kept)
  return {
    hashes: at.map((p) => g.hashes[p] as number),
    kinds: Uint8Array.from(at, (p) => g.kinds[p] as number),
    counts: Uint32Array.from(at, (p) => g.counts[p] as number),
    labels: at.map((p) => labels[p] as number),
    withLabel: Uint32Array.from(at, (p) => (labels[p] === -1 ? 0 : (g.byLabel[p * g.classes + (labels[p] as number)] as number))),
    z: Float64Array.from(at, (p) => z[p] as number),
    looksInserted: Uint8Array.from(at, (p) => Number(inserted.has(p))),
    tested,
  }
}

const leastInserted = 12
const leastEdge = 4 * perNat
const mostPlaces = 768
/** Of words, and of phrases of four, those that reach no such sum, but are more random than others that are as frequent. */
const mostUnusual = 64
/** Standard errors. */
const leastDeviation = 3

/** Places of phrases that begin, or words that begin and end, at random neighbours: strongest first. */
export function insertedPlaces(g: RepeatedGrams): number[] {
  const most = (kind: number): number => (kind === 4 ? mostInsertedPhrase(g.records) : mostInserted(g.records))
  const strength = (place: number): number => {
    const [left, right] = [g.left[place] as number, g.right[place] as number]
    return g.kinds[place] === 4 ? left : Math.min(left, right)
  }
  const found: number[] = []
  const others: number[] = []
  for (let place = 0; place < g.hashes.length; place++) {
    const n = g.counts[place] as number
    const kind = g.kinds[place] as number
    if (n < leastInserted || n > most(kind) || isShape(kind)) continue
    if (strength(place) >= leastEdge) found.push(place)
    else others.push(place)
  }
  const strongest = found.sort((a, b) => strength(b) - strength(a) || a - b).slice(0, mostPlaces)
  const nats = (place: number): number => strength(place) / perNat / (g.counts[place] as number)
  const ofKind = (kind: number): number[] => others.filter((place) => g.kinds[place] === kind)
  return [...strongest, ...[...alone].flatMap((kind) => unusual(ofKind(kind), nats, g.counts))]
}

/** Pairs with common neighbours repeat the more often the more records carry a phrase, random or not: it is compared with most phrases. */
function unusual(phrases: readonly number[], nats: (place: number) => number, counts: Uint32Array): number[] {
  const typical = Float64Array.from(phrases, nats).sort()[phrases.length >> 1] as number
  return phrases
    .map((place) => ({ place, deviation: (nats(place) - typical) * Math.sqrt(counts[place] as number) }))
    .filter((p) => p.deviation >= leastDeviation)
    .sort((a, b) => b.deviation - a.deviation || a.place - b.place)
    .slice(0, mostUnusual)
    .map((p) => p.place)
}
