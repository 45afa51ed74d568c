import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { keyed } from '../../src/math/rng.ts'

export const seed = Uint8Array.from({ length: 16 }, (_, i) => 7 * i)
export const classes = ['0', '1', '2']
export const dims = 4

export interface Row {
  readonly id: string | null
  /** -1 for none. */
  readonly label: number
  readonly source: number
  readonly vector: Float64Array
  readonly predictions: Float64Array
}

/** Rows with equal ids, equal contents, missing labels and sources and, where `holes`, missing values. */
export function makeRows(name: string, count: number, holes: boolean): Row[] {
  const random = keyed(seed, name)
  const rows: Row[] = []
  for (let i = 0; i < count; i++) {
    const copied = i > 0 && random.below(5) === 0 ? (rows[random.below(i)] as Row) : null
    const vector = random.normals(dims).map((v, j) => (holes && random.below(9) === 0 ? Number.NaN : v + 3 * j))
    const raw = Float64Array.from(classes, () => random.uniform() ** 3 + 1e-3)
    const total = raw.reduce((sum, p) => sum + p, 0)
    rows.push({
      id: random.below(4) === 0 ? 'twice' : `record ${i}`,
      label: random.below(12) === 0 ? -1 : random.below(3),
      source: random.below(6) - 1,
      vector: copied ? copied.vector : vector,
      predictions: copied ? copied.predictions : raw.map((p) => p / total),
    })
  }
  return rows
}

const flat = (rows: readonly Row[], of: (row: Row) => Float64Array, width: number): Float64Array => {
  const out = new Float64Array(rows.length * width)
  rows.forEach((row, i) => {
    out.set(of(row), i * width)
  })
  return out
}

/** As an engine hands them to statistics. `rotate` orders the dictionaries differently, as other shards' batches do. */
export function batchOf(rows: readonly Row[], columns: 'embedding' | 'features', rotate: number): Batch {
  const labels = classes.map((_, i) => classes[(i + rotate) % classes.length] as string)
  const code = (label: number): number => (label < 0 ? -1 : labels.indexOf(classes[label] as string))
  const data = flat(rows, (row) => row.vector, dims)
  const batch = makeBatch({
    row: Uint32Array.from(rows.keys()),
    id: rows.map((row) => row.id),
    text: rows.map((row) =>
      row.label < 0
        ? null
        : `A note on ${Array.from(row.vector, Math.round).join(' and ')} that is long enough to be compared, with ${5 + row.label} mg of aspirin and ${row.source + 7} g of salt`,
    ),
    label: { codes: Int32Array.from(rows, (row) => code(row.label)), values: labels },
    source: { codes: Int32Array.from(rows, (row) => row.source), values: ['a', 'b', '__proto__', 'constructor', '12'] },
    predictions: { data: flat(rows, (row) => row.predictions, classes.length), rows: rows.length, dims: classes.length },
    ...(columns === 'embedding'
      ? { embedding: { data: Float32Array.from(data), rows: rows.length, dims } }
      : { features: { data, rows: rows.length, dims, names: ['w', 'x', 'y', 'z'] } }),
  })
  return addKeys(batch, seed)
}
