import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadPipeline } from '../../src/config/load.ts'
import { audit } from '../../src/engine/audit.ts'
import { npyBytes } from '../sources/make.ts'
import { checker, poison } from '../support/attacks.ts'
import { waves } from '../support/pictures.ts'

const hooks = { progress: () => {}, log: () => {} }
/** Other detectors that read pixels. */
const off = ['embedding-cluster', 'embedding-outlier', 'label-flip', 'near-duplicate-image', 'perturbation-noise', 'spectral']
const detectors = `detectors: { ${off.map((id) => `${id}: false`).join(', ')} }`
const now = new Date('2026-01-01T00:00:00Z')

it('a planted mark fails the gate; records are shown only where excerpts are allowed', async () => {
  const { pixels, labels, poison: marked } = poison(waves('engine', 200, 2, 8), checker(3), 0.18, 1, 'engine')
  const dir = await mkdtemp(join(tmpdir(), 'assay-'))
  await writeFile(join(dir, 'x.npy'), npyBytes('|u1', [200, 8, 8], pixels))
  await writeFile(join(dir, 'y.npy'), npyBytes('<i4', [200], labels))
  const run = async (name: string, more: string) => {
    const file = join(dir, `${name}.yaml`)
    await writeFile(file, `version: 1\nsources: [{ arrays: { image: x.npy, label: y.npy } }]\n${detectors}\n${more}`)
    return audit({ ...(await loadPipeline(file)), runDir: join(dir, name), resume: false, seed: 'x', now, workers: 1, hooks })
  }
  const plain = (await run('plain', 'report: { formats: [json], flags: csv }')).report
  expect(plain.exitCode).toBe(1)
  expect(plain.findings.map((f) => [f.rule, f.count])).toEqual([['trigger-image/pattern', 36]])
  const pictures = (report: typeof plain) => report.findings[0]?.evidence.filter((e) => e.kind === 'pictures').map((e) => e.ofRecords)
  expect(pictures(plain)).toEqual([false])
  const flags = (await readFile(join(dir, 'plain/flags.csv'), 'utf8')).trim().split('\n').slice(1)
  const rows = [...marked.keys()].filter((r) => marked[r]).map((r) => String(r))
  expect(flags.map((line) => line.split(',').find((cell) => rows.includes(cell))).length).toBe(36)
  expect(flags.every((line) => line.includes('trigger-image/pattern'))).toBe(true)
  const shown = (await run('shown', 'report: { formats: [html], excerpts: true }')).report
  expect(pictures(shown)).toEqual([false, true])
}, 30_000)
