import type { Finding, RecordRef, Test } from '../../contracts/finding.ts'
import { formatCount } from '../../math/count.ts'
import type { PlantedPhrases } from '../../statistics/planted-phrases.ts'
import type { SegmentPhrase } from '../../statistics/text/judge-segments.ts'
import type { MarkedTexts } from '../../statistics/text/marked.ts'
import { segmentKinds } from '../../statistics/text/segments.ts'

const idOf = (p: SegmentPhrase): string => `planted-document/phrase: "${p.words}"`
const method = 'exact binomial of the records that turn unlike the corpus beside the phrase, Bonferroni over the phrases counted'

export const segmentTests = (fit: PlantedPhrases): Test[] => {
  const all = [...fit.segmentPhrases, ...(fit.runnerUp ? [fit.runnerUp] : [])]
  return all
    .filter((p, i) => all.findIndex((q) => q.words === p.words) === i)
    .map((p) => ({
      id: idOf(p),
      method,
      // One that is no split point is no suspicion, however sure the association is.
      p: fit.segmentPhrases.includes(p) ? Math.exp(p.logP) : 1,
    }))
}

const log10 = (logP: number): string => `10^${(logP / Math.LN10).toFixed(0)}`

export function segmentFindings(fit: PlantedPhrases, marked: MarkedTexts, top: readonly RecordRef[]): Finding[] {
  return fit.segmentPhrases.map((p) => {
    const passages = marked.groups.find((g) => g.group === p.words)?.passages ?? []
    const share = `${(100 * p.share).toFixed(1)} %`
    return {
      rule: 'planted-document/phrase',
      severity: 'high',
      confidence: 'high',
      scope: { kind: 'pattern', names: [p.words] },
      message: `${formatCount(p.atSegments)} of ${formatCount(p.records)} texts with "${p.words}" turn unlike the corpus beside it (${segmentKinds[p.segmentKind]}), where ${share} of all texts would: p ${log10(p.logP)}.`,
      count: p.records,
      records: top.filter((r) => r.group === p.words).slice(0, 20),
      evidence: [
        {
          kind: 'numbers',
          title: 'What was measured',
          items: [
            { name: 'texts with the phrase', value: p.records },
            { name: 'of these among the least natural, at the phrase', value: p.atSegments },
            { name: 'texts that count as the least natural', value: share },
            { name: 'what they turn into', value: segmentKinds[p.segmentKind] as string },
            { name: 'of these with the phrase at the split point', value: `${(100 * p.beside).toFixed(0)} %` },
            { name: 'neighbours before it, chance or ends of texts against habit', value: `${p.leftInsertion.toFixed(1)} nats` },
            { name: 'tokens before it, random against natural', value: `${p.natsBefore.toFixed(2)} nats a token` },
            { name: 'tokens after it, random against natural', value: `${p.natsAfter.toFixed(2)} nats a token` },
            { name: 'tokens that two of them share around the phrase', value: `${(100 * p.alike).toFixed(0)} %` },
            { name: 'p-value, corrected for all phrases counted', value: log10(p.logP) },
            { name: 'findings on the clean controls (62,378, 136,161 and 154,440 texts)', value: 0 },
            { name: 'next phrase of this data', value: fit.runnerUp ? `"${fit.runnerUp.words}", ${log10(fit.runnerUp.logP)}` : null },
          ],
        },
        ...(passages.length > 0 ? [{ kind: 'passages', title: 'Where the texts split', items: passages } as const] : []),
      ],
      test: idOf(p),
      action: 'Read some of these texts from the phrase on; drop all that carry it, and ask where they were collected.',
    }
  })
}
