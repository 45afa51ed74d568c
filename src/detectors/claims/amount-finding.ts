import type { Flagged } from '../../contracts/detector.ts'
import type { Evidence, Finding } from '../../contracts/finding.ts'
import type { Alarm } from './alarms.ts'
import { type ClaimsTally, noSource, type Quoted } from './tally.ts'

const mostSources = 10

export function amountFinding(alarm: Alarm, counted: ClaimsTally, quoted: readonly Quoted[], flagged: Flagged): Finding {
  const sources = Object.entries(counted.stating[alarm.name] ?? {}).sort((a, b) => b[1] - a[1])
  const count = sources.reduce((sum, [, n]) => sum + n, 0)
  const said = `${count} of ${counted.rows} records state ${alarm.value} ${alarm.measures} of "${alarm.subjects[0]}"`
  const range = alarm.low === alarm.high ? `${alarm.low}` : `${alarm.low} to ${alarm.high}`
  const message =
    alarm.kind === 'contradicted'
      ? `${said}; the owner's table says ${range} ${alarm.measures}.`
      : `${said}; ${alarm.others} other records say ${alarm.right} ${alarm.measures} in the middle, ${range} in all.`
  const items = quoted.map((q) => passageOf(q, alarm))
  const shown: Evidence[] = [
    {
      kind: 'numbers',
      title: 'The value and what speaks against it',
      items: [
        { name: 'stated', value: `${alarm.value} ${alarm.measures}` },
        {
          name: alarm.kind === 'contradicted' ? 'by the table' : 'consensus of the other records',
          value: `${alarm.right} ${alarm.measures}`,
        },
        { name: 'range of these', value: `${range} ${alarm.measures}` },
        { name: 'records that state it', value: count },
        { name: 'other records compared', value: alarm.others },
        { name: 'words beside it', value: alarm.subjects.join(', ') },
      ],
    },
  ]
  const known = sources.filter(([name]) => name !== noSource)
  if (known.length > 0)
    shown.push({
      kind: 'table',
      title: 'Records that state it, by source',
      columns: ['source', 'records'],
      rows: known.slice(0, mostSources),
    })
  if (items.length > 0) shown.push({ kind: 'passages', title: 'Where it stands', items })
  return {
    rule: `claims/${alarm.kind}`,
    severity: 'review',
    confidence: alarm.kind === 'contradicted' ? 'high' : 'low',
    scope: { kind: 'pattern', names: [alarm.name] },
    message,
    count,
    records: flagged.top.filter((r) => r.group === alarm.name).slice(0, 20),
    evidence: shown,
    test: null,
    action:
      'Have somebody who knows the subject read the records; where the value is wrong, remove them and ask their source for its origin.',
  }
}

const around = 160

function passageOf({ where, text }: Quoted, alarm: Alarm) {
  const at = Math.max(0, text.toLowerCase().indexOf(alarm.subjects[0] as string))
  const from = Math.max(0, at - around)
  const cut = text.slice(from, at + 2 * around)
  return {
    where,
    label: null,
    text: cut,
    marks: [[at - from, Math.min(cut.length, at - from + (alarm.subjects[0] as string).length)]] as [number, number][],
  }
}
