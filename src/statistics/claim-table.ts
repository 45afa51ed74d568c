import { codesOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { textCellsOf } from '../contracts/text-cells.ts'
import { digest16, shortDigest, sortKey } from '../math/hash.ts'
import { type ClaimOptions, claimCell, claimCountsId, claimRoles, eachClaims } from './claim-counts.ts'
import { claimFinder, sameValue } from './claims/extract.ts'

export interface TableOptions extends ClaimOptions {
  /** Subjects kept, those with the smallest keyed digests. */
  readonly size: number
  /** Records in which a subject has to stand. */
  readonly least: number
}

/** What records say of one subject: of each record in the sample, its values. */
export interface ClaimEntry {
  readonly subject: string
  readonly measures: string
  readonly records: readonly Said[]
}
export interface Said {
  /** Keyed digest of the content: equal texts are one record. */
  readonly order: number
  readonly values: readonly number[]
  readonly source: string | null
}
interface Entry {
  order: number
  records: Said[]
}
interface State {
  entries: Record<string, Entry>
  limited: boolean
}
export interface ClaimTable {
  readonly entries: readonly ClaimEntry[]
  readonly limited: boolean
}

/** Records kept of a subject: those with the smallest keyed digests. */
export const keptRecords = 128

export const claimTableId = (o: TableOptions): string => `claim-table/${shortDigest(o as never)}`

const firstSaid = (records: readonly Said[]): Said[] => {
  const by = new Map<number, Said>()
  for (const r of records) {
    const known = by.get(r.order)
    if (!known || `${r.source}` < `${known.source}`) by.set(r.order, r)
  }
  return [...by.values()].sort((a, b) => a.order - b.order).slice(0, keptRecords)
}

function trim(state: State, size: number): void {
  const all = Object.entries(state.entries)
  if (all.length <= size) return
  state.limited = true
  all.sort(([a, x], [b, y]) => x.order - y.order || (a < b ? -1 : 1))
  state.entries = Object.assign(Object.create(null), Object.fromEntries(all.slice(0, size)))
}

const sorted = (entries: Record<string, Entry>): Record<string, Entry> =>
  Object.assign(Object.create(null), Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))))

/** The values that records state of each subject which stands in several of them, by a bounded keyed sample of records a subject. */
export function claimTable(options: TableOptions): Statistic<State, ClaimTable> {
  const { cells, units, size, least } = options
  const find = claimFinder(units)
  return {
    id: claimTableId(options),
    version: 1,
    needs: [],
    after: [claimCountsId(options)],
    over: 'subject',
    init: () => ({ entries: Object.create(null), limited: false }),
    update(c: Context, state: State, batch: Batch) {
      const { counts } = c.summaries.get<{ counts: Uint32Array }>(claimCountsId(options))
      const source = codesOf(batch, 'source')
      const columns = claimRoles.map((role) => textCellsOf(batch, role)).filter((x) => x !== null)
      eachClaims(batch, find, (i, claims) => {
        const bytes = Buffer.concat(columns.map(({ values, offsets }) => values.subarray(offsets[i], offsets[i + 1])))
        const order = sortKey(digest16(c.seed, 'claim record', bytes), 0)
        const from = source?.values[source.codes[i] as number] ?? null
        const said = new Map<string, Set<number>>()
        for (const claim of claims) {
          for (const subject of claim.subjects) {
            if ((counts[claimCell(subject, claim.measures, cells)] as number) < least) continue
            const key = `${subject}\t${claim.measures}`
            const values = said.get(key) ?? new Set()
            said.set(key, values.add(sameValue(claim.value)))
          }
        }
        for (const [key, values] of said) {
          state.entries[key] ??= { order: sortKey(digest16(c.seed, 'claim subject', key), 0), records: [] }
          const entry = state.entries[key]
          entry.records.push({ order, values: [...values].sort((a, b) => a - b), source: from })
          if (entry.records.length >= 2 * keptRecords) entry.records = firstSaid(entry.records)
        }
      })
      if (Object.keys(state.entries).length > 1.25 * size) trim(state, size)
    },
    seal(_: Context, state: State) {
      trim(state, size)
      state.entries = sorted(state.entries)
      for (const e of Object.values(state.entries)) e.records = firstSaid(e.records)
    },
    merge(into: State, from: State) {
      into.limited ||= from.limited
      for (const [key, e] of Object.entries(from.entries)) {
        const own = into.entries[key]
        into.entries[key] = own ? { order: own.order, records: firstSaid([...own.records, ...e.records]) } : e
      }
      trim(into, size)
      into.entries = sorted(into.entries)
    },
    finish: (_: Context, state: State) => ({
      entries: Object.entries(state.entries)
        .filter(([, e]) => e.records.length >= least)
        .map(([key, e]) => {
          const [subject, measures] = key.split('\t') as [string, string]
          return { subject, measures, records: e.records }
        }),
      limited: state.limited,
    }),
    bytes: () => size * 2000,
  }
}
