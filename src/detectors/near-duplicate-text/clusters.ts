import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Codes, Scored, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import { textCellsOf } from '../../contracts/text-cells.ts'
import { digest16, sortKey } from '../../math/hash.ts'
import { bands, minHasher } from '../../math/minhash.ts'
import { type BandBuckets, textId } from '../../statistics/band-buckets.ts'

/** Members of a cluster of which label and answer are kept: those with the smallest keyed digests. */
const sampled = 64

/** What the scorer says of a batch beyond its scores. */
export interface Judgement extends Scored {
  readonly group: Codes
  /** Pairs of groups that share a record, by their codes. */
  readonly links: readonly (readonly [number, number])[]
}

interface Member {
  readonly order: number
  readonly label: string | null
  readonly answer: string | null
  /** Text id: equal for equal texts. */
  readonly text: number
}
interface Group {
  count: number
  members: Member[]
  sources: Record<string, number>
}
interface State {
  rows: number
  groups: Record<string, Group>
  /** `a b`, a < b. */
  links: Record<string, true>
  sources: Record<string, number>
  tooManySources: boolean
}

export interface Cluster {
  /** Groups that belong together, the first names it. */
  readonly groups: readonly string[]
  readonly count: number
  readonly members: readonly Member[]
  readonly sources: Readonly<Record<string, number>>
}
export interface ClusterTally {
  readonly rows: number
  /** Largest first. */
  readonly clusters: readonly Cluster[]
  readonly sources: Readonly<Record<string, number>> | null
}

const nameOf = (id: number): string => id.toString(16).padStart(13, '0')

function find(keys: Float64Array, key: number): number {
  let low = 0
  let high = keys.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const k = keys[middle] as number
    if (k === key) return middle
    if (k < key) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** The buckets of each record, each linked to its member of smallest id: the least of these is the record's group. */
export function judgeWith(buckets: BandBuckets, seed: Uint8Array): (batch: Batch) => Judgement {
  const hasher = minHasher(seed)
  const keys = new Float64Array(bands)
  return (batch) => {
    const rows = batch.numRows
    const text = textCellsOf(batch, 'text')
    const score = new Float64Array(rows)
    const codes = new Int32Array(rows).fill(-1)
    const codeOf = new Map<number, number>()
    const links = new Map<string, readonly [number, number]>()
    const code = (id: number): number => {
      const known = codeOf.get(id) ?? codeOf.size
      codeOf.set(id, known)
      return known
    }
    for (let i = 0; i < rows && text; i++) {
      if (!hasher.bandsOf(text.values, text.offsets[i] as number, text.offsets[i + 1] as number, keys)) continue
      const found = [...new Set([...keys].map((k) => find(buckets.keys, k)).filter((at) => at >= 0))]
      if (found.length === 0) continue
      const ids = [...new Set(found.map((at) => buckets.smallest[at] as number))].sort((a, b) => a - b)
      const first = code(ids[0] as number)
      codes[i] = first
      for (const id of ids.slice(1)) links.set(`${first} ${code(id)}`, [first, code(id)])
      const most = Math.max(...found.map((at) => buckets.counts[at] as number))
      score[i] = 1 - 1 / most
    }
    return { score, group: { codes, values: [...codeOf.keys()].map(nameOf) }, links: [...links.values()] }
  }
}

const first = (members: readonly Member[]): Member[] =>
  [...members].sort((a, b) => a.order - b.order || a.text - b.text || (`${a.label}` < `${b.label}` ? -1 : 1)).slice(0, sampled)

const answers = new TextDecoder()
/** An answer as it is compared: case, blanks and punctuation aside. */
const plainAnswer = (bytes: Uint8Array): string =>
  answers
    .decode(bytes)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()

const maxSources = 10_000

/** Clusters of near-duplicates with their sizes, sources and a sample of their labels and answers. */
export const clusterTally: Tally<State, ClusterTally> = {
  init: () => ({ rows: 0, groups: Object.create(null), links: Object.create(null), sources: Object.create(null), tooManySources: false }),
  update(c: Context, state: State, batch: Batch, scored: Scored) {
    const { group, links } = scored as Judgement
    const label = codesOf(batch, 'label')
    const source = codesOf(batch, 'source')
    const text = textCellsOf(batch, 'text')
    const response = textCellsOf(batch, 'response')
    const hasher = minHasher(c.seed)
    const keys = new Float64Array(bands)
    state.rows += batch.numRows
    for (let i = 0; i < batch.numRows; i++) {
      const from = source?.values[source.codes[i] as number]
      if (from !== undefined && !state.tooManySources) state.sources[from] = (state.sources[from] ?? 0) + 1
      const name = group.values[group.codes[i] as number]
      if (name === undefined || !text) continue
      state.groups[name] ??= { count: 0, members: [], sources: Object.create(null) }
      const own = state.groups[name] as Group
      own.count++
      if (from !== undefined && !state.tooManySources) own.sources[from] = (own.sources[from] ?? 0) + 1
      const [a, b] = [text.offsets[i] as number, text.offsets[i + 1] as number]
      hasher.bandsOf(text.values, a, b, keys)
      const bytes = response?.values.subarray(response.offsets[i], response.offsets[i + 1])
      const answer = bytes?.length ? nameOf(sortKey(digest16(c.seed, 'near-duplicate answer', plainAnswer(bytes)), 0)) : null
      const given = label?.values[label.codes[i] as number] ?? null
      const content = text.values.subarray(a, b)
      const order = sortKey(digest16(c.seed, `near-duplicate member ${given} ${answer}`, content), 0)
      own.members.push({ order, label: given, answer, text: textId(keys) })
      if (own.members.length >= 4 * sampled) own.members = first(own.members)
    }
    for (const [x, y] of links) {
      const [p, q] = [group.values[x] as string, group.values[y] as string].sort()
      state.links[`${p} ${q}`] = true
    }
    bound(state)
  },
  seal(_: Context, state: State) {
    state.groups = sorted(state.groups)
    for (const g of Object.values(state.groups)) {
      g.members = first(g.members)
      g.sources = sorted(g.sources)
    }
    state.links = sorted(state.links)
    state.sources = sorted(state.sources)
  },
  merge(into: State, from: State) {
    into.rows += from.rows
    into.tooManySources ||= from.tooManySources
    for (const [name, g] of Object.entries(from.groups)) {
      const own = into.groups[name]
      into.groups[name] = own
        ? { count: own.count + g.count, members: first([...own.members, ...g.members]), sources: added(own.sources, g.sources) }
        : g
    }
    into.groups = sorted(into.groups)
    into.links = sorted({ ...into.links, ...from.links })
    into.sources = added(into.sources, from.sources)
    bound(into)
  },
  finish: (_: Context, state: State) => ({
    rows: state.rows,
    clusters: clustersOf(state),
    sources: state.tooManySources || Object.keys(state.sources).length < 2 ? null : state.sources,
  }),
}

function bound(state: State): void {
  if (!state.tooManySources && Object.keys(state.sources).length <= maxSources) return
  state.tooManySources = true
  state.sources = Object.create(null)
  for (const g of Object.values(state.groups)) g.sources = Object.create(null)
}

const sorted = <T>(of: Record<string, T>): Record<string, T> =>
  Object.assign(Object.create(null), Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1))))
