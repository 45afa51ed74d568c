import { codesOf, keysOf, type Matrix, matrixOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { compareDigests, shortDigest } from '../math/hash.ts'
import { mapVectors, type SpaceMap, spaceMap } from './embedding/space.ts'
import { StatisticError } from './label-census.ts'

/** A uniform sample of the records of each class, in a space of at most 64 dimensions. */
export interface VectorSample {
  /** Records read, copies included. */
  readonly seen: number
  readonly map: SpaceMap
  /** [rows, map.dims], ordered by class and digest. */
  readonly vectors: Float32Array
  readonly rows: number
  /** Sorted by code units. */
  readonly classes: readonly string[]
  /** Codes into `classes`; -1 where the record has no label. */
  readonly labels: Int32Array
  /** [rows, 16] keyed digests of the contents. */
  readonly contents: Uint8Array
  /** Records of the class with this very content, at least 1. */
  readonly counts: Float64Array
  /** Every record of the data is in it. */
  readonly complete: boolean
}

interface Chunk {
  /** Class and content of each row; `classes` has no name twice. */
  classes: string[]
  /** -1: no label. */
  labels: Int32Array
  contents: Uint8Array
  counts: Float64Array
  vectors: Float32Array | Float64Array
}

interface State {
  dims: number
  seen: number
  /** Contents kept of each class: those with the smallest digests. */
  level: number
  chunks: Chunk[]
}

export interface VectorSampleOptions {
  readonly over: 'subject' | 'reference'
  /** At most so many different contents. */
  readonly size: number
  /** Of that size however many records there are: nothing is compared with all of it. */
  readonly whole?: boolean
}

const maxBytes = 256 * 2 ** 20
const maxClasses = 10_000
/** Rows times sampled rows: what finding the neighbours of everything may cost. */
const work = 5e10
const leastSize = 5000
const slack = 1.25

/** What a record is compared with: fewer where the data are so many that comparing all with the full sample would take minutes. */
export const sizeFor = (size: number, rows: number): number =>
  rows <= size ? size : Math.min(size, Math.max(leastSize, Math.floor(work / rows)))

/**
 * Of each class the different contents with the smallest keyed digests, and how often each occurs. All classes keep equally many
 * at most, as many as make `size` together: all records where there are fewer. Bottom-k (Cohen and Kaplan 2007) under a level
 * that falls as records come, so that states merge in any order.
 * @throws StatisticError `too-many-labels`, `vector-size`
 */
export function vectorSample({ over, size, whole = false }: VectorSampleOptions): Statistic<State, VectorSample | null> {
  return {
    id: `vector-sample/${shortDigest({ over, size, ...(whole ? { whole } : {}) })}`,
    version: 1,
    needs: [],
    after: [],
    over,
    keyed: true,
    init: () => ({ dims: 0, seen: 0, level: Number.MAX_SAFE_INTEGER, chunks: [] }),
    update(_: Context, state: State, batch: Batch) {
      const vectors = (matrixOf(batch, 'embedding') ?? matrixOf(batch, 'features')) as Matrix | null
      const contents = keysOf(batch, 'content')
      if (!vectors || !contents || vectors.rows === 0) return
      setDims(state, vectors.dims)
      state.seen += vectors.rows
      const chunk = chunkOf(batch, vectors, contents, bounds.get(state))
      if (chunk.labels.length === 0) return
      state.chunks.push(chunk)
      const held = state.chunks.reduce((sum, c) => sum + c.labels.length, 0)
      if (held > slack * capacity(state, size)) keep(state, size)
    },
    seal: (_: Context, state: State) => keep(state, size),
    merge(into: State, from: State) {
      if (from.dims === 0) return
      setDims(into, from.dims)
      into.seen += from.seen
      into.level = Math.min(into.level, from.level)
      into.chunks = [...into.chunks, ...from.chunks]
      keep(into, size)
    },
    async finish(_: Context, state: State) {
      const complete = state.level === Number.MAX_SAFE_INTEGER
      keep(state, complete || whole ? size : sizeFor(size, state.seen))
      const all = state.chunks[0]
      if (!all) return null
      const matrix: Matrix = { data: all.vectors, rows: all.labels.length, dims: state.dims }
      const map = await spaceMap(matrix, all.vectors instanceof Float32Array)
      return {
        seen: state.seen,
        map,
        vectors: await mapVectors(map, matrix),
        rows: matrix.rows,
        classes: all.classes,
        labels: all.labels,
        contents: all.contents,
        counts: all.counts,
        complete,
      }
    },
    bytes: (shape: Shape) => Math.min(size * shape.dims * 8, maxBytes) * slack + size * 64,
  }
}

function setDims(state: State, dims: number): void {
  if (state.dims !== 0 && state.dims !== dims)
    throw new StatisticError(
      'vector-size',
      `vectors of ${state.dims} and of ${dims} values in one data set`,
      2,
      {},
      'audit them separately',
    )
  state.dims = dims
}

const capacity = (state: State, size: number): number => {
  const width = state.chunks[0]?.vectors.BYTES_PER_ELEMENT ?? 4
  return Math.max(1, Math.min(size, Math.floor(maxBytes / (state.dims * width))))
}

/** The largest digest kept of each class that is full: larger ones need not be looked at. Key -1: no label. */
const bounds = new WeakMap<State, ReadonlyMap<string | -1, Uint8Array>>()

/** Embeddings in single precision, columns of numbers as they are. */
function chunkOf(batch: Batch, vectors: Matrix, contents: Uint8Array, full: ReadonlyMap<string | -1, Uint8Array> | undefined): Chunk {
  const label = codesOf(batch, 'label')
  const limits = label?.values.map((name) => full?.get(name))
  const rows: number[] = []
  for (let i = 0; i < vectors.rows; i++) {
    const code = label ? (label.codes[i] as number) : -1
    const limit = code < 0 ? full?.get(-1) : limits?.[code]
    if (!limit || compareDigests(contents, i * 16, limit, 0) <= 0) rows.push(i)
  }
  const { dims } = vectors
  const taken = matrixOf(batch, 'embedding') ? new Float32Array(rows.length * dims) : new Float64Array(rows.length * dims)
  const digests = new Uint8Array(rows.length * 16)
  rows.forEach((row, i) => {
    taken.set(vectors.data.subarray(row * dims, (row + 1) * dims), i * dims)
    digests.set(contents.subarray(row * 16, (row + 1) * 16), i * 16)
  })
  return {
    classes: [...(label?.values ?? [])],
    labels: Int32Array.from(rows, (row) => (label ? (label.codes[row] as number) : -1)),
    contents: digests,
    counts: new Float64Array(rows.length).fill(1),
    vectors: taken,
  }
}

interface Row {
  readonly chunk: Chunk
  readonly at: number
  /** Place of the class among all names, -1 without a label. */
  readonly label: number
}

function namesIn(chunks: readonly Chunk[]): string[] {
  const used = new Set<string>()
  for (const c of chunks) for (const code of new Set(c.labels)) if (code >= 0) used.add(c.classes[code] as string)
  if (used.size > maxClasses)
    throw new StatisticError('too-many-labels', `the label column has more than ${maxClasses} different values`, 2, { column: 'label' })
  return [...used].sort()
}

/** One chunk, ordered by class and digest, equal contents of a class joined, cut to the level. */
function keep(state: State, size: number): void {
  if (state.chunks.length === 0) return
  const classes = namesIn(state.chunks)
  const place = new Map(classes.map((name, i) => [name, i]))
  const rows: Row[] = state.chunks.flatMap((chunk) => {
    const map = chunk.classes.map((name) => place.get(name) ?? -1)
    return Array.from(chunk.labels, (code, at) => ({ chunk, at, label: code < 0 ? -1 : (map[code] as number) }))
  })
  rows.sort((a, b) => a.label - b.label || compareDigests(a.chunk.contents, a.at * 16, b.chunk.contents, b.at * 16))
  const distinct: Row[] = []
  const counts: number[] = []
  const sizes = new Float64Array(classes.length + 1)
  for (const row of rows) {
    const last = distinct.at(-1)
    const count = row.chunk.counts[row.at] as number
    if (last && last.label === row.label && compareDigests(last.chunk.contents, last.at * 16, row.chunk.contents, row.at * 16) === 0) {
      counts[counts.length - 1] = (counts.at(-1) as number) + count
      continue
    }
    distinct.push(row)
    counts.push(count)
    sizes[row.label + 1] = (sizes[row.label + 1] as number) + 1
  }
  state.level = levelFor(sizes, Math.max(capacity(state, size), 1), state.level)
  const taken = new Float64Array(classes.length + 1)
  const kept: number[] = []
  const full = new Map<string | -1, Uint8Array>()
  distinct.forEach(({ label, chunk, at }, i) => {
    const n = (taken[label + 1] as number) + 1
    taken[label + 1] = n
    if (n <= state.level) kept.push(i)
    if (n === state.level) full.set(label < 0 ? -1 : (classes[label] as string), chunk.contents.slice(at * 16, (at + 1) * 16))
  })
  bounds.set(state, full)
  const only = state.chunks.length === 1 ? (state.chunks[0] as Chunk) : null
  // A state that was sealed before: no copy of what may be hundreds of megabytes.
  if (only && kept.length === only.labels.length && classes.length === only.classes.length && kept.every((k) => distinct[k]?.at === k))
    return
  state.chunks = [
    gather(
      kept.map((i) => distinct[i] as Row),
      Float64Array.from(kept, (i) => counts[i] as number),
      classes,
      state.dims,
    ),
  ]
}

/** The largest q of at most `most` such that the sum of min(size, q) is at most `capacity`, and at least 1. */
function levelFor(sizes: Float64Array, capacity: number, most: number): number {
  const total = (q: number): number => sizes.reduce((sum, n) => sum + Math.min(n, q), 0)
  if (total(most) <= capacity) return most
  let low = 1
  let high = capacity + 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (total(middle) <= capacity) low = middle
    else high = middle
  }
  return Math.min(low, most)
}

function gather(rows: readonly Row[], counts: Float64Array, classes: string[], dims: number): Chunk {
  const wide = rows.some((r) => r.chunk.vectors instanceof Float64Array)
  const vectors = wide ? new Float64Array(rows.length * dims) : new Float32Array(rows.length * dims)
  const contents = new Uint8Array(rows.length * 16)
  rows.forEach(({ chunk, at }, i) => {
    vectors.set(chunk.vectors.subarray(at * dims, (at + 1) * dims), i * dims)
    contents.set(chunk.contents.subarray(at * 16, (at + 1) * 16), i * 16)
  })
  return { classes, labels: Int32Array.from(rows, (r) => r.label), contents, counts, vectors }
}
