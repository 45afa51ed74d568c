import type { Flagged, Threshold } from '../../contracts/detector.ts'
import type { Evidence, Finding, Test } from '../../contracts/finding.ts'
import { classMap } from './evidence.ts'
import type { Parted, SuspicionTally } from './suspicion.ts'

/** A class as a fit leaves it, as far as the test of its parts goes. */
export interface TestedClass {
  readonly name: string
  readonly rows: number
  readonly isolated: { readonly p: number } | null
  readonly points: Float64Array
}

/** After Bonferroni over the classes: below it, the records beyond the gap are flagged. */
const level = 0.01

export const method =
  'one-sided exact binomial test that a tail rises again, on the half of the class that did not choose the place, Bonferroni over both halves'

export const testId = (rule: string, name: string): string => `${rule}: ${name}`

export const testsOf = (rule: string, classes: readonly TestedClass[]): Test[] =>
  classes.map(({ name, isolated }) => ({ id: testId(rule, name), method, p: isolated?.p ?? 1 }))

export const standsApart = (c: TestedClass, classes: readonly TestedClass[]): boolean =>
  c.isolated !== null && c.isolated.p * classes.length <= level

/** Why a part is no evidence of poison by itself. */
const harmless: Readonly<Record<Parted, string>> = {
  words: ' The vectors count the words of the texts, and texts of one template look like this: no record is flagged for it.',
  columns: ' The vectors are columns of the data, and records that share a frequent value look like this: no record is flagged for it.',
}

/** Records of a part are flagged, but not where vectors count words or are columns: templates and frequent values are no reason to drop thousands. */
export const partsFlagged = (rule: string, tally: SuspicionTally): Threshold[] =>
  tally.parted ? [] : Object.keys(tally.groups).map((group) => ({ rule, group, atLeast: 0 }))

/** One finding a class of which a part stands apart. */
export function apartFindings(
  rule: string,
  classes: readonly TestedClass[],
  tally: SuspicionTally,
  flagged: Flagged,
  more: (c: TestedClass) => readonly Evidence[],
): Finding[] {
  return classes
    .filter((c) => standsApart(c, classes) && (tally.groups[c.name] ?? 0) > 0)
    .map((c) => {
      const count = tally.groups[c.name] as number
      const members = tally.members.filter((s) => s.group === c.name)
      return {
        rule,
        severity: tally.parted ? ('low' as const) : ('medium' as const),
        confidence: tally.parted ? ('low' as const) : ('medium' as const),
        scope: { kind: 'class' as const, names: [c.name] },
        message: `${count} records of class "${c.name}" stand apart from the rest of it in embedding space: past a gap, they are more than the tail of one kind of record can be.${tally.parted ? harmless[tally.parted] : ''}`,
        count,
        records: flagged.top.filter((r) => r.group === c.name).slice(0, 20),
        evidence: [
          {
            kind: 'numbers' as const,
            title: 'The part that stands apart',
            items: [
              { name: 'records that stand apart', value: count },
              { name: 'different records of the class in the sample', value: c.rows },
              { name: 'p before correction', value: c.isolated?.p ?? 1 },
            ],
          },
          ...more(c),
          classMap(`Map of class "${c.name}"`, c.points, members, 'stand apart'),
        ],
        test: testId(rule, c.name),
        action: `Look at the records of class "${c.name}" that stand apart: a rare kind of record, or planted ones? Train with and without them before you keep them.`,
      }
    })
}

export const leftNote = (judged: number, left: number, rows: number): string =>
  `${judged} classes were judged on a sample of ${rows} records of different content${left > 0 ? `; ${left} have fewer than 100 of them, or are not among the largest 500` : ''}.`
