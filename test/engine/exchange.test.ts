import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableToIPC } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { loadPipeline } from '../../src/config/load.ts'
import { audit } from '../../src/engine/audit.ts'
import { BucketWriter, readBucket } from '../../src/engine/buckets.ts'
import { AnswerFiles, finishExchange, placeOf, received } from '../../src/engine/exchange.ts'
import { layout } from '../../src/engine/files.ts'
import { Run } from '../../src/engine/run.ts'
import { numbers } from '../support/cluster-data.ts'

const hooks = { progress: () => {}, log: () => {} }
const folder = () => mkdtemp(join(tmpdir(), 'assay-exchange-'))
const { table, columns } = numbers(2600)

/** Flags of an audit of the same records, cut into so many files. */
async function audited(
  files: number,
  stop = false,
): Promise<{ readonly runDir: string; readonly flags: readonly string[]; again(): Promise<void> }> {
  const dir = await folder()
  const size = Math.ceil(table.numRows / files)
  for (let i = 0; i < files; i++) writeFileSync(join(dir, `f${i}.arrow`), tableToIPC(table.slice(i * size, (i + 1) * size), 'stream'))
  const file = join(dir, 'a.yaml')
  const only = ['label-flip', 'spectral', 'embedding-cluster', 'trigger-tabular'].map((d) => `${d}: false`).join(', ')
  writeFileSync(
    file,
    `version: 1\nsources: [{ path: '*.arrow', ${columns} }]\nreport: { formats: [json], flags: jsonl }\ndetectors: { ${only}, embedding-outlier: { among: all, budget: 0.02 } }\n`,
  )
  const request = { ...(await loadPipeline(file)), runDir: join(dir, 'run'), seed: 'x', now: new Date(0), workers: 1, hooks }
  await audit({ ...request, resume: false })
  const flags = () =>
    readFileSync(join(request.runDir, 'flags.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly id: string; readonly score: number })
      .map(({ id, score }) => `${id} ${score.toFixed(6)}`)
      .sort()
  const before = flags()
  const again = async (): Promise<void> => {
    await audit({ ...request, resume: true })
    expect(flags()).toEqual(before)
  }
  if (stop) rmSync(join(request.runDir, layout.exchanged))
  return { runDir: request.runDir, flags: before, again }
}

describe('an exchange of records', () => {
  it('gives every record the same, however the data are cut into files', async () => {
    const { flags, runDir } = await audited(1)
    expect(flags.length).toBeGreaterThan(5)
    expect((await audited(5)).flags).toEqual(flags)
    expect(readdirSync(join(runDir, 'exchange')).filter((f) => f.startsWith('routed'))).toEqual([])
  }, 60_000)

  it('goes on where it was interrupted', async () => {
    const { again, runDir } = await audited(2, true)
    const [worked] = readdirSync(join(runDir, 'exchange')).filter((f) => f.startsWith('worked'))
    rmSync(join(runDir, 'exchange', worked as string))
    for (const file of readdirSync(join(runDir, 'state')).filter((f) => !f.startsWith('summary'))) rmSync(join(runDir, 'state', file))
    await again()
    expect(existsSync(join(runDir, layout.exchanged))).toBe(true)
  }, 60_000)

  it('does not end while a record has no answer', async () => {
    const { runDir } = await audited(1, true)
    const [worked] = readdirSync(join(runDir, 'exchange')).filter((f) => f.startsWith('worked'))
    writeFileSync(join(runDir, 'exchange', worked as string), '{"answered":2599}')
    await expect(finishExchange(await Run.open(runDir), 1)).rejects.toThrow('2599 answers for 2600 rows')
  }, 60_000)

  it('writes answers at the places of their rows', async () => {
    const { runDir } = await audited(2, true)
    const run = await Run.open(runDir)
    const width = run.exchange?.exchange.answers as number
    const files = new AnswerFiles(run, run.exchange?.exchange as never)
    const values = Float32Array.from({ length: 2 * width }, (_, i) => i)
    await files.write({ places: Float64Array.of(placeOf(1, 3), placeOf(0, 2)), values })
    files.close()
    const read = (shard: number, row: number) => {
      const bytes = readFileSync(run.path(layout.answers(shard)))
      return [...new Float32Array(new Uint8Array(bytes).buffer, row * width * 4, width)]
    }
    expect(read(1, 3)).toEqual([...values.slice(0, width)])
    expect(read(0, 2)).toEqual([...values.slice(width)])
  }, 60_000)
})

describe('records by bucket', () => {
  it('come back whole and by bucket', async () => {
    const path = join(await folder(), 'b.bin')
    const writer = await BucketWriter.create(path, 16, 3)
    for (let i = 0; i < 40_000; i++)
      await writer.add(i % 3, (into, at) => {
        new DataView(into.buffer).setFloat64(at, i, true)
        new DataView(into.buffer).setUint32(at + 8, i % 3, true)
      })
    await writer.close()
    for (let bucket = 0; bucket < 4; bucket++) {
      const places: number[] = []
      for await (const bytes of readBucket(path, bucket, 16)) {
        const sent = received(bytes, 8)
        places.push(...sent.places)
        expect([...new Uint32Array(sent.payload.buffer)].every((v, i) => i % 2 === 1 || v === bucket)).toBe(true)
      }
      expect(places.sort((a, b) => a - b)).toEqual(Array.from({ length: 40_000 }, (_, i) => i).filter((i) => i % 3 === bucket))
    }
  })
})
