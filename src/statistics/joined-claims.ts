import { codesOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { textCellsOf } from '../contracts/text-cells.ts'
import { digest16, shortDigest, sortKey } from '../math/hash.ts'
import { combine, type Tokeniser, tokeniser } from '../math/tokens.ts'
import { claimRoles } from './claim-counts.ts'
import { type Joined, type Joining, joiningFinder } from './claims/relations.ts'

export interface JoinedOptions {
  readonly table: readonly Joined[]
  /** Claims kept that the table does not support, those with the smallest keyed digests. */
  readonly size: number
}

/** A claim that the table does not support, and where it stands. */
export interface JoinedClaim {
  readonly subject: string
  readonly relation: string
  readonly object: string
  readonly kind: 'unsupported' | 'contradicted'
  /** Records with different texts around it, in a keyed sample of at most `keptRecords`. */
  readonly documents: number
  /** Records that say of the subject what the table says, by the same relation. */
  readonly supported: number
  readonly sources: readonly string[]
}

export interface JoinedClaims {
  /** Sentences that join a subject and an object of the table. */
  readonly joined: number
  readonly supported: number
  readonly claims: readonly JoinedClaim[]
  readonly limited: boolean
}

interface Said {
  /** Keyed digest of the record. */
  readonly order: number
  /** The smallest keyed hash of three tokens in a row of the rest of the record: copies with few changes have the same. */
  readonly kin: number
  readonly source: string | null
}
interface Entry {
  readonly order: number
  readonly kind: 'unsupported' | 'contradicted'
  said: Said[]
}
interface State {
  joined: number
  supported: number
  entries: Record<string, Entry>
  /** Records with a supported claim, by subject and relation. */
  supporting: Record<string, number>
  limited: boolean
}

export const keptRecords = 128

export const joinedClaimsId = (o: JoinedOptions): string => `joined-claims/${shortDigest(o as never)}`

/** Calls `visit` with the claims of each record, in every role that holds text, and its texts. */
export function eachJoining(
  batch: Batch,
  find: (text: string) => Joining[],
  visit: (i: number, texts: readonly string[], found: readonly (readonly Joining[])[]) => void,
): void {
  const columns = claimRoles.map((role) => textCellsOf(batch, role)).filter((c) => c !== null)
  for (let i = 0; i < batch.numRows; i++) {
    const texts = columns.map(({ values, offsets }) => {
      const [from, to] = [offsets[i] as number, offsets[i + 1] as number]
      return Buffer.from(values.buffer, values.byteOffset + from, to - from).toString('utf8')
    })
    const found = texts.map(find)
    if (found.some((list) => list.length > 0)) visit(i, texts, found)
  }
}

export const keyOf = ({ subject, relation, object }: Pick<Joining, 'subject' | 'relation' | 'object'>): string =>
  `${subject}\t${relation}\t${object}`

function kinOf(read: Tokeniser, rest: string): number | null {
  const bytes = Buffer.from(rest)
  const { hashes, count } = read.read(bytes, 0, bytes.length)
  let least: number | null = null
  for (let i = 2; i < count; i++) {
    const three = combine(combine(hashes[i - 2] as number, hashes[i - 1] as number), hashes[i] as number) >>> 0
    if (least === null || three < least) least = three
  }
  return least
}

const firstSaid = (said: readonly Said[]): Said[] => {
  const by = new Map<number, Said>()
  for (const s of said) {
    const known = by.get(s.order)
    if (!known || `${s.source}` < `${known.source}`) by.set(s.order, s)
  }
  return [...by.values()].sort((a, b) => a.order - b.order).slice(0, keptRecords)
}

const sorted = <T>(of: Record<string, T>): Record<string, T> =>
  Object.assign(Object.create(null), Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1))))

function trim(state: State, size: number): void {
  const all = Object.entries(state.entries)
  if (all.length <= size) return
  state.limited = true
  all.sort(([a, x], [b, y]) => x.order - y.order || (a < b ? -1 : 1))
  state.entries = Object.assign(Object.create(null), Object.fromEntries(all.slice(0, size)))
}

/** Claims that join subjects and objects of an owner's table, and of those that it does not support the records that state them. */
export function joinedClaims(options: JoinedOptions): Statistic<State, JoinedClaims> {
  const { table, size } = options
  const find = joiningFinder(table)
  return {
    id: joinedClaimsId(options),
    version: 1,
    needs: [],
    after: [],
    over: 'subject',
    init: () => ({ joined: 0, supported: 0, entries: Object.create(null), supporting: Object.create(null), limited: false }),
    update(c: Context, state: State, batch: Batch) {
      const source = codesOf(batch, 'source')
      const read = tokeniser(c.seed)
      eachJoining(batch, find, (i, texts, found) => {
        const order = sortKey(digest16(c.seed, 'claim record', Buffer.from(texts.join('\0'))), 0)
        const from = source?.values[source.codes[i] as number] ?? null
        const done = new Set<string>()
        for (const [column, list] of found.entries()) {
          for (const claim of list) {
            state.joined++
            if (claim.kind === 'supported') state.supported++
            const key = claim.kind === 'supported' ? `${claim.subject}\t${claim.relation}` : keyOf(claim)
            if (done.has(key)) continue
            done.add(key)
            if (claim.kind === 'supported') {
              state.supporting[key] = (state.supporting[key] ?? 0) + 1
              continue
            }
            const rest = texts.map((t, k) => (k === column ? `${t.slice(0, claim.from)} ${t.slice(claim.to)}` : t)).join(' ')
            state.entries[key] ??= { order: sortKey(digest16(c.seed, 'joined claim', key), 0), kind: claim.kind, said: [] }
            const entry = state.entries[key]
            entry.said.push({ order, kin: kinOf(read, rest) ?? order, source: from })
            if (entry.said.length >= 4 * keptRecords) entry.said = firstSaid(entry.said)
          }
        }
      })
      if (Object.keys(state.entries).length > 2 * size) trim(state, size)
    },
    seal(_: Context, state: State) {
      trim(state, size)
      state.entries = sorted(state.entries)
      state.supporting = sorted(state.supporting)
      for (const e of Object.values(state.entries)) e.said = firstSaid(e.said)
    },
    merge(into: State, from: State) {
      into.joined += from.joined
      into.supported += from.supported
      into.limited ||= from.limited
      for (const [key, e] of Object.entries(from.entries)) {
        const own = into.entries[key]
        into.entries[key] = own ? { ...own, said: firstSaid([...own.said, ...e.said]) } : e
      }
      for (const [key, n] of Object.entries(from.supporting)) into.supporting[key] = (into.supporting[key] ?? 0) + n
      trim(into, size)
      into.entries = sorted(into.entries)
      into.supporting = sorted(into.supporting)
    },
    finish: (_: Context, state: State) => ({
      joined: state.joined,
      supported: state.supported,
      limited: state.limited,
      claims: Object.entries(state.entries).map(([key, e]) => {
        const [subject, relation, object] = key.split('\t') as [string, string, string]
        return {
          subject,
          relation,
          object,
          kind: e.kind,
          documents: new Set(e.said.map((s) => s.kin)).size,
          supported: state.supporting[`${subject}\t${relation}`] ?? 0,
          sources: [...new Set(e.said.flatMap((s) => (s.source === null ? [] : [s.source])))].sort(),
        }
      }),
    }),
    bytes: () => size * 2000,
  }
}
