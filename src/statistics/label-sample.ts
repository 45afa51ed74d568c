import { codesOf, keysOf, vectorsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { compareDigests, foldOf, shortDigest } from '../math/hash.ts'

/** The labelled records with the smallest keyed digests: a uniform sample that nobody can choose his way into. */
export interface LabelSample {
  readonly rows: number
  readonly dims: number
  /** [rows, dims], in the order of the keys. */
  readonly vectors: Float64Array
  readonly classes: readonly string[]
  /** Codes into `classes`. */
  readonly labels: Int32Array
  /** Fold of each record's content. */
  readonly folds: Int32Array
}

interface State {
  dims: number
  /** rows x 16 */
  keys: Uint8Array
  labels: string[]
  folds: Int32Array
  vectors: Float64Array
}

/** The largest key that `keepSmallest` left in a full state: larger ones need not be looked at. */
const bounds = new WeakMap<State, Uint8Array>()

/** More than `size` rows are cut back whenever they have doubled. */
const slack = 2

export interface LabelSampleOptions {
  readonly size: number
  readonly folds: number
  readonly over: 'subject' | 'reference'
}

/** Equal keys (equal ids, or equal contents without ids) are ordered by label, then by vector, then by fold. */
export function labelSample({ size, folds, over }: LabelSampleOptions): Statistic<State, LabelSample> {
  return {
    id: `label-sample/${shortDigest({ size, folds, over })}`,
    version: 1,
    needs: ['label'],
    after: [],
    over,
    keyed: true,
    init: () => ({ dims: 0, keys: new Uint8Array(0), labels: [], folds: new Int32Array(0), vectors: new Float64Array(0) }),
    update(_: Context, state: State, batch: Batch) {
      const vectors = vectorsOf(batch)
      const label = codesOf(batch, 'label')
      const keys = keysOf(batch, 'key')
      const content = keysOf(batch, 'content')
      if (!vectors || !label || !keys || !content) return
      const worst = bounds.get(state) ?? null
      const rows: number[] = []
      for (let i = 0; i < batch.numRows; i++) {
        if ((label.codes[i] as number) < 0 || (worst && compareDigests(keys, i * 16, worst, 0) > 0)) continue
        rows.push(i)
      }
      if (rows.length === 0) return
      append(state, {
        dims: vectors.dims,
        keys: gather(keys, rows, 16),
        labels: rows.map((i) => label.values[label.codes[i] as number] as string),
        folds: Int32Array.from(rows, (i) => foldOf(content, i * 16, folds)),
        vectors: Float64Array.from(gather(vectors.data, rows, vectors.dims)),
      })
      if (state.labels.length >= slack * size) keepSmallest(state, size)
    },
    seal: (_: Context, state: State) => keepSmallest(state, size),
    merge(into: State, from: State) {
      append(into, from)
      keepSmallest(into, size)
    },
    finish(_: Context, state: State) {
      keepSmallest(state, size)
      const classes = [...new Set(state.labels)].sort()
      const code = new Map(classes.map((c, i) => [c, i]))
      return {
        rows: state.labels.length,
        dims: state.dims,
        vectors: state.vectors,
        classes,
        labels: Int32Array.from(state.labels, (l) => code.get(l) as number),
        folds: state.folds,
      }
    },
    bytes: (shape: Shape) => slack * size * (shape.dims * 8 + 64),
  }
}

const gather = <T extends Uint8Array | Float32Array | Float64Array>(from: T, rows: readonly number[], width: number): T => {
  const out = new (from.constructor as new (n: number) => T)(rows.length * width)
  rows.forEach((r, i) => {
    out.set(from.subarray(r * width, (r + 1) * width), i * width)
  })
  return out
}

const concat = <T extends Uint8Array | Float64Array | Int32Array>(a: T, b: T): T => {
  const out = new (a.constructor as new (n: number) => T)(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}

function append(state: State, more: State): void {
  if (more.labels.length === 0) return
  state.dims = more.dims
  state.keys = concat(state.keys, more.keys)
  state.labels = state.labels.concat(more.labels)
  state.folds = concat(state.folds, more.folds)
  state.vectors = concat(state.vectors, more.vectors)
}

function keepSmallest(state: State, size: number): void {
  const order = state.labels.map((_, i) => i)
  order.sort(
    (a, b) =>
      compareDigests(state.keys, a * 16, state.keys, b * 16) ||
      compare(state.labels[a] as string, state.labels[b] as string) ||
      compareVectors(state, a, b) ||
      (state.folds[a] as number) - (state.folds[b] as number),
  )
  const kept = order.slice(0, size)
  state.keys = gather(state.keys, kept, 16)
  state.vectors = gather(state.vectors, kept, state.dims)
  state.folds = Int32Array.from(kept, (i) => state.folds[i] as number)
  state.labels = kept.map((i) => state.labels[i] as string)
  if (kept.length === size) bounds.set(state, state.keys.slice((size - 1) * 16))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function compareVectors(state: State, a: number, b: number): number {
  for (let j = 0; j < state.dims; j++) {
    const x = state.vectors[a * state.dims + j] as number
    const y = state.vectors[b * state.dims + j] as number
    // Missing values come last.
    if (Number.isNaN(x) || Number.isNaN(y)) {
      if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1
    } else if (x !== y) return x - y
  }
  return 0
}
