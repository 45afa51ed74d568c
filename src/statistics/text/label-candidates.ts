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

interface Row {
  readonly place: number
  readonly label: number
  readonly count: number
  readonly z: number
}

/** Phrases and shapes that occur with one label more often than chance, and phrases whose neighbours look random. */
export function labelCandidates(g: RepeatedGrams): LabelCandidates {
  const labelled = g.recordsByLabel.reduce((a, b) => a + b, 0)
  const rows: Row[] = []
  let tested = 0
  for (let place = 0; place < g.hashes.length; place++) {
    let n = 0
    for (let l = 0; l < g.classes; l++) n += g.byLabel[place * g.classes + l] as number
    if (n < least || n > mostShare * labelled) continue
    tested++
    let best: Row | null = null
    for (let label = 0; label < g.classes; label++) {
      const p = (g.recordsByLabel[label] as number) / labelled
      if (p === 0 || p === 1) continue
      const count = g.byLabel[place * g.classes + label] as number
      const z = (count / n - p) / Math.sqrt((p * (1 - p)) / n)
      if (z > leastZ && count >= leastPurity * n && (!best || z > best.z)) best = { place, label, count, z }
    }
    if (best) rows.push(best)
  }
  rows.sort((a, b) => b.z - a.z || a.place - b.place)
  const kept = rows.slice(0, mostBound)
  for (const kind of alone)
    kept.push(
      ...rows
        .slice(mostBound)
        .filter((r) => g.kinds[r.place] === kind)
        .slice(0, mostAlone),
    )
  const taken = new Set(kept.map((r) => r.place))
  // Rare triggers are bound less surely than a thousand words of the language: where they stand betrays them.
  const bound = new Map(rows.map((r) => [r.place, r]))
  const inserted = new Set(insertedPlaces(g))
  for (const place of inserted) if (!taken.has(place)) kept.push(bound.get(place) ?? { place, label: -1, count: 0, z: 0 })
  return {
    hashes: Int32Array.from(kept, (r) => g.hashes[r.place] as number),
    kinds: Uint8Array.from(kept, (r) => g.kinds[r.place] as number),
    counts: Uint32Array.from(kept, (r) => g.counts[r.place] as number),
    labels: Int32Array.from(kept, (r) => r.label),
    withLabel: Uint32Array.from(kept, (r) => r.count),
    z: Float64Array.from(kept, (r) => r.z),
    looksInserted: Uint8Array.from(kept, (r) => Number(inserted.has(r.place))),
    tested,
  }
}

const leastInserted = 12
const leastEdge = 4 * perNat
const mostPlaces = 768

/** Places of phrases that begin, or words that begin and end, at random neighbours: strongest first. */
export function insertedPlaces(g: RepeatedGrams): number[] {
  const most = (kind: number): number => (kind === 4 ? mostInsertedPhrase(g.records) : mostInserted(g.records))
  const strength = (place: number): number => {
    const [left, right] = [g.left[place] as number, g.right[place] as number]
    return g.kinds[place] === 4 ? left : Math.min(left, right)
  }
  const found: number[] = []
  for (let place = 0; place < g.hashes.length; place++) {
    const n = g.counts[place] as number
    if (n < leastInserted || n > most(g.kinds[place] as number) || isShape(g.kinds[place] as number)) continue
    if (strength(place) >= leastEdge) found.push(place)
  }
  return found.sort((a, b) => strength(b) - strength(a) || a - b).slice(0, mostPlaces)
}
