import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadPipeline } from '../../../src/config/load.ts'
import { type AuditResult, audit } from '../../../src/engine/audit.ts'
import { keyed } from '../../../src/math/rng.ts'
import { renderHtml } from '../../../src/report/render/html.ts'
import { renderMarkdown } from '../../../src/report/render/markdown.ts'

const now = new Date('2026-01-01T00:00:00Z')
const hooks = { progress: () => {}, log: () => {} }

/** Two classes that two numbers tell apart. */
function table(rows: number): string {
  const random = keyed(Uint8Array.of(1), 'table')
  const lines = Array.from({ length: rows }, (_, i) => {
    const side = i % 2 ? 3 : -3
    return [`r${i}`, i % 2 ? 'b' : 'a', ...Array.from({ length: 3 }, () => (random.normal() + side).toFixed(4))].join(',')
  })
  return ['id,label,x,y,z', ...lines].join('\n')
}

async function run(
  dir: string,
  name: string,
  sensitivity: string,
  resume = false,
  off = 'embedding-cluster: false, embedding-outlier: false',
): Promise<AuditResult> {
  const file = join(dir, `${name}.yaml`)
  await writeFile(
    file,
    `version: 1\nsources: [{ path: data.csv, columns: { id: id, label: label }, features: [x, y, z] }]\n` +
      `detectors: { ${off}, spectral: false, trigger-tabular: false }\n${sensitivity}\nreport: { formats: [json], flags: csv }\n`,
  )
  const { pipeline, base } = await loadPipeline(file)
  return audit({ pipeline, base, runDir: join(dir, name), resume, seed: 'x', now, workers: 1, hooks })
}

let dir = ''
let result: AuditResult
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-'))
  await writeFile(join(dir, 'data.csv'), table(400))
  result = await run(dir, 'tried', 'sensitivity: { rates: [0.05], seeds: 2, precision: 1, attacks: [flip-uniform, column-value] }')
}, 300_000)

describe('an audit that tries attacks', () => {
  it('says what share of the attacked records it would have flagged', () => {
    const tried = result.report.sensitivity
    expect(tried).toMatchObject({ rows: 400, of: 400, seeds: 2, rate: 0.05, skipped: 0 })
    const flips = tried?.attacks.find((a) => a.attack === 'flip-uniform')
    expect(flips?.rates.map((r) => [r.rate, r.carriers, r.trials])).toEqual([[0.05, 20, 2]])
    expect(flips?.rates[0]?.recall).toBeGreaterThan(0.8)
    expect(flips?.detectors).toEqual(['label-flip'])
  })

  it('names the attack that it misses under coverage/blind-spot, and passes', () => {
    const { findings, verdict } = result.report
    expect(findings.filter((f) => f.rule === 'coverage/blind-spot').map((f) => [f.severity, f.scope.names])).toEqual([
      ['low', ['column-value']],
    ])
    expect(verdict).toBe('passed')
  })

  it('leaves the data and its own flags as they are', async () => {
    const plain = await run(dir, 'plain', '')
    expect(result.report.rows).toEqual(plain.report.rows)
    expect(plain.report.sensitivity).toBeNull()
    expect(await readFile(join(dir, 'data.csv'), 'utf8')).toBe(table(400))
  })

  it('shows it in the pages', async () => {
    const html = await renderHtml(result.report)
    expect(html).toContain('What this audit would have found')
    expect(html).toContain('labels become any other')
    expect(renderMarkdown(result.report)).toContain('| labels become any other |')
  })

  it('is resumed to the same report without a second trial', async () => {
    const before = (await readdir(join(dir, 'tried/sensitivity'))).length
    const again = await run(
      dir,
      'tried',
      'sensitivity: { rates: [0.05], seeds: 2, precision: 1, attacks: [flip-uniform, column-value] }',
      true,
    )
    expect(again.report).toEqual(result.report)
    expect((await readdir(join(dir, 'tried/sensitivity'))).length).toBe(before)
    expect(before).toBe(4)
  })

  it('repeats an attack until its recall is known, and not again', async () => {
    const block = 'sensitivity: { rates: [0.05], seeds: 2, precision: 0.15, attacks: [column-value] }'
    const { report } = await run(dir, 'precise', block, false, 'label-flip: false')
    expect(report.sensitivity?.attacks[0]?.rates[0]?.trials).toBeGreaterThan(4)
    const again = await run(dir, 'precise', block, true, 'label-flip: false')
    expect(again.report.sensitivity).toEqual(report.sensitivity)
  })

  it('refuses an attack that there is not', async () => {
    await expect(run(dir, 'wrong', 'sensitivity: { attacks: [flipp] }')).rejects.toThrow(/no attack "flipp"/)
  })
})
