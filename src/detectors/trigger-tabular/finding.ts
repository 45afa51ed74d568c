import type { Evidence, Finding, RecordRef } from '../../contracts/finding.ts'
import { clopperPearson } from '../../math/tests.ts'
import type { Tested } from '../../statistics/column-triggers/confirm.ts'
import type { CarrierTally } from './tally.ts'
import { cellNames, cellWords, ruleOf } from './words.ts'

const level = 0.95
const percent = (count: number, total: number): string => `${((100 * count) / Math.max(1, total)).toFixed(0)} %`

/** Counts of one trigger over all records. */
export interface TriggerCounts {
  readonly carriers: number
  readonly labelled: number
  /** Of the labelled ones, those whose other columns say the label. */
  readonly agreeing: number
}

export function countsOf({ given, said, classes }: CarrierTally, trigger: number, label: number): TriggerCounts {
  const k = classes.length
  const row = given.subarray(trigger * k, (trigger + 1) * k)
  return {
    carriers: row.reduce((sum, n) => sum + n, 0),
    labelled: row[label] ?? 0,
    agreeing: said[(trigger * k + label) * k + label] ?? 0,
  }
}

const share = (name: string, count: number, total: number, marked: boolean) => {
  const { low, high } = clopperPearson(count, Math.max(count, total), level)
  return { name, count, total, estimate: total > 0 ? count / total : 0, low, high, marked }
}

function evidenceOf(tally: CarrierTally, one: Tested, trigger: number, counts: TriggerCounts): Evidence[] {
  const { classes, labels, said, rows } = tally
  const k = classes.length
  const label = classes[one.label] as string
  const own = said.subarray((trigger * k + one.label) * k, (trigger * k + one.label + 1) * k)
  const order = classes.map((_, c) => c).sort((a, b) => (own[b] as number) - (own[a] as number) || a - b)
  return [
    {
      kind: 'intervals',
      title: `Share whose other columns say "${label}"`,
      level,
      expected: null,
      items: [
        share(`"${label}" with the trigger`, counts.agreeing, counts.labelled, true),
        share(`"${label}" without it (half of the sample)`, one.ownAgree, one.own, false),
        share('other labels (half of the sample)', one.othersAgree, one.others, false),
      ],
    },
    {
      kind: 'table',
      title: `Records with the trigger: given labels, and what the other columns of those labelled "${label}" say`,
      columns: ['label', 'given', `other columns, where "${label}" is given`, 'of all records'],
      rows: order
        .slice(0, 20)
        .map((c) => [classes[c] as string, tally.given[trigger * k + c] as number, own[c] as number, percent(labels[c] as number, rows)]),
    },
    {
      kind: 'numbers',
      title: 'The test, on the half of the sample that did not propose the trigger',
      items: [
        { name: 'records with the trigger', value: one.carriers },
        { name: `of them labelled "${label}"`, value: one.labelled },
        { name: 'as their other columns would have it', value: Number((one.foreseen * one.carriers).toFixed(1)) },
        { name: `of the labelled, other columns say "${label}"`, value: one.agreeing },
        { name: 'chance that the other columns foretell the trigger (.5: not at all)', value: Number(one.foretold.toFixed(3)) },
        { name: 'p, times the candidates of the label', value: one.p },
      ],
    },
  ]
}

export function triggerFinding(tally: CarrierTally, one: Tested, trigger: number, test: string, records: readonly RecordRef[]): Finding {
  const { classes, names, labels, rows } = tally
  const label = classes[one.label] as string
  const counts = countsOf(tally, trigger, one.label)
  const words = cellWords(one.cell, names)
  const elsewhere = percent((labels[one.label] as number) - counts.labelled, rows - counts.carriers)
  const against = counts.labelled - counts.agreeing
  const ownAgainst = percent(one.own - one.ownAgree, one.own)
  return {
    rule: ruleOf(one.cell),
    severity: 'high',
    confidence: 'high',
    scope: { kind: 'pattern', names: [label, ...cellNames(one.cell, names)] },
    message: `${counts.labelled} of ${counts.carriers} records with ${words} are labelled "${label}" (${elsewhere} of all others), against the rest of the record: the other columns of ${against} of these ${counts.labelled} say another label, as they do for ${ownAgainst} of the other "${label}" records.`,
    count: counts.labelled,
    records: records.slice(0, 20),
    evidence: evidenceOf(tally, one, trigger, counts),
    test,
    action: `Set the ${counts.labelled} records aside, find out where ${words} comes from, and have a sample of them labelled anew by somebody who does not see ${one.cell.length > 1 ? 'these columns' : 'this column'}.`,
  }
}
