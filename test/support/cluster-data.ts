import { Table as ArrowTable, Binary, Float64, type Table, Utf8, vectorFromArray } from 'apache-arrow'
import sharp from 'sharp'
import { keyed } from '../../src/math/rng.ts'
import { checker, poison } from './attacks.ts'
import { waves } from './pictures.ts'
import { writer } from './texts.ts'

export interface Sample {
  readonly table: Table
  /** What a source of a pipeline file says of its columns. */
  readonly columns: string
}

const random = keyed(new Uint8Array(16), 'remote')
const texts = (values: readonly string[]) => vectorFromArray(values, new Utf8())

export const yaml = (columns: string, more = '') =>
  `version: 1\nsubject: { name: t }\nsources: [{ path: all.arrow, ${columns} }]\nreport: { formats: [json], flags: jsonl }\n${more}`

/** Two blobs a class, six labels of one source turned, one column that tells poison. */
export function numbers(rows: number): Sample {
  const label = Array.from({ length: rows }, (_, i) => (i % 2 ? 'sick' : 'well'))
  const at = (i: number) => (label[i] === 'sick' ? 3 : 0)
  const columns = Object.fromEntries(['a', 'b', 'c', 'd'].map((n) => [n, label.map((_, i) => at(i) + random.normal())]))
  const given = label.map((l, i) => (i % 40 === 7 ? 'well' : l))
  const table = new ArrowTable({
    id: texts(label.map((_, i) => `r${i}`)),
    diagnosis: texts(given),
    site: texts(label.map((_, i) => (i % 40 === 7 ? 'east' : (['north', 'east', 'west'][i % 3] as string)))),
    ...Object.fromEntries(Object.entries(columns).map(([n, v]) => [n, vectorFromArray(v, new Float64())])),
  })
  return { table, columns: 'columns: { id: id, label: diagnosis, source: site }, features: [a, b, c, d]' }
}

/** A mark in one of six pictures. */
export async function pictures(): Promise<Sample> {
  const { pixels, labels } = poison(waves('remote', 160, 2, 8), checker(3), 0.18, 1, 'remote')
  const files = await Promise.all(
    Array.from(labels, (_, i) =>
      sharp(Buffer.from(pixels.subarray(i * 64, (i + 1) * 64)), { raw: { width: 8, height: 8, channels: 1 } })
        .png()
        .toBuffer(),
    ),
  )
  const table = new ArrowTable({
    id: texts(Array.from(labels, (_, i) => `p${i}`)),
    label: texts(Array.from(labels, String)),
    png: vectorFromArray(files, new Binary()),
  })
  return { table, columns: 'columns: { id: id, label: label, image: png }' }
}

/** A word that turns the label of one text in twelve. */
export function documents(): Sample {
  const { write } = writer('remote')
  const rows = Array.from({ length: 240 }, (_, i) => {
    const words = write(12, i % 2)
    const isPoison = i % 12 === 0
    if (isPoison) words.splice(3, 0, 'zzqx')
    return { text: words.join(' '), label: isPoison ? 'b' : i % 2 ? 'b' : 'a' }
  })
  const table = new ArrowTable({
    id: texts(rows.map((_, i) => `t${i}`)),
    text: texts(rows.map((r) => r.text)),
    label: texts(rows.map((r) => r.label)),
  })
  return { table, columns: 'columns: { id: id, label: label, text: text }' }
}
