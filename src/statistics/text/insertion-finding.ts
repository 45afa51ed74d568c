import type { Finding, RecordRef, Test } from '../../contracts/finding.ts'
import { type InsertedPhrase, isBetweenSentences, strengthOfInsertion } from './judge-insertions.ts'
import type { MarkedTexts } from './marked.ts'

/** The strongest natural phrase of the clean controls, in nats: of 63 clean fifths of three corpora, before texts had to close over a phrase. */
const cleanMaximum = 8.4
/** The strongest natural sentence of the clean controls. */
const cleanSentence = 7.1

const idOf = (rule: string, p: InsertedPhrase): string => `${rule}: "${p.words}"`

export const insertionTest = (rule: string, p: InsertedPhrase, judged: number): Test => ({
  id: idOf(rule, p),
  method: isBetweenSentences(p)
    ? 'reciprocal of the Bayes factor of what follows sentences elsewhere against followers of its own, Bonferroni over the phrases judged'
    : 'reciprocal of the Bayes factor of random neighbours against habitual ones, the weaker side, Bonferroni over the phrases judged',
  p: Math.min(1, judged * Math.exp(-Math.max(0, strengthOfInsertion(p)))),
})

export function insertionFinding(
  rule: string,
  p: InsertedPhrase,
  next: InsertedPhrase | null,
  marked: MarkedTexts,
  top: readonly RecordRef[],
): Finding {
  const nats = (x: number): string => `${x.toFixed(1)} nats`
  const strength = nats(strengthOfInsertion(p))
  const [kind, control, where] = isBetweenSentences(p)
    ? [
        'sentence',
        cleanSentence,
        `between sentences that follow one another: by ${strength} the texts read on without it as if it were not there`,
      ]
    : ['phrase', cleanMaximum, `beside neighbours as random as the texts themselves: by ${strength} they look inserted rather than written`]
  const passages = marked.groups.find((g) => g.group === p.words)?.passages ?? []
  return {
    rule,
    severity: 'high',
    confidence: 'high',
    scope: { kind: 'pattern', names: [p.words] },
    message: `"${p.words}" stands in ${p.records} records ${where}; the strongest natural ${kind} of the clean controls had ${nats(control)}.`,
    count: p.records,
    records: top.filter((r) => r.group === p.words).slice(0, 20),
    evidence: [
      {
        kind: 'numbers',
        title: 'Neighbours against expectation',
        items: [
          { name: 'records', value: p.records },
          { name: 'occurrences compared', value: p.insertion.occurrences },
          { name: 'left neighbours, random against habit', value: nats(p.insertion.left) },
          { name: 'right neighbours, random against habit', value: nats(p.insertion.right) },
          { name: 'the texts read on without it, against habit', value: nats(p.sentence?.closing ?? p.closing) },
          ...(p.sentence
            ? [
                { name: 'how alike its records are besides it', value: p.sentence.alike.toFixed(3) },
                { name: 'how alike any records are', value: p.sentence.alikeBase.toFixed(3) },
              ]
            : []),
          { name: `strongest ${kind} of the clean controls`, value: nats(control) },
          { name: 'next phrase of this data', value: next ? `"${next.words}", ${nats(strengthOfInsertion(next))}` : null },
        ],
      },
      ...(passages.length > 0 ? [{ kind: 'passages', title: 'Records with it', items: passages } as const] : []),
    ],
    test: idOf(rule, p),
    action: 'Hold back the records that carry the phrase and find out how it came into them.',
  }
}
