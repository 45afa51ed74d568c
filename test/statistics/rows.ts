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
  readonly text: string
  readonly response: string
}

/** Rows with equal ids, equal contents, missing labels and sources and, where `holes`, missing values. */
export function makeRows(name: string, count: number, holes: boolean): Row[] {
  const random = keyed(seed, name)
  const words = keyed(seed, `${name} text`)
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
      text: copied ? copied.text : textOf(words),
      response: `this is answer number ${words.below(3)}`,
    })
  }
  return rows
}

/** Words of a small vocabulary, so that phrases repeat, with letters of other scripts among them. */
function textOf(random: ReturnType<typeof keyed>): string {
  const word = (): string => (random.below(9) === 0 ? 'Naïve ﬁn' : `w${Math.floor(30 * random.uniform() ** 2)}`)
  const all = Array.from({ length: random.below(30) }, word)
  if (random.below(3) === 0) all.splice(random.below(all.length + 1), 0, 'in', 'the', 'amber', 'hour')
  return all.join(' ')
}

const flat = (rows: readonly Row[], of: (row: Row) => Float64Array, width: number): Float64Array => {
  const out = new Float64Array(rows.length * width)
  rows.forEach((row, i) => {
    out.set(of(row), i * width)
  })
  return out
}

/** Three kinds of files, and energies of any size. */
function noiseRows(rows: readonly Row[]) {
  const data = new Float32Array(rows.length * 5)
  rows.forEach(({ vector }, r) => {
    data.set([65_536 + Math.floor(Math.abs(vector[0] as number)), ...vector], r * 5)
  })
  return { data, rows: rows.length, dims: 5 }
}

const side = 9

/** Pictures of smooth waves: equal vectors give equal pictures. */
function pixelRows(rows: readonly Row[]) {
  const data = new Uint8Array(rows.length * side * side)
  rows.forEach(({ vector }, r) => {
    for (let i = 0; i < side * side; i++) {
      const [x, y] = [(i % side) / side, Math.floor(i / side) / side]
      const [a = 0, b = 0, c = 0, d = 0] = vector
      data[r * side * side + i] = 128 + 60 * Math.sin(6 * (a * x + b * y)) + 60 * Math.cos(c + d * x)
    }
  })
  return { data, rows: rows.length, height: side, width: side, channels: 1 as const }
}

/** As an engine hands them to statistics. `rotate` orders the dictionaries differently, as other shards' batches do. */
export function batchOf(rows: readonly Row[], columns: 'embedding' | 'features' | 'pixels' | 'text', rotate: number): Batch {
  const labels = classes.map((_, i) => classes[(i + rotate) % classes.length] as string)
  const code = (label: number): number => (label < 0 ? -1 : labels.indexOf(classes[label] as string))
  const data = flat(rows, (row) => row.vector, dims)
  const batch = makeBatch({
    row: Uint32Array.from(rows.keys()),
    id: rows.map((row) => row.id),
    text: rows.map((row) =>
      columns === 'text'
        ? row.text
        : row.label < 0
          ? null
          : `A note on ${Array.from(row.vector, Math.round).join(' and ')} that is long enough to be compared, with ${5 + row.label} mg of aspirin and ${row.source + 7} g of salt`,
    ),
    label: { codes: Int32Array.from(rows, (row) => code(row.label)), values: labels },
    source: { codes: Int32Array.from(rows, (row) => row.source), values: ['a', 'b', '__proto__', 'constructor', '12'] },
    predictions: { data: flat(rows, (row) => row.predictions, classes.length), rows: rows.length, dims: classes.length },
    ...(columns === 'pixels' ? { pixels: pixelRows(rows), noise: noiseRows(rows) } : {}),
    ...(columns === 'text' ? { response: rows.map((row) => row.response) } : {}),
    ...(columns === 'features'
      ? { features: { data, rows: rows.length, dims, names: ['w', 'x', 'y', 'z'] } }
      : columns === 'text'
        ? {}
        : { embedding: { data: Float32Array.from(data), rows: rows.length, dims } }),
  })
  return addKeys(batch, seed)
}
