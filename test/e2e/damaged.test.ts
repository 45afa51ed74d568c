import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { RecordBatchFileWriter, tableFromArrays } from 'apache-arrow'
import { zipSync } from 'fflate'
import { parquetWriteBuffer } from 'hyparquet-writer'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { assay, type Ran, reportOf, scratch } from './program.ts'
import { csv, generator, jsonl, predictions, records } from './records.ts'

const at = scratch()
/** Over all formats together. */
const damages = Number(process.env.ASSAY_DAMAGES ?? 8)
const rows = 120

interface Target {
  readonly name: string
  readonly file: string
  readonly bytes: () => Promise<Uint8Array> | Uint8Array
  readonly args: (folder: string) => readonly string[]
  /** Every bit is behind a checksum: damage must not go unseen. */
  readonly checked: boolean
}

const r = records(rows, 9)
const vectors = ['--id', 'id', '--label', 'label', '--source', 'source']
const arrays = predictions(rows, 9)

const png = (seed: number): Promise<Buffer> => {
  const { uniform } = generator(seed)
  const pixels = Buffer.from(Array.from({ length: 32 * 32 }, () => Math.floor(256 * uniform())))
  return sharp(pixels, { raw: { width: 32, height: 32, channels: 1 } })
    .png()
    .toBuffer()
}

const targets: readonly Target[] = [
  { name: 'CSV', file: 'x.csv', bytes: () => Buffer.from(csv(r)), args: (f) => [join(f, 'x.csv')], checked: false },
  { name: 'CSV, gzip', file: 'x.csv.gz', bytes: () => gzipSync(csv(r)), args: (f) => [join(f, 'x.csv.gz')], checked: true },
  { name: 'JSONL', file: 'x.jsonl', bytes: () => Buffer.from(jsonl(r)), args: (f) => [join(f, 'x.jsonl')], checked: false },
  {
    name: 'Arrow',
    file: 'x.arrow',
    bytes: () => {
      const columns = Object.fromEntries([0, 1, 2].map((d) => [`x${d}`, Float64Array.from(r.features, (x) => x[d] as number)]))
      const table = tableFromArrays({ id: [...r.id], label: [...r.label], source: [...r.source], ...columns })
      return RecordBatchFileWriter.writeAll(table).toUint8Array(true)
    },
    args: (f) => [join(f, 'x.arrow'), ...vectors, '--features', 'x0,x1,x2'],
    checked: false,
  },
  {
    name: 'Parquet',
    file: 'x.parquet',
    bytes: () =>
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'id', data: [...r.id], type: 'STRING' },
            { name: 'label', data: [...r.label], type: 'STRING' },
            { name: 'source', data: [...r.source], type: 'STRING' },
            ...[0, 1, 2].map((d) => ({ name: `x${d}`, data: r.features.map((x) => x[d] as number), type: 'DOUBLE' as const })),
          ],
        }),
      ),
    args: (f) => [join(f, 'x.parquet'), ...vectors, '--features', 'x0,x1,x2'],
    checked: false,
  },
  {
    name: 'npy',
    file: 'p.npy',
    bytes: () => arrays.predictions,
    args: (f) => ['--predictions', join(f, 'p.npy'), '--label', at('y.npy')],
    checked: false,
  },
  {
    name: 'npz',
    file: 'x.npz',
    bytes: () => zipSync({ 'p.npy': arrays.predictions, 'y.npy': arrays.label }),
    args: (f) => [join(f, 'x.npz'), '--predictions', 'p', '--label', 'y'],
    checked: false,
  },
  { name: 'PNG in a folder', file: 'images/cat/1.png', bytes: () => png(1), args: (f) => [join(f, 'images')], checked: false },
]

const original = new Map<string, Uint8Array>()

beforeAll(async () => {
  writeFileSync(at('y.npy'), arrays.label)
  for (const target of targets) original.set(target.name, await target.bytes())
})

const audit = (target: Target, folder: string): Promise<Ran> =>
  assay(['audit', ...target.args(folder), '--run-dir', join(folder, 'run'), '--seed', '1', '--formats', 'json', '--max-flagged', '1'])

async function put(target: Target, name: string, bytes: Uint8Array): Promise<string> {
  const folder = at(name)
  mkdirSync(join(folder, target.file, '..'), { recursive: true })
  writeFileSync(join(folder, target.file), bytes)
  if (target.file.startsWith('images/')) {
    for (const [i, label] of Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 'cat' : 'dog')).entries()) {
      mkdirSync(join(folder, 'images', label), { recursive: true })
      writeFileSync(join(folder, 'images', label, `${i + 2}.png`), await png(i + 2))
    }
  }
  return folder
}

/** Half are cut somewhere, half have up to three bits flipped. */
function damaged(bytes: Uint8Array, uniform: () => number, cut: boolean): Uint8Array {
  if (cut) return bytes.slice(0, Math.floor(uniform() * bytes.length))
  const copy = Uint8Array.from(bytes)
  for (let flips = 1 + Math.floor(uniform() * 3); flips > 0; flips--) {
    const at = Math.floor(uniform() * copy.length)
    copy[at] = (copy[at] as number) ^ (1 << Math.floor(uniform() * 8))
  }
  return copy
}

describe.each(targets)('damaged: $name', (target) => {
  it('whole, it is audited', async () => {
    const folder = await put(target, `${target.name}-whole`, original.get(target.name) as Uint8Array)
    const ran = await audit(target, folder)
    expect([0, 1], ran.stdout + ran.stderr).toContain(ran.code)
    expect(reportOf(join(folder, 'run')).rows.rejected).toBe(0)
  })

  const each = Math.ceil(damages / targets.length)
  it(`${each} times: an error, a counted rejection, or the audit of another valid file`, { timeout: 60_000 + each * 20_000 }, async () => {
    const bytes = original.get(target.name) as Uint8Array
    const { uniform } = generator(target.name.length * 1000 + damages)
    for (let i = 0; i < each; i++) {
      const cut = i % 2 === 0
      const name = `${target.name}-${i}`
      const folder = await put(target, name, damaged(bytes, uniform, cut))
      const ran = await audit(target, folder)
      const said = `${name}: exit ${ran.code}\n${ran.stdout}${ran.stderr}`
      expect([0, 1, 2, 3, 4], said).toContain(ran.code)
      expect(said).not.toContain('internal error')
      if (target.checked) expect([2, 4], said).toContain(ran.code)
      if (!existsSync(join(folder, 'run/report.json'))) {
        expect([2, 4], said).toContain(ran.code)
        expect(ran.stderr, said).toMatch(/assay: .+/)
      }
      if (ran.code === 0 || ran.code === 1) {
        // Another valid file: it is audited like any other, twice with the same result.
        const first = readFileSync(join(folder, 'run/report.json'), 'utf8')
        const again = await put(target, `${name}/again`, readFileSync(join(folder, target.file)))
        expect((await audit(target, again)).code).toBe(ran.code)
        expect(reportOf(join(again, 'run')).rows).toEqual((JSON.parse(first) as { rows: unknown }).rows)
      }
    }
  })
})