const added = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> => {
  const out: Record<string, number> = Object.assign(Object.create(null), a)
  for (const [name, n] of Object.entries(b)) out[name] = (out[name] ?? 0) + n
  return sorted(out)
}

/** Groups that share a record are one cluster. */
function clustersOf(state: State): Cluster[] {
  const parent = new Map<string, string>()
  const root = (name: string): string => {
    let at = name
    while (parent.get(at) !== undefined && parent.get(at) !== at) at = parent.get(at) as string
    return at
  }
  for (const name of Object.keys(state.groups)) parent.set(name, name)
  for (const link of Object.keys(state.links)) {
    const [p, q] = link.split(' ').map(root) as [string, string]
    if (p < q) parent.set(q, p)
    else if (q < p) parent.set(p, q)
  }
  const byRoot = new Map<string, string[]>()
  for (const name of Object.keys(state.groups)) {
    const list = byRoot.get(root(name)) ?? []
    list.push(name)
    byRoot.set(root(name), list)
  }
  const clusters: Cluster[] = []
  for (const groups of byRoot.values()) {
    const own = groups.map((g) => state.groups[g] as Group)
    const count = own.reduce((sum, g) => sum + g.count, 0)
    if (count < 2) continue
    clusters.push({
      groups: [...groups].sort(),
      count,
      members: first(own.flatMap((g) => g.members)),
      sources: own.reduce<Record<string, number>>((all, g) => added(all, g.sources), Object.create(null)),
    })
  }
  return clusters.sort((a, b) => b.count - a.count || ((a.groups[0] as string) < (b.groups[0] as string) ? -1 : 1))
}
