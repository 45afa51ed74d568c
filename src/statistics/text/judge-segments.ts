import { logBinomialUpper } from '../../math/tests.ts'
import { type Carriers, type Occurrence, overlap } from './carriers.ts'
import { appendedOf } from './insertion.ts'
import { passagesOf } from './passages.ts'
import { neighbourhoods, reachOf, wordsOfPhrase } from './phrases.ts'
import type { SegmentCandidates } from './segment-candidates.ts'

/** A phrase that stands at the beginnings of unnatural segments. */
export interface SegmentPhrase {
  readonly words: string
  readonly hash: number
  readonly kind: number
  readonly segmentKind: number
  /** Records with it, and of these the ones that turn unlike the corpus beside it. */
  readonly records: number
  readonly atSegments: number
  /** Share of all records that count as the strongest. */
  readonly share: number
  readonly alike: number
  readonly beside: number
  /** Bayes factor of the tokens before it, random or the ends of texts against habitual, in nats: a phrase that belongs to a form has habits. */
  readonly leftInsertion: number
  readonly natsBefore: number
  readonly natsAfter: number
  /** Corrected for every phrase that was counted. */
  readonly logP: number
}

const leastAtSegments = 15
const leastConcentration = 0.6
const leastBeside = 0.6
/** Nats a token by which what follows is less like the corpus than what precedes: in a small corpus much is rare, and a segment begins before the phrase. Clean controls reached .3. */
const leastTurn = 0.6
const mostAlike = 0.2
/** Nats by which habits may explain what stands before it better than chance does. */
const mostHabit = 3
/** ln of the corrected p-value. Clean controls reached what the page of the rule says; topics and encodings cluster, so chance alone is no bar. */
export const mostLogP = -40
const sameRecords = 0.6
const mostPhrases = 10

const turns = (p: SegmentPhrase): boolean => p.beside >= leastBeside || p.natsAfter - p.natsBefore >= leastTurn

export const isPlanted = (p: SegmentPhrase): boolean =>
  p.atSegments >= leastAtSegments &&
  p.atSegments >= leastConcentration * p.records &&
  turns(p) &&
  p.leftInsertion > -mostHabit &&
  p.alike < mostAlike &&
  p.logP <= mostLogP

/** Phrases by their test, one of those that stand in the same records: the longest. */
export function judgeSegments(
  segments: SegmentCandidates,
  carriers: Carriers,
  found: readonly (readonly Occurrence[])[],
  classOf: (token: number) => number,
  endings: Int32Array,
): { readonly phrases: readonly SegmentPhrase[]; readonly runnerUp: SegmentPhrase | null } {
  const rows = Array.from(segments.hashes, (hash, i) => {
    const records = Math.max(carriers.counts[i] as number, segments.atSegments[i] as number)
    const share = segments.shares[segments.segmentKinds[i] as number] as number
    const logP = logBinomialUpper(segments.atSegments[i] as number, records, Math.min(0.5, share)) + Math.log(Math.max(1, segments.tested))
    return {
      candidate: i,
      hash,
      kind: segments.kinds[i] as number,
      segmentKind: segments.segmentKinds[i] as number,
      records,
      atSegments: segments.atSegments[i] as number,
      share,
      alike: segments.alike[i] as number,
      beside: segments.beside[i] as number,
      natsBefore: segments.natsBefore[i] as number,
      natsAfter: segments.natsAfter[i] as number,
      logP: Math.min(0, logP),
    }
  }).sort((a, b) => a.logP - b.logP || b.kind - a.kind || a.candidate - b.candidate)
  const passages = passagesOf(carriers.carriers)
  const occurrencesOf = ({ candidate }: (typeof rows)[number]): readonly Occurrence[] => found[candidate] ?? []
  const kept: { row: (typeof rows)[number]; readonly occurrences: readonly Occurrence[] }[] = []
  for (const row of rows) {
    if (kept.length > 5 * mostPhrases) break
    const occurrences = occurrencesOf(row)
    const same = kept.find((k) => overlap(k.occurrences, occurrences) > sameRecords)
    if (!same) kept.push({ row, occurrences })
    else if (row.kind > same.row.kind && row.atSegments >= 0.85 * same.row.atSegments) same.row = row
  }
  const named = kept.map(({ row }): SegmentPhrase => {
    const { candidate, ...rest } = row
    const occurrences = occurrencesOf(row).slice(0, 400)
    const reach = reachOf(passages, occurrences)
    const left = appendedOf(neighbourhoods(passages, occurrences, reach), classOf, endings)
    return { ...rest, leftInsertion: left, words: wordsOfPhrase(carriers.examples[candidate] ?? [], reach) }
  })
  return { phrases: named.filter(isPlanted).slice(0, mostPhrases), runnerUp: named.find((p) => !isPlanted(p)) ?? null }
}
