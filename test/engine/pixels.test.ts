import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { loadPipeline } from '../../src/config/load.ts'
import { rowsOf } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import type { Detector } from '../../src/contracts/detector.ts'
import { pixelsOf } from '../../src/contracts/pixel-rows.ts'
import type { Statistic } from '../../src/contracts/statistic.ts'
import { audit } from '../../src/engine/audit.ts'
import type { Report } from '../../src/report/schema.ts'
import { npyBytes } from '../sources/make.ts'

type Seen = { readonly step: string; readonly row: number; readonly size: readonly number[]; readonly data: readonly number[] }
const seen: Seen[] = []
let reads: readonly ('pixels' | 'label')[] = ['pixels']

function note(step: string, batch: Batch): void {
  const pixels = pixelsOf(batch)
  for (const [i, row] of rowsOf(batch).entries()) {
    const length = pixels ? pixels.data.length / pixels.rows : 0
    const data = [...(pixels?.data.subarray(i * length, (i + 1) * length) ?? [])]
    seen.push({ step, row, size: pixels ? [pixels.height, pixels.width, pixels.channels] : [], data })
  }
}

/** Notes what it is given at every step. */
const probe = vi.hoisted(() => ({ detectors: [] as unknown[] }))
vi.mock('../../src/detectors/registry.ts', () => ({
  detectors: probe.detectors,
  detectorById: () => probe.detectors[0],
}))
const noting = (over: 'subject' | 'reference'): Statistic => ({
  id: `noting/${over}`,
  version: 1,
  needs: ['pixels'],
  after: [],
  over,
  init: () => ({}),
  update: (_, __, batch) => note(over, batch),
  merge: () => {},
  finish: () => null,
  bytes: () => 0,
})
const detector: Detector = {
  id: 'probe',
  version: 1,
  title: 'Probe',
  rules: [],
  options: { parse: () => ({}) },
  missing: (setup) => (setup.subject.includes('pixels') ? null : 'no images'),
  mode: (_, { shape }) => `${shape.pixels?.height} x ${shape.pixels?.width}`,
  reads: () => reads,
  statistics: (_, setup) => [noting('subject'), ...(setup.reference?.includes('pixels') ? [noting('reference')] : [])],
  scorer: () => (batch) => {
    note('score', batch)
    return { score: new Float64Array(batch.numRows).fill(1) }
  },
  decide: () => [{ rule: 'probe/all', group: null, atLeast: 1 }],
  evidence: { init: () => ({}), update: (_, __, batch) => note('evidence', batch), merge: () => {}, finish: () => null },
  evidenceReads: ['pixels'],
  conclude: () => ({ findings: [], tests: [], notes: [] }),
}
probe.detectors.push(detector)

const now = new Date('2026-01-01T00:00:00Z')
const hooks = { progress: () => {}, log: () => {} }
const noise = (n: number): Uint8Array => Uint8Array.from({ length: n }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24)

async function run(files: Readonly<Record<string, Uint8Array | string>>, pipeline: string): Promise<Report> {
  const dir = await mkdtemp(join(tmpdir(), 'assay-'))
  for (const [name, content] of Object.entries({ ...files, 'pipeline.yaml': `version: 1\n${pipeline}\n` })) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), content)
  }
  const loaded = await loadPipeline(join(dir, 'pipeline.yaml'))
  return (await audit({ ...loaded, runDir: join(dir, 'run'), resume: false, seed: 'x', now, workers: 1, hooks })).report
}

const at = (step: string): Seen[] => seen.filter((s) => s.step === step).sort((a, b) => a.row - b.row)

beforeEach(() => {
  seen.length = 0
  reads = ['pixels']
})

const picture = (k: number, size: number): number[] => [...noise(20 * size).subarray(k * size, (k + 1) * size)]
const array = (rows: number, size: readonly number[], from = 0): Uint8Array =>
  npyBytes(
    '|u1',
    [rows, ...size],
    Uint8Array.from(
      Array.from({ length: rows }, (_, k) =>
        picture(
          from + k,
          size.reduce((a, b) => a * b),
        ),
      ).flat(),
    ),
  )
const expected = (step: string, rows: readonly number[], size: readonly number[], from = 0): Seen[] =>
  rows.map((row) => ({
    step,
    row,
    size: [size[0] as number, size[1] as number, size[2] ?? 1],
    data: picture(
      from + row,
      size.reduce((a, b) => a * b),
    ),
  }))

describe('pixels through a run', () => {
  it('of arrays that could be read again are the same in every read, without a label and with a reference', async () => {
    const report = await run(
      { 'a.npy': array(5, [8, 9]), 'b.npy': array(3, [8, 9], 9) },
      'sources: [{ arrays: { image: a.npy } }]\nreference: [{ arrays: { image: b.npy } }]',
    )
    expect(report.rows).toMatchObject({ read: 5, rejected: 0, reference: 3 })
    for (const step of ['subject', 'score', 'evidence']) expect(at(step)).toEqual(expected(step, [0, 1, 2, 3, 4], [8, 9]))
    expect(at('reference')).toEqual(expected('reference', [0, 1, 2], [8, 9], 9))
  })

  it('come beside a ready embedding', async () => {
    const embedding = npyBytes('<f4', [4, 2], new Float32Array(8))
    await run({ 'a.npy': array(4, [5, 6, 3]), 'e.npy': embedding }, 'sources: [{ arrays: { image: a.npy, embedding: e.npy } }]')
    for (const step of ['subject', 'score', 'evidence']) expect(at(step)).toEqual(expected(step, [0, 1, 2, 3], [5, 6, 3]))
  })

  it('of a folder are of one size, without the files that are no images', async () => {
    const png = (k: number) =>
      sharp(Uint8Array.from(picture(k, 72)), { raw: { width: 9, height: 8, channels: 1 } })
        .png()
        .toBuffer()
    const large = await sharp(new Uint8Array(3 * 16 * 18).fill(77), { raw: { width: 18, height: 16, channels: 3 } })
      .png()
      .toBuffer()
    const files = { 'd/0.png': await png(0), 'd/1.png': await png(1), 'd/2.png': (await png(2)).subarray(0, 50), 'd/3.png': large }
    const report = await run(files, 'sources: [{ path: d }]')
    expect(report.rows).toMatchObject({ read: 4, rejected: 1 })
    for (const step of ['subject', 'score', 'evidence'])
      expect(at(step)).toEqual([...expected(step, [0, 1], [8, 9]), { step, row: 3, size: [8, 9, 1], data: new Array(72).fill(77) }])
  })

  it('are not made where nothing reads them', async () => {
    reads = ['label']
    await run({ 'a.npy': array(3, [8, 9]) }, 'sources: [{ arrays: { image: a.npy } }]')
    expect(at('score').map((s) => s.data)).toEqual([[], [], []])
  })
})
