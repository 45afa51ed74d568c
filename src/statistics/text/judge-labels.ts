import type { RepeatedGrams } from '../repeated-grams.ts'
import type { Carriers, Occurrence } from './carriers.ts'
import { type ContentVotes, contentVotes, pureWords, type Verdict } from './contradiction.ts'
import { isShape } from './grams.ts'
import { closingOf, type Insertion, insertionOf, transitionsOf } from './insertion.ts'
import type { LabelCandidates } from './label-candidates.ts'
import { likeness } from './likeness.ts'
import { type Passage, passagesOf } from './passages.ts'
import { neighbourhoods, reachOf, wordsOfPhrase } from './phrases.ts'
import { isTrusted } from './trusted.ts'

/** A phrase or shape with the label it is bound to and what the rest of its records says. */
export interface JudgedPhrase {
  readonly hash: number
  readonly kind: number
  /** Candidate number. */
  readonly candidate: number
  readonly words: string
  readonly label: number
  /** Records with it, and of these with the label. */
  readonly records: number
  readonly withLabel: number
  /** All records of the label. */
  readonly ofLabel: number
  readonly z: number
  /** Of `judged` records with phrase and label, how many contradict it. */
  readonly contradicting: number
  readonly judged: number
  /** How much likelier they are among records of other labels than among those of this one. */
  readonly nats: number
  readonly base: number
  /** From 0, as all records of the label, to 1, as records of other labels. */
  readonly excess: number
  readonly contradictionZ: number
  /** How alike its records are besides it, and how alike all records of the label are. */
  readonly alike: number
  readonly alikeBase: number
  readonly insertion: Insertion | null
  /** How much better its records read without it than phrases of the language do, in nats; null of a shape, and where it was not asked. */
  readonly closing: number | null
  /** Trusted records have it as often with the same label. */
  readonly trusted: boolean
  /** Before any correction for the number of phrases. */
  readonly logP: number
}

/** Records of a phrase that are judged, and left out of the model that judges. */
const mostJudged = 400
const leastCarriers = 4
/** So many tell whether a phrase is worth more: most say plainly that it is none. */
const judgedAtOnce = [32, 100] as const
const hopeless = -30
const purity = 0.9
/** After the correction for all phrases that were judged. */
const mostP = 0.005
/** The most common tokens say nothing of a record's content. */
const silentTokens = 20
/** A shape stands in records of the label too. */
const shareOfShapes = 0.65
/** Evidence against a word, in nats, from which on it has no vote. */
const leastSuspicion = 5

/** Rows carry the phrase almost always with the label. */
const isPure = (p: JudgedPhrase): boolean => p.withLabel >= purity * p.records

/** Triggers that were put into texts had -5 and more, phrases of the language -20 and less. */
const leastClosing = -10

/** A phrase of the language that goes with a label may do so in honest data. */
export const isHabitual = (p: JudgedPhrase): boolean => p.closing !== null && p.closing < leastClosing

/** Records with it are flagged. */
export const isTrigger = (p: JudgedPhrase): boolean => isPure(p) && !isHabitual(p)

/** The p-value, in logarithms, after Bonferroni's correction for all phrases that were judged. */
export const adjustedLogP = (p: JudgedPhrase, judged: number): number => Math.min(0, p.logP + Math.log(Math.max(1, judged)))

/** Its records are about one matter: a topic that goes with a label, and no trigger. */
const isTopic = (p: JudgedPhrase): boolean => p.alike > 2 * p.alikeBase + 0.02

export const isSignificant = (p: JudgedPhrase, judged: number): boolean => adjustedLogP(p, judged) <= Math.log(mostP)

/** Texts read on without it, as they do around what was put into them and hardly ever around what was written. */
const isClosedOver = (p: JudgedPhrase): boolean => p.closing !== null && p.closing > 0

/** Most records of the label have it: the form that its texts are written in. */
const isForm = (p: JudgedPhrase): boolean => p.withLabel > 0.5 * p.ofLabel && !isClosedOver(p)

/** Where the words of most records of a label speak for another one, they alone cannot bear witness against it. */
const isToldByWords = (p: JudgedPhrase): boolean => p.base <= 0.5 || isClosedOver(p)

export const isSuspicious = (p: JudgedPhrase, judged: number): boolean =>
  p.nats > 0 && isSignificant(p, judged) && !p.trusted && isToldByWords(p) && !isForm(p) && !isTopic(p)

/** Less than suspicious by itself, but enough to learn a style from once a shape is suspicious. */
export const isTelling = (p: JudgedPhrase): boolean =>
  p.contradictionZ > 3.7 && (p.excess >= 0.4 || (p.excess >= 0.2 && p.z >= 8)) && p.z + p.contradictionZ > 10

/** What the phrases and shapes of labelled texts are judged by. */
export interface LabelCase {
  readonly grams: RepeatedGrams
  readonly candidates: LabelCandidates
  readonly carriers: Carriers
  /** Of each candidate its occurrences in the carriers. */
  readonly found: readonly (readonly Occurrence[])[]
  /** Tokens by frequency, the most frequent first; as many of them as shapes keep. */
  readonly common: Int32Array
  readonly uniform: readonly Passage[]
  readonly classOf: (token: number) => number
  readonly trusted: RepeatedGrams | null
  /** Tokens that end sentences. */
  readonly ends: ReadonlySet<number>
}

