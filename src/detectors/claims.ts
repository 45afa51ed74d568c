import { z } from 'zod'
import { codesOf, column, rowsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Conclusion, Detector, Flagged, Scored, Tally } from '../contracts/detector.ts'
import type { Evidence, Finding } from '../contracts/finding.ts'
import type { Context } from '../contracts/statistic.ts'
import { claimCounts, claimRoles, eachClaims } from '../statistics/claim-counts.ts'
import { type ClaimTable, claimTable, claimTableId } from '../statistics/claim-table.ts'
import { claimFinder, sameValue } from '../statistics/claims/extract.ts'
import { defaultUnits, type Units } from '../statistics/claims/units.ts'
import { type Alarm, alarmsOf } from './claims/alarms.ts'
import { readTable, type Vouched } from './claims/table.ts'

const vouched = z.object({
  subject: z.string(),
  measures: z.string(),
  relations: z.array(z.string()),
  values: z.array(z.number()),
})

const claimsOptions = z
  .strictObject({
    /** CSV of subject, relation, object, value, unit that the owner vouches for; relative to the pipeline file. */
    table: z.union([z.string(), z.array(vouched)]).optional(),
    /** Records that have to state a value before it counts as repeated. */
    records: z.int().min(2).max(100).default(5),
    /** How many times larger or smaller than the consensus or the table a value has to be. */
    factor: z.number().gt(1).default(2),
    /** More units, by name in lower case: what they measure, and how much of it. */
    units: z
      .record(z.string().min(1).max(30), z.strictObject({ measures: z.string().min(1).max(30), factor: z.number().gt(0) }))
      .default({}),
  })
  .transform(({ table, ...rest }, context) => {
    const units: Units = { ...defaultUnits, ...rest.units }
    if (typeof table !== 'string') return { ...rest, table: (table ?? []) as readonly Vouched[] }
    try {
      return { ...rest, table: readTable(table, units) }
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['table'], message: (error as Error).message })
      return z.NEVER
    }
  })
type Options = z.infer<typeof claimsOptions>

const unitsOf = (options: Options): Units => ({ ...defaultUnits, ...options.units })
const parts = (options: Options) => ({ units: unitsOf(options), cells: 2 ** 21, size: 60_000, least: options.records })

interface State {
  rows: number
  /** Records that state an alarm's value of its subject, by alarm and source. */
  stating: Record<string, Record<string, number>>
}
interface ClaimsTally {
  readonly rows: number
  readonly stating: Readonly<Record<string, Readonly<Record<string, number>>>>
}

const noSource = ''
const sorted = <T>(of: Record<string, T>): Record<string, T> =>
  Object.assign(Object.create(null), Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1))))

const tally: Tally<State, ClaimsTally> = {
  init: () => ({ rows: 0, stating: Object.create(null) }),
  update(_: Context, state: State, batch: Batch, { group }: Scored) {
    const source = codesOf(batch, 'source')
    state.rows += batch.numRows
    for (let i = 0; i < batch.numRows; i++) {
      const name = group?.values[group.codes[i] as number]
      if (name === undefined) continue
      state.stating[name] ??= Object.create(null) as Record<string, number>
      const own = state.stating[name]
      const from = source?.values[source.codes[i] as number] ?? noSource
      own[from] = (own[from] ?? 0) + 1
    }
  },
  seal(_: Context, state: State) {
    for (const name of Object.keys(state.stating)) state.stating[name] = sorted(state.stating[name] ?? {})
    state.stating = sorted(state.stating)
  },
  merge(into: State, from: State) {
    into.rows += from.rows
    for (const [name, counts] of Object.entries(from.stating)) {
      into.stating[name] ??= Object.create(null) as Record<string, number>
      const own = into.stating[name]
      for (const [source, n] of Object.entries(counts)) own[source] = (own[source] ?? 0) + n
      into.stating[name] = sorted(own)
    }
    into.stating = sorted(into.stating)
  },
  finish: (_: Context, state: State) => state,
}

interface Quoted {
  readonly order: string
  readonly alarm: string
  readonly where: string
  readonly text: string
}
const quotedMost = 5
const firstQuoted = (list: readonly Quoted[]): Quoted[] => [...list].sort((a, b) => (a.order < b.order ? -1 : 1)).slice(0, quotedMost)

/** A few records of each alarm, those with the smallest ids. */
const evidence: Tally<Record<string, Quoted[]>, Readonly<Record<string, readonly Quoted[]>>> = {
  init: () => Object.create(null),
  update(_: Context, state, batch: Batch, { group }: Scored) {
    const ids = column(batch, 'id')
    const rows = rowsOf(batch)
    for (let i = 0; i < batch.numRows; i++) {
      const alarm = group?.values[group.codes[i] as number]
      if (alarm === undefined) continue
      const id = ids?.get(i) as string | null | undefined
      const where = id ?? `row ${rows[i]}`
      const text = claimRoles.map((role) => (column(batch, role)?.get(i) as string | null | undefined) ?? '').join('\n\n')
      const quoted = { order: `${where}\t${text.slice(0, 100)}`, alarm, where, text: text.slice(0, 20_000) }
      state[alarm] = firstQuoted([...(state[alarm] ?? []), quoted])
    }
  },
  merge(into, from) {
    for (const [alarm, list] of Object.entries(from)) into[alarm] = firstQuoted([...(into[alarm] ?? []), ...list])
  },
  finish: (_: Context, state) => state,
}

