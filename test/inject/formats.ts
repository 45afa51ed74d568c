import { join } from 'node:path'
import sharp from 'sharp'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { duckdb, type folder, npyBytes, zipBytes } from '../sources/make.ts'

export const rows = 60
export const labelOf = (i: number): string => ['cat', 'dog', 'owl'][i % 3] as string

type Put = ReturnType<typeof folder>['put']
export interface Making {
  readonly dir: string
  readonly put: Put
}

const pixels = (i: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, j) => (17 * i + 31 * j + ((i * j) % 7) * 20) % 200)
const labels = (): Int32Array => Int32Array.from({ length: rows }, (_, i) => i % 3)
const images = (): Uint8Array => Uint8Array.from({ length: rows * 64 }, (_, j) => pixels(Math.floor(j / 64), 64)[j % 64] as number)
const numbers = (): Float32Array => Float32Array.from({ length: rows * 4 }, (_, j) => (j % 13) + (j % 4) * 10)

const csvText = (end: string): string =>
  [
    'id,text,"label",vendor,a,b',
    ...Array.from(
      { length: rows },
      (_, i) => `${String(i).padStart(3, '0')},"say ""${i}"", é",${labelOf(i)},${'AB'[i % 2]},${i * 0.25},${i % 5}`,
    ),
    '',
  ].join(end)

const made = new Map<string, Promise<Buffer>>()

function picture(i: number, format: 'png' | 'jpeg'): Promise<Buffer> {
  const key = `${i} ${format}`
  const bytes = made.get(key) ?? encode(i, format)
  made.set(key, bytes)
  return bytes
}

const encode = (i: number, format: 'png' | 'jpeg'): Promise<Buffer> => {
  const image = sharp(pixels(i, 16 * 16 * 3), { raw: { width: 16, height: 16, channels: 3 } })
  return format === 'png' ? image.png().toBuffer() : image.jpeg({ quality: 75 }).toBuffer()
}

const pictures = async ({ put }: Making, format: 'png' | 'jpeg', nested: boolean): Promise<void> => {
  for (let i = 0; i < rows; i++)
    put(
      `scans/${nested ? `${labelOf(i)}/` : ''}${String(i).padStart(3, '0')}.${format === 'png' ? 'png' : 'jpg'}`,
      await picture(i, format),
    )
}

const tableColumns = { id: 'id', label: 'label', text: 'text', source: 'vendor', features: ['a', 'b'] }

/** One data set a format, the same 60 records as far as the format can hold them. */
export const makers: { readonly [name: string]: (m: Making) => Promise<SourceSpec> | SourceSpec } = {
  csv: ({ put }) => ({ path: put('t.csv', csvText('\n')), columns: tableColumns }),
  'csv with CRLF': ({ put }) => ({ path: put('t.csv', csvText('\r\n')), columns: tableColumns }),
  jsonl: ({ put }) => ({
    path: put(
      't.jsonl',
      Array.from(
        { length: rows },
        (_, i) =>
          `${JSON.stringify({ id: `r${i}`, text: `say ${i}`, vendor: 'AB'[i % 2], meta: { label: labelOf(i) }, a: i * 0.25, b: i % 5 })}\n${i === 30 ? '\n' : ''}`,
      ).join(''),
    ),
    columns: { id: 'id', label: 'meta.label', text: 'text', source: 'vendor', features: ['a', 'b'] },
  }),
  parquet: async ({ dir }) => {
    const path = join(dir, 't.parquet')
    await duckdb([
      `COPY (SELECT 'r' || i AS id, 'say ' || i AS text, {'name': ['cat', 'dog', 'owl'][i % 3 + 1], 'by': i} AS label, ['A', 'B'][i % 2 + 1] AS vendor, (i * 0.25)::FLOAT AS a, (i % 5)::SMALLINT AS b, [i, i + 1] AS extra, DATE '2026-01-01' + i::INT AS day FROM range(${rows}) t(i)) TO '${path}' (FORMAT parquet)`,
    ])
    return { path, columns: { id: 'id', label: 'label.name', text: 'text', source: 'vendor', features: ['a', 'b'] } }
  },
  npz: ({ put }) => ({
    path: put(
      't.npz',
      zipBytes({
        'x.npy': npyBytes('|u1', [rows, 8, 8], images()),
        'y.npy': npyBytes('<i4', [rows, 1], labels()),
        'z.npy': npyBytes('<f4', [rows, 4], numbers()),
      }),
    ),
    arrays: { image: 'x', label: 'y', features: 'z' },
  }),
  'npz with splits': ({ put }) => {
    const half = rows / 2
    const part = (name: string, from: number): Record<string, Uint8Array> => ({
      [`${name}_images.npy`]: npyBytes('|u1', [half, 8, 8], images().subarray(from * 64, (from + half) * 64)),
      [`${name}_labels.npy`]: npyBytes('<i4', [half], labels().slice(from, from + half)),
    })
    return { path: put('t.npz', zipBytes({ ...part('train', 0), ...part('test', half) })) }
  },
  npy: ({ put }) => ({
    arrays: {
      image: put('x.npy', npyBytes('|u1', [rows, 8, 8], images(), true)),
      label: put('y.npy', npyBytes('<i4', [rows], labels())),
      features: put('z.npy', npyBytes('<f4', [rows, 4], numbers())),
    },
  }),
  'folder of PNG': async (m) => {
    await pictures(m, 'png', true)
    return { path: join(m.dir, 'scans') }
  },
  'folder of JPEG with a table': async (m) => {
    await pictures(m, 'jpeg', false)
    const lines = Array.from({ length: rows }, (_, i) => `${String(i).padStart(3, '0')}.jpg,${labelOf(i)}`)
    return { path: join(m.dir, 'scans'), labels: m.put('labels.csv', ['file,label', ...lines, ''].join('\n')) }
  },
}