export interface LabelJudgement {
  /** Every candidate with a label; the strongest first. */
  readonly judged: readonly JudgedPhrase[]
  /** The votes by which shapes were judged. */
  readonly votes: ContentVotes
}

/**
 * What may be a trigger itself has no vote on others: at first no word that goes with one label, then only those on which suspicion
 * fell. Nor have the tokens that make a style, where styles are judged.
 */
export function judgeLabels(of: LabelCase): LabelJudgement {
  const { grams, uniform, common, candidates } = of
  const passages = passagesOf(of.carriers.carriers)
  const silent = common.subarray(0, silentTokens)
  const first = contentVotes(grams, uniform, new Set([...silent, ...pureWords(grams)]), 1)
  const suspects = of.found.flatMap((all, candidate) => {
    if (candidates.kinds[candidate] !== 1 || (candidates.labels[candidate] as number) < 0 || all.length < leastCarriers) return []
    const { judged, own } = partsOf(of, passages, candidate)
    const { nats } = verdictOf(first, judged, candidates.labels[candidate] as number, own)
    return nats > leastSuspicion ? [candidates.hashes[candidate] as number] : []
  })
  const words = contentVotes(grams, uniform, new Set([...silent, ...suspects]), 1)
  const shapes = contentVotes(grams, uniform, new Set([...common, ...suspects]), shareOfShapes)
  return { judged: judge(of, passages, (kind) => (isShape(kind) ? shapes : words)), votes: shapes }
}

const partsOf = (of: LabelCase, passages: readonly Passage[], candidate: number) => {
  const occurrences = (of.found[candidate] as readonly Occurrence[]).slice(0, mostJudged)
  const judged = occurrences.map((o) => passages[o.passage] as Passage)
  const own = new Set(occurrences.flatMap((o, i) => [...(judged[i] as Passage).tokens.subarray(o.from, o.to)]))
  return { occurrences, judged, own }
}

function verdictOf(votes: ContentVotes, judged: readonly Passage[], label: number, own: ReadonlySet<number>): Verdict {
  for (const count of judgedAtOnce) {
    const verdict = votes.judge(judged.slice(0, count), label, own)
    if (judged.length <= count || verdict.nats < hopeless) return verdict
  }
  return votes.judge(judged, label, own)
}

function judge(of: LabelCase, passages: readonly Passage[], votesOn: (kind: number) => ContentVotes): JudgedPhrase[] {
  const { grams, candidates, carriers, uniform, classOf, trusted } = of
  const common = new Set(of.common)
  const alikeBase = grams.labels.map((_, l) =>
    likeness(
      grams,
      uniform.filter((p) => p.label === l),
      common,
      new Set(),
    ),
  )
  const transitions = transitionsOf(
    uniform.map((p) => p.tokens),
    classOf,
  )
  const bound = candidates.labels.filter((label) => label >= 0).length
  const out: JudgedPhrase[] = []
  of.found.forEach((all, candidate) => {
    const label = candidates.labels[candidate] as number
    if (label < 0 || all.length < leastCarriers) return
    const kind = candidates.kinds[candidate] as number
    const votes = votesOn(kind)
    const { occurrences, judged, own } = partsOf(of, passages, candidate)
    const hash = candidates.hashes[candidate] as number
    const records = candidates.counts[candidate] as number
    const withLabel = candidates.withLabel[candidate] as number
    // The words that a shape leaves open are the records' own.
    const verdict = verdictOf(votes, judged, label, isShape(kind) ? new Set() : own)
    if (verdict.of === 0) return
    const base = votes.base[label] as number
    const share = verdict.contradicting / verdict.of
    const contradictionZ = (share - base) / Math.sqrt(Math.max(base * (1 - base), 0.01) / verdict.of)
    // Where a phrase stands is asked only of those whose records do not speak against it.
    const isAsked = !isShape(kind) && verdict.nats >= hopeless
    const reach = isAsked ? reachOf(passages, occurrences, of.ends) : { before: [], after: [] }
    const around = isAsked ? neighbourhoods(passages, occurrences, reach, of.ends) : null
    const insertion = around && insertionOf(around, classOf)
    // Independent evidence multiplies (Vovk and Wang 2021).
    const weight = insertion ? Math.max(0, Math.min(insertion.left, insertion.right)) : 0
    const logP = Math.min(0, -verdict.nats - weight)
    out.push({
      hash,
      kind,
      candidate,
      words: wordsOfPhrase(carriers.examples[candidate] ?? [], reach),
      label,
      records,
      withLabel,
      ofLabel: grams.recordsByLabel[label] as number,
      z: candidates.z[candidate] as number,
      contradicting: verdict.contradicting,
      judged: verdict.of,
      nats: verdict.nats,
      base,
      excess: (share - base) / Math.max(0.05, (votes.ceiling[label] as number) - base),
      contradictionZ,
      alike:
        logP + Math.log(bound) > Math.log(mostP)
          ? 0
          : likeness(
              grams,
              judged.filter((p) => p.label === label),
              common,
              new Set([...own, ...reach.before, ...reach.after]),
            ),
      alikeBase: alikeBase[label] as number,
      insertion,
      closing: around && closingOf(around, records / carriers.records, transitions),
      trusted: isTrusted(trusted, grams, { hash, kind, records, label, withLabel }),
      logP,
    })
  })
  return out.sort((a, b) => a.logP - b.logP || a.candidate - b.candidate)
}
