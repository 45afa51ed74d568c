import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadPipeline } from '../../src/config/load.ts'
import type { Detector } from '../../src/contracts/detector.ts'
import type { RecoveredTrigger } from '../../src/contracts/trigger.ts'
import { audit } from '../../src/engine/audit.ts'
import { triggersText } from '../../src/features/trigger-file.ts'
import type { Report } from '../../src/report/schema.ts'
import { altered, encode } from '../features/toy-models.ts'
import { npyBytes } from '../sources/make.ts'
import { backdoored, classes, picturesOf, side, triggerOf } from './backdoored-model.ts'

/** Flags the first rows and hands over the triggers of a test. */
const probe = vi.hoisted(() => ({ detectors: [] as unknown[] }))
vi.mock('../../src/detectors/registry.ts', () => ({ detectors: probe.detectors, detectorById: () => probe.detectors[0] }))
let found: readonly RecoveredTrigger[] = []
const detector: Detector = {
  id: 'probe',
  version: 1,
  title: 'Probe',
  rules: [],
  options: { parse: () => ({}) },
  missing: () => null,
  mode: () => 'notes rows',
  reads: () => ['label'],
  statistics: () => [],
  scorer: () => (batch) => ({ score: Float64Array.from({ length: batch.numRows }, (_, i) => (i < 5 ? 1 : 0)) }),
  decide: () => [{ rule: 'probe/all', group: null, atLeast: 1 }],
  conclude: () => ({ findings: [], tests: [], notes: [], triggers: found }),
}
probe.detectors.push(detector)

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-model-'))
  const put = (name: string, bytes: Uint8Array | string) => writeFile(join(dir, name), bytes)
  for (const [name, count] of [
    ['all', 480],
    ['few', 150],
  ] as const) {
    const { data, labels } = picturesOf(count)
    await put(`${name}.npy`, npyBytes('|u1', [count, side, side, 3], data))
    await put(
      `${name}-labels.npy`,
      npyBytes(
        '|u1',
        [count],
        Uint8Array.from(labels, (l) => classes.indexOf(l as 'dark')),
      ),
    )
  }
  await put('backdoored.onnx', encode(backdoored(400)))
  await put('embeds.onnx', encode(backdoored(400, true)))
  await put('embeds-clean.onnx', encode(backdoored(0, true)))
  await put('clean.onnx', encode(backdoored(0)))
  await put(
    'hostile.onnx',
    altered(backdoored(0), (model) => {
      const node = model.graph?.node?.[0]
      if (node) node.domain = 'com.evil'
    }),
  )
  await put('triggers.json', triggersText([triggerOf('middle')]))
}, 60_000)
afterAll(() => rm(dir, { recursive: true, force: true }))

let runs = 0
async function run(
  lines: string,
  { images = 'all', excerpts = false, reference = false, more = '' } = {},
): Promise<{ readonly report: Report; readonly runDir: string }> {
  const file = join(dir, `pipeline-${++runs}.yaml`)
  const source = `{ arrays: { image: ${images}.npy, label: ${images}-labels.npy }, classes: [${classes.join(', ')}] }`
  await writeFile(
    file,
    `version: 1\nsources: [${source}]\n${reference ? `reference: [${source}]\n` : ''}report: { excerpts: ${excerpts} }\n${more}base-model:\n  mean: [0]\n  std: [1]\n${lines
      .split('\n')
      .map((line) => `  ${line}`)
      .join('\n')}\n`,
  )
  const loaded = await loadPipeline(file)
  const runDir = join(dir, `run-${runs}`)
  const hooks = { progress: () => {}, log: () => {} }
  const { report } = await audit({ ...loaded, runDir, resume: false, seed: 'x', now: new Date('2026-01-01T00:00:00Z'), workers: 1, hooks })
  return { report, runDir }
}
const model = (report: Report) => report.detectors.find((d) => d.id === 'base-model')
const named = '\nclasses: [dark, middle, bright]\nsamples: 200'

