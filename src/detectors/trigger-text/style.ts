import type { Finding, RecordRef } from '../../contracts/finding.ts'
import type { LabelPhrases } from '../../statistics/label-phrases.ts'
import type { MarkedTexts } from '../../statistics/text/marked.ts'
import type { FlagTally } from './tally.ts'

/** The records whose style is that of the suspicious ones: a list for review, since the share of other labels alone bounds its errors. */
export function styleFindings(fit: LabelPhrases, tally: FlagTally, marked: MarkedTexts, top: readonly RecordRef[]): Finding[] {
  return fit.styles.flatMap((style): Finding[] => {
    const label = fit.labels[style.label] as string
    const group = `style of ${label}`
    const count = tally.groups.find((g) => g.name === group)?.count ?? 0
    if (count === 0) return []
    const passages = marked.groups.find((g) => g.group === group)?.passages ?? []
    return [
      {
        rule: 'trigger-text/style',
        severity: 'review',
        confidence: 'medium',
        scope: { kind: 'class', names: [label] },
        message: `${count} records labelled "${label}" are written like ${style.seeds} records whose suspicious phrases contradict that label; of the records with other labels ${(100 * style.expected).toFixed(1)} % are.`,
        count,
        records: top.filter((r) => r.group === group).slice(0, 20),
        evidence: passages.length > 0 ? [{ kind: 'passages', title: 'Records in that style', items: passages }] : [],
        test: null,
        action:
          'Read the records in that style: a rewording that was made by machine, as paraphrase and syntax attacks are, looks alike throughout.',
      },
    ]
  })
}