const alarmsIn = (c: Context<Options>): readonly Alarm[] =>
  alarmsOf(c.summaries.get<ClaimTable>(claimTableId(parts(c.options))).entries, c.options.table, c.options)

const flagScore = 0.9
const most = 10

/**
 * Numbers that many records state of a subject and that the owner's table, or all the other records, contradict (after Alber et al.
 * 2024, Medical large language models are vulnerable to data-poisoning attacks).
 */
export const claims: Detector<Options, ClaimsTally, Readonly<Record<string, readonly Quoted[]>>> = {
  id: 'claims',
  version: 1,
  title: 'Repeated claims',
  rules: [
    { id: 'claims/contradicted', title: 'Repeated value that the owner\u2019s table contradicts', family: 'data-provenance' },
    { id: 'claims/deviating', title: 'Repeated value far from the consensus of the corpus', family: 'data-provenance' },
  ],
  options: claimsOptions as unknown as { parse(input: unknown): Options },
  missing: (setup) => (claimRoles.some((role) => setup.subject.includes(role)) ? null : 'no column has the role text or response'),
  mode: (options) =>
    options.table.length > 0
      ? `the owner's table of ${options.table.length} subjects, and the consensus of the corpus`
      : 'the consensus of the corpus',
  reads: (_, setup) => ['source', ...claimRoles.filter((role) => setup.subject.includes(role))],
  statistics: (options) => [claimCounts({ units: unitsOf(options), cells: parts(options).cells }), claimTable(parts(options))],
  scorer(c) {
    const alarms = alarmsIn(c)
    const byValue = new Map<string, { readonly code: number; readonly subjects: ReadonlySet<string> }[]>()
    alarms.forEach((a, code) => {
      const key = `${a.value} ${a.measures}`
      byValue.set(key, [...(byValue.get(key) ?? []), { code, subjects: new Set(a.subjects) }])
    })
    const find = claimFinder(unitsOf(c.options))
    return (batch) => {
      const score = new Float64Array(batch.numRows)
      const codes = new Int32Array(batch.numRows).fill(-1)
      if (alarms.length > 0)
        eachClaims(batch, find, (i, found) => {
          for (const claim of found) {
            const hit = byValue
              .get(`${sameValue(claim.value)} ${claim.measures}`)
              ?.find((a) => claim.subjects.some((s) => a.subjects.has(s)))
            if (!hit) continue
            score[i] = flagScore
            codes[i] = hit.code
            return
          }
        })
      return { score, group: { codes, values: alarms.map((a) => a.name) } }
    }
  },
  tally,
  decide: (c) => alarmsIn(c).map((a) => ({ rule: `claims/${a.kind}`, group: a.name, atLeast: flagScore })),
  evidence,
  evidenceReads: [...claimRoles],
  conclude(c, counted, quoted, flagged): Conclusion {
    const alarms = alarmsIn(c)
    const { entries, limited } = c.summaries.get<ClaimTable>(claimTableId(parts(c.options)))
    const notes = [`${entries.length} words and pairs of words stand beside amounts in ${c.options.records} records or more.`]
    if (limited) notes.push('More subjects repeat than are kept: a keyed sample of them was compared.')
    if (alarms.length > most) notes.push(`${alarms.length} repeated values were found; the ${most} in most records are shown.`)
    return { findings: alarms.slice(0, most).map((a) => findingOf(a, counted, quoted ?? {}, flagged)), tests: [], notes }
  },
}

function findingOf(alarm: Alarm, counted: ClaimsTally, quoted: Readonly<Record<string, readonly Quoted[]>>, flagged: Flagged): Finding {
  const sources = Object.entries(counted.stating[alarm.name] ?? {}).sort((a, b) => b[1] - a[1])
  const count = sources.reduce((sum, [, n]) => sum + n, 0)
  const said = `${count} of ${counted.rows} records state ${alarm.value} ${alarm.measures} of "${alarm.subjects[0]}"`
  const range = alarm.low === alarm.high ? `${alarm.low}` : `${alarm.low} to ${alarm.high}`
  const message =
    alarm.kind === 'contradicted'
      ? `${said}; the owner's table says ${range} ${alarm.measures}.`
      : `${said}; ${alarm.others} other records say ${alarm.right} ${alarm.measures} in the middle, ${range} in all.`
  const items = (quoted[alarm.name] ?? []).map((q) => passageOf(q, alarm))
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
    shown.push({ kind: 'table', title: 'Records that state it, by source', columns: ['source', 'records'], rows: known.slice(0, most) })
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