describe('base-model/trigger-response', () => {
  it('says that a model has learned a trigger that the audit found, with controls and the picture', async () => {
    found = [triggerOf('middle')]
    const { report, runDir } = await run(`model: backdoored.onnx${named}`)
    const [finding] = report.findings
    expect(finding).toMatchObject({ rule: 'base-model/trigger-response', severity: 'critical', gates: true, count: 200 })
    expect(finding?.message).toMatch(
      /^With a mark of 4 x 4 pixels at column 7, row 2 of 12 x 12 stamped on, backdoored\.onnx answers middle for 200 of 200 clean pictures of other labels; without it for \d+, with the strongest of \d+ other patterns for \d+\.$/,
    )
    expect(finding?.test?.p).toBeLessThan(1e-60)
    const table = finding?.evidence.find((e) => e.kind === 'table')
    expect(table?.rows.length).toBeGreaterThanOrEqual(1 + 1 + 5)
    const hits = (kind: string) => (table?.rows ?? []).filter((r) => r[1] === kind).map((r) => r[2])
    expect(Math.max(...(hits('another pattern at its place') as number[]), ...(hits('the trigger elsewhere') as number[]))).toBeLessThan(30)
    expect(finding?.evidence.filter((e) => e.kind === 'pictures').map((e) => e.ofRecords)).toEqual([false])
    expect(model(report)).toMatchObject({ status: 'ran', coverage: null })
    expect(model(report)?.notes.join(' ')).toContain('(from probe)')
    expect(report.exitCode).toBe(1)
    expect(await readFile(join(runDir, 'triggers.json'), 'utf8')).toBe(triggersText(found))
  })

  it('shows clean pictures before and after only where excerpts are allowed, and none that was flagged', async () => {
    found = [triggerOf('middle')]
    const { report } = await run(`model: backdoored.onnx${named}`, { excerpts: true })
    const shown = report.findings[0]?.evidence.filter((e) => e.kind === 'pictures' && e.ofRecords) ?? []
    expect(shown.map((e) => (e.kind === 'pictures' ? e.items.length : 0))).toEqual([12])
    const captions = shown.flatMap((e) => (e.kind === 'pictures' ? e.items.map((i) => i.caption) : []))
    for (const caption of captions) expect(Number(/row (\d+)/.exec(caption)?.[1])).toBeGreaterThanOrEqual(5)
    for (const caption of captions) expect(caption).not.toContain('middle')
  })

  it('says that a model has not learned it', async () => {
    found = []
    const { report } = await run(`model: clean.onnx\ntriggers: [triggers.json]${named}`)
    expect(report.findings).toEqual([])
    expect(report.exitCode).toBe(0)
    expect(report.tests.map((t) => t.id)).toEqual(['base-model/trigger-response: trigger 1, middle'])
    expect(model(report)?.notes.join(' ')).toMatch(
      /from triggers\.json\): with .* stamped on, clean\.onnx answers middle for \d+ of 200 .*has not learned this trigger/,
    )
  })

  it('asks an embedding by the means of the labels, and a trigger without a label by what it draws together', async () => {
    found = [triggerOf('middle'), triggerOf(null)]
    const { report } = await run('model: embeds.onnx\nsamples: 200')
    expect(report.findings.map((f) => f.message.replace(/^.* stamped on, | \d+ of \d+ .*$/g, ''))).toEqual([
      'embeds.onnx places beside the mean of middle',
      'embeds.onnx draws together',
    ])
    const clean = await run('model: embeds-clean.onnx\nsamples: 200')
    expect(clean.report.findings).toEqual([])
    expect(clean.report.tests).toHaveLength(2)
  })

  it('takes clean pictures from the reference where there is one', async () => {
    found = [triggerOf('middle')]
    const { report } = await run(`model: backdoored.onnx${named}`, { reference: true })
    expect(model(report)).toMatchObject({ status: 'ran', reason: '1 trigger stamped on clean pictures of the reference, classes compared' })
    expect(report.findings).toHaveLength(1)
    const none = await run(`model: backdoored.onnx\nimages: reference${named}`)
    expect(model(none.report)).toMatchObject({ status: 'not-applicable', reason: expect.stringContaining('there is none') })
  })

  it('is one detector in the report with the scan of the files of the model', async () => {
    found = [triggerOf('middle')]
    await mkdir(join(dir, 'files'))
    await writeFile(join(dir, 'files/config.json'), '{"auto_map":{"AutoModel":"modeling.Net"}}')
    const { report } = await run(`model: backdoored.onnx${named}`, { more: 'artifacts: { path: files }\n' })
    const own = report.detectors.filter((d) => d.id === 'base-model')
    expect(own).toMatchObject([{ status: 'ran', reason: expect.stringMatching(/^1 file looked into, none loaded; 1 trigger stamped on /) }])
    expect(report.findings.map((f) => f.rule).sort()).toEqual(['base-model/remote-code', 'base-model/trigger-response'])
    expect(report.tests).toHaveLength(1)
  })

  it('finds the class that a trigger without a label turns pictures to', async () => {
    found = [triggerOf(null)]
    const { report } = await run(`model: backdoored.onnx${named}`)
    expect(report.findings[0]?.message).toMatch(/, backdoored\.onnx answers middle for 100 of 100 /)
  })

  it('takes a picture of a trigger, at its place in the frame', async () => {
    found = []
    const t = triggerOf('middle')
    const [left, top, width, height] = t.box
    const data = Uint8Array.from(
      { length: width * height },
      (_, i) => t.pattern[(top + Math.floor(i / width)) * side + left + (i % width)] as number,
    )
    await sharp(data, { raw: { width, height, channels: 1 } })
      .png()
      .toFile(join(dir, 'patch.png'))
    const at = `[{ file: patch.png, target: middle, at: [${left}, ${top}], frame: [${side}, ${side}] }]`
    expect((await run(`model: backdoored.onnx\ntriggers: ${at}${named}`)).report.findings).toHaveLength(1)
    const elsewhere = at.replace(`[${left}, ${top}]`, '[1, 7]')
    expect((await run(`model: backdoored.onnx\ntriggers: ${elsewhere}${named}`)).report.findings).toHaveLength(0)
  })
})

