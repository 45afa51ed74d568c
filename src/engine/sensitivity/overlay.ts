import { type Data, Field } from 'apache-arrow'
import {
  assemble,
  binary,
  chunk,
  codesOf,
  column,
  dictionary,
  dictionaryIds,
  matrix,
  matrixOf,
  texts,
  utf8,
} from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import { takeRows } from '../../contracts/take-rows.ts'
import type { Attack, Facts, Fields, Sampled } from '../../inject/attack.ts'
import { fieldReader } from '../../inject/fields.ts'
import { encodeLike } from '../../inject/pictures.ts'
import { choose } from '../../inject/survey.ts'
import { keyed } from '../../math/rng.ts'
import type { Sample } from './sample.ts'

/** The records with some of them attacked. */
export interface Overlay {
  readonly batches: readonly Batch[]
  /** By batch: 1 where the record carries the attack. */
  readonly carriers: readonly Uint8Array[]
  readonly count: number
}

interface Place {
  readonly batch: number
  readonly row: number
}

const fieldColumns = {
  label: 'label',
  source: 'source',
  text: 'text',
  response: 'response',
  pixels: 'image',
  numbers: 'features',
  categories: 'categories',
} as const

/** Records of the sample that the attack may choose. */
function eligible(sample: Sample, attack: Attack, options: unknown): readonly Place[] {
  const needs = attack.needs(options)
  const places: Place[] = []
  for (const [b, batch] of sample.batches.entries()) {
    const reader = fieldReader(batch)
    for (let i = 0; i < batch.numRows; i++) {
      const shown = reader.shown(i, attack.family === 'text')
      const whole = needs.every((name) => name === 'pixels' || name === 'numbers' || name === 'categories' || shown[name] !== null)
      if (whole && attack.eligible(options, shown)) places.push({ batch: b, row: i })
    }
  }
  return places
}

/** Every nth record, as many as the attack wants to see. */
async function factsOf(sample: Sample, attack: Attack, options: unknown): Promise<Facts> {
  const pixels = attack.needs(options).includes('pixels')
  const wanted = Math.min(attack.sample, sample.rows)
  const step = wanted > 0 ? sample.rows / wanted : 0
  const seen: Sampled[] = []
  let at = 0
  for (const batch of sample.batches) {
    const reader = fieldReader(batch)
    for (let i = 0; i < batch.numRows; i++, at++) {
      if (seen.length >= wanted || at < seen.length * step) continue
      seen.push({ where: { shard: 'sample', row: at }, fields: await reader.fields(i, pixels) })
    }
  }
  return { rows: sample.rows, labels: sample.labels, columns: sample.columns, categories: sample.categories, sample: seen }
}

/**
 * Applies an attack to `count` of the records in memory.
 *
 * @returns null where fewer than `count` records may be chosen
 * @throws InjectError where the attack does not fit the data
 */
export async function overlay(sample: Sample, attack: Attack, options: unknown, count: number, seed: Uint8Array): Promise<Overlay | null> {
  const places = eligible(sample, attack, options)
  if (places.length < count) return null
  const plan = attack.prepare(options, await factsOf(sample, attack, options), keyed(seed, 'inject/trigger'))
  const chosen = sample.batches.map(() => [] as number[])
  for (const at of choose(places.length, count, seed)) {
    const { batch, row } = places[at] as Place
    chosen[batch]?.push(row)
  }
  const pixels = attack.needs(options).includes('pixels')
  const batches: Batch[] = []
  const carriers: Uint8Array[] = []
  let changed = 0
  for (const [b, batch] of sample.batches.entries()) {
    const rows = chosen[b] as number[]
    const marked = new Set(rows)
    const others = Int32Array.from({ length: batch.numRows }, (_, i) => i).filter((i) => !marked.has(i))
    if (others.length > 0) {
      batches.push(rows.length === 0 ? batch : takeRows(batch, others))
      carriers.push(new Uint8Array(others.length))
    }
    if (rows.length === 0) continue
    const attacked = await sample.complete(await attackRows(batch, rows, { attack, plan, pixels, seed, name: `${b}` }))
    changed += attacked.numRows
    batches.push(attacked)
    carriers.push(new Uint8Array(attacked.numRows).fill(1))
  }
  return { batches, carriers, count: changed }
}

interface Applying {
  readonly attack: Attack
  readonly plan: unknown
  readonly pixels: boolean
  readonly seed: Uint8Array
  readonly name: string
}

async function attackRows(batch: Batch, rows: readonly number[], { attack, plan, pixels, seed, name }: Applying): Promise<Batch> {
  const taken = takeRows(batch, Int32Array.from(rows))
  const reader = fieldReader(taken)
  const after: Fields[] = []
  const files: (Uint8Array | null)[] = []
  const touched = new Set<keyof Fields>()
  for (let i = 0; i < taken.numRows; i++) {
    const before = await reader.fields(i, pixels)
    const { fields } = attack.apply(plan, before, keyed(seed, `inject/record ${name} ${rows[i]}`))
    for (const field of Object.keys(fields) as (keyof Fields)[]) touched.add(field)
    after.push({ ...before, ...fields })
    const encoded = pixels ? reader.encoded(i) : null
    files.push(encoded && fields.pixels ? await encodeLike(encoded, fields.pixels) : encoded)
  }
  const columns = new Map([...touched].map((field) => [fieldColumns[field] as string, columnOf(taken, field, after, files)]))
  const fields = taken.schema.fields.map((f) => {
    const data = columns.get(f.name)
    return data ? new Field(f.name, data.type, data.nullCount > 0, f.metadata) : f
  })
  const children = taken.schema.fields.map((f) => columns.get(f.name) ?? (chunk(taken, f.name) as Data))
  return assemble(fields, children, taken.numRows)
}

function columnOf(batch: Batch, field: keyof Fields, after: readonly Fields[], files: readonly (Uint8Array | null)[]): Data {
  if (field === 'text' || field === 'response') return utf8(after.map((f) => f[field]))
  if (field === 'categories') {
    const cells = after.map((f) => f.categories ?? [])
    return texts(cells.flat(), cells[0]?.length ?? 1)
  }
  if (field === 'label' || field === 'source') {
    const values = [...new Set([...(codesOf(batch, field)?.values ?? []), ...after.flatMap((f) => f[field] ?? [])])]
    const codes = new Map(values.map((value, code) => [value, code]))
    return dictionary(
      { codes: Int32Array.from(after, (f) => (f[field] === null ? -1 : (codes.get(f[field]) as number))), values },
      dictionaryIds[field],
    )
  }
  const raw = matrixOf(batch, field === 'pixels' ? 'image' : 'features')
  if (!raw) return binary(files)
  const data = new (raw.data.constructor as Float64ArrayConstructor)(after.length * raw.dims)
  for (const [i, f] of after.entries()) data.set((field === 'pixels' ? f.pixels?.data : f.numbers) ?? [], i * raw.dims)
  return matrix({ data, rows: after.length, dims: raw.dims })
}

/** Shorter side of the first picture; null where there is none. */
export async function pictureSide(sample: Sample): Promise<number | null> {
  const first = sample.batches[0]
  if (!first || !column(first, 'image')) return null
  const { pixels } = await fieldReader(first).fields(0, true)
  return pixels && Math.min(pixels.height, pixels.width)
}
