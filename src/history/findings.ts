import type { Evidence, Finding } from '../contracts/finding.ts'
import type { Night } from '../contracts/history.ts'
import { formatCount } from '../math/count.ts'
import type { Level } from './levels.ts'
import type { Part, Shift } from './scan.ts'

const shownNights = 40

const day = (night: Night | undefined): string => night?.startedAt.slice(0, 10) ?? 'unknown'
const perNight = ({ events, nights }: Part): string => Number((events / Math.max(1, nights)).toPrecision(2)).toString()
const percent = (share: number): string => `${Number((share * 100).toPrecision(2))} %`

const numbers = (shift: Shift, unit: string): Evidence => ({
  kind: 'numbers',
  title: 'Before and since',
  items: [
    { name: `${unit} a night before`, value: Number((shift.before.events / Math.max(1, shift.before.nights)).toPrecision(3)) },
    {
      name: `${unit} a night since, in a typical night`,
      value: Number((shift.since.events / Math.max(1, shift.since.nights)).toPrecision(3)),
    },
    { name: 'audits before', value: shift.before.nights },
    { name: 'audits since', value: shift.since.nights },
    { name: 'dispersion of the nights before', value: Number(shift.dispersion.toPrecision(3)) },
  ],
})

/** The last nights of a stream; `at` are the nights that its entries belong to. */
function table(shift: Shift, nights: readonly Night[], at: readonly number[], unit: string): Evidence {
  const { events, exposure } = shift.stream
  const rows = [...events].flatMap((count, i) =>
    Number.isNaN(count) ? [] : [[day(nights[at[i] as number]), exposure[i] as number, count, i >= shift.start ? 'since' : 'before']],
  )
  return { kind: 'table', title: 'Night by night', columns: ['audit of', 'records', unit, ''], rows: rows.slice(-shownNights) }
}

const eventsSince = ({ stream, start }: Shift): number =>
  stream.events.slice(start).reduce((sum, count) => sum + (Number.isNaN(count) ? 0 : count), 0)

const sinceWords = (shift: Shift, nights: readonly Night[], at: readonly number[]): string =>
  `since about ${day(nights[at[shift.start] as number])}, ${perNight(shift.since)} a night where it was ${perNight(shift.before)}`

const base = { rule: 'history/label-drift', confidence: 'high', records: [] } as const
const whoChanged = 'Find who changed these labels, by the audit trail of the annotation system, and have somebody else label them again'

/** Labels of one class are turned into another. */
export function pairFinding(shift: Shift, nights: readonly Night[], at: readonly number[], test: string): Finding {
  const [from = '', to = ''] = shift.stream.names
  const count = eventsSince(shift)
  return {
    ...base,
    severity: 'high',
    scope: { kind: 'class-pair', names: [from, to] },
    message: `${formatCount(count)} records of ${from} were relabelled ${to} ${sinceWords(shift, nights, at)}.`,
    count,
    evidence: [numbers(shift, 'records relabelled'), table(shift, nights, at, 'relabelled')],
    test,
    action: `${whoChanged}; until then train on the snapshot of ${day(nights[(at[shift.start] as number) - 1])}.`,
  }
}

/** Labels of one class, or in one source, are changed more often. */
export function relabelFinding(
  kind: 'class' | 'source',
  shift: Shift,
  nights: readonly Night[],
  at: readonly number[],
  test: string,
): Finding {
  const [name = ''] = shift.stream.names
  const count = eventsSince(shift)
  return {
    ...base,
    severity: 'high',
    scope: { kind, names: [name, 'relabelled'] },
    message: `${formatCount(count)} records of ${kind === 'class' ? name : `source ${name}`} were relabelled ${sinceWords(shift, nights, at)}.`,
    count,
    evidence: [numbers(shift, 'records relabelled'), table(shift, nights, at, 'relabelled')],
    test,
    action: `${whoChanged}.`,
  }
}

/** A class grows or shrinks against the others. */
export function balanceFinding(shift: Shift, nights: readonly Night[], test: string): Finding {
  const [name = '', way = ''] = shift.stream.names
  const at = nights.map((_, i) => i)
  const count = eventsSince(shift)
  return {
    ...base,
    severity: 'medium',
    confidence: 'medium',
    scope: { kind: 'class', names: [name, way] },
    message: `The class ${name} ${way} against the others: ${formatCount(count)} records beyond the growth of the whole ${sinceWords(shift, nights, at)}.`,
    count,
    evidence: [numbers(shift, 'records beyond the growth'), table(shift, nights, at, way === 'grows' ? 'gained' : 'lost')],
    test,
    action:
      'Compare the last snapshot with the one before the change: assay diff names the records that were added, removed or relabelled.',
  }
}

/** More of a source is flagged than before. */
export function qualityFinding(level: Level, nights: readonly Night[], test: string): Finding {
  const { name, before, since } = level
  const rows = nights.flatMap((night, i) =>
    night.sources.filter((s) => s.name === name).map((s) => [day(night), s.count, s.flagged, i >= level.start ? 'since' : 'before']),
  )
  const count = Math.round(since.share * since.records)
  return {
    rule: 'history/source-drift',
    severity: 'medium',
    confidence: 'medium',
    scope: { kind: 'source', names: [name] },
    message: `${percent(since.share)} of the records of source ${name} are flagged since about ${day(nights[level.start])}, where it was ${percent(before.share)}.`,
    count,
    records: [],
    evidence: [
      {
        kind: 'numbers',
        title: 'Before and since',
        items: [
          { name: 'share flagged before, median night', value: Number(before.share.toPrecision(3)) },
          { name: 'share flagged since, median night', value: Number(since.share.toPrecision(3)) },
          { name: 'records, median night since', value: since.records },
          { name: 'dispersion of the nights before', value: Number(level.dispersion.toPrecision(3)) },
        ],
      },
      { kind: 'table', title: 'Night by night', columns: ['audit of', 'records', 'flagged', ''], rows: rows.slice(-shownNights) },
    ],
    test,
    action: `Look at what ${name} delivered since then, and let somebody else label a sample of it.`,
  }
}