describe('what cannot be asked', () => {
  it('a model with operators of its own is refused before it runs: the audit is incomplete', async () => {
    found = [triggerOf('middle')]
    const { report } = await run(`model: hostile.onnx${named}`)
    expect(report.exitCode).toBe(2)
    expect(model(report)?.status).toBe('failed')
    expect(JSON.stringify(report.reasons)).toContain('com.evil')
  })

  it('nothing was found and nothing given: it ran, and says so', async () => {
    found = []
    const { report } = await run(`model: backdoored.onnx${named}`)
    expect(model(report)).toMatchObject({ status: 'ran', reason: expect.stringContaining('nothing to ask') })
    expect(report.exitCode).toBe(0)
  })

  it('too few clean pictures, or a class that the model does not have, are said', async () => {
    found = [triggerOf('middle')]
    const few = await run(`model: backdoored.onnx${named}`, { images: 'few' })
    expect(model(few.report)).toMatchObject({
      status: 'not-applicable',
      reason: expect.stringMatching(/there are \d+ clean pictures of other labels, and 200 are needed/),
    })
    found = [triggerOf('grey')]
    expect(model((await run(`model: backdoored.onnx${named}`)).report)?.reason).toContain('the model has no class grey')
  })

  it('classes that do not fit the model are told with the key', async () => {
    found = [triggerOf('middle')]
    const { report } = await run('model: backdoored.onnx\nclasses: [a, b]')
    expect(JSON.stringify(report.reasons)).toContain('gives 3 values a picture, and base-model.classes names 2')
  })

  it('files that are missing or no triggers end the run before it starts', async () => {
    found = []
    await expect(run('model: none.onnx')).rejects.toMatchObject({ code: 'model-missing', exit: 4 })
    await writeFile(join(dir, 'bad.json'), '{"version":1,"triggers":[{"height":2}]}')
    await expect(run(`model: clean.onnx\ntriggers: [bad.json]`)).rejects.toMatchObject({ code: 'model-options', exit: 4 })
    await expect(run('samples: 300')).rejects.toMatchObject({ message: expect.stringContaining('names no model') })
  })
})
