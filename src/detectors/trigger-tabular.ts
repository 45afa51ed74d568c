import type { Conclusion, Detector, Flagged, Setup, Threshold } from '../contracts/detector.ts'
import type { Finding, Test } from '../contracts/finding.ts'
import type { Context } from '../contracts/statistic.ts'
import type { Tested } from '../statistics/column-triggers/confirm.ts'
import { type ColumnTriggers, columnTriggers, columnTriggersId, mostColumns } from '../statistics/column-triggers.ts'
import { agreeing, contradicting, findCarriers } from './trigger-tabular/carriers.ts'
import { countsOf, triggerFinding } from './trigger-tabular/finding.ts'
import { type TriggerTabularOptions, triggerTabularOptions } from './trigger-tabular/options.ts'
import { type CarrierTally, carrierTally } from './trigger-tabular/tally.ts'
import { cellWords, groupName, ruleOf, withTexts } from './trigger-tabular/words.ts'

const partOf = ({ sample }: TriggerTabularOptions) => ({ sample })

const searched = (c: Context<TriggerTabularOptions>): ColumnTriggers => c.summaries.get<ColumnTriggers>(columnTriggersId(partOf(c.options)))

/** Triggers that count: the others are tests alone. */
const triggersOf = (c: Context<TriggerTabularOptions>, { tested }: ColumnTriggers): readonly Tested[] =>
  tested.filter(({ p }) => p < c.options.level)

/** Where more of the labelled records than this are such that their other columns agree, only the others are flagged. */
const mostAgreeing = 0.3

/**
 * A value, an interval or a pair of values of columns that selects a label against the rest of the record: association and
 * contradiction on a held-out half (the test for text of the trigger detectors, on columns of numbers and of categories).
 */
export const triggerTabular: Detector<TriggerTabularOptions, CarrierTally, null> = {
  id: 'trigger-tabular',
  version: 2,
  title: 'Triggers in columns',
  rules: [
    { id: 'trigger-tabular/pair', title: 'Pair of column values that selects a label against the rest of the record', family: 'trigger' },
    {
      id: 'trigger-tabular/value',
      title: 'Column value or interval that selects a label against the rest of the record',
      family: 'trigger',
    },
  ],
  options: triggerTabularOptions,
  missing({ subject, shape }: Setup) {
    if (!subject.includes('label')) return 'no column has the role label'
    if (!subject.includes('features') && !subject.includes('categories')) return 'no columns have the role features or categories'
    const columns = (subject.includes('embedding') ? 0 : shape.dims) + (shape.categories ?? 0)
    if (columns > mostColumns) return `${columns} columns: at most ${mostColumns} are searched`
    return null
  },
  mode: ({ sample }) => `values, intervals and pairs of columns on a sample of at most ${sample} records`,
  reads: (_, { subject }) => ['label', ...(['features', 'categories'] as const).filter((role) => subject.includes(role))],
  statistics: (options) => [columnTriggers(partOf(options))],
  scorer(c) {
    const summary = searched(c)
    const triggers = triggersOf(c, summary)
    return (batch) => findCarriers(batch, c.seed, summary.classes, triggers)
  },
  tally: carrierTally,
  decide(c, tally): readonly Threshold[] {
    return triggersOf(c, searched(c)).map(({ cell, label }, t) => {
      const counts = countsOf(tally, t, label)
      const atLeast = counts.agreeing > mostAgreeing * counts.labelled ? contradicting : agreeing
      return { rule: ruleOf(cell), group: groupName(t), atLeast }
    })
  },
  conclude,
}

function conclude(c: Context<TriggerTabularOptions>, tally: CarrierTally, _: null, flagged: Flagged): Conclusion {
  const summary = searched(c)
  if (summary.reason !== null) return { findings: [], tests: [], notes: [`Not searched: ${summary.reason}.`] }
  const method = 'binomial tests of association and of contradiction on a held-out half, times the candidates of the label'
  const labelTest = (t: number): string => `trigger-tabular: label ${summary.classes[t]}`
  const tests: Test[] = summary.classes.map((_name, t) => ({ id: labelTest(t), method, p: summary.smallest[t] as number }))
  const told = new Set<number>()
  const findings: Finding[] = triggersOf(c, summary).map((found, t) => {
    const one = { ...found, cell: withTexts(found.cell, tally.texts.slice(2 * t, 2 * t + 2)) }
    let id = labelTest(one.label)
    if (told.has(one.label)) {
      id = `${id}, ${cellWords(one.cell, tally.names)}`
      tests.push({ id, method, p: one.p })
    }
    told.add(one.label)
    return triggerFinding(
      tally,
      one,
      t,
      id,
      flagged.top.filter((record) => record.group === groupName(t)),
    )
  })
  return {
    findings,
    tests,
    notes: [
      ...ownWayNote(summary.varied, tally.names),
      `Searched a sample of ${summary.rows} records; ${summary.count} candidates were tested. All columns together say the label of ${(100 * summary.accuracy).toFixed(1)} % of it.`,
    ],
  }
}

const mostNamed = 8

function ownWayNote(varied: readonly number[], names: readonly string[]): string[] {
  if (varied.length === 0) return []
  const shown = varied.slice(0, mostNamed).map((j) => JSON.stringify(names[j] ?? `column ${j + 1}`))
  const more = varied.length > mostNamed ? ` and ${varied.length - mostNamed} more` : ''
  return [
    `Several values select labels against the rest of the record in ${shown.join(', ')}${more}: that is how these columns are made, and a trigger among their values is not told from it.`,
  ]
}
