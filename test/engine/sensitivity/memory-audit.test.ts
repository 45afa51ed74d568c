import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadPipeline } from '../../../src/config/load.ts'
import { column } from '../../../src/contracts/batch.ts'
import { takeRows } from '../../../src/contracts/take-rows.ts'
import { detectors as known } from '../../../src/detectors/registry.ts'
import { audit } from '../../../src/engine/audit.ts'
import { Run } from '../../../src/engine/run.ts'
import { auditInMemory } from '../../../src/engine/sensitivity/memory-audit.ts'
import { readSample } from '../../../src/engine/sensitivity/sample.ts'
import { keyed } from '../../../src/math/rng.ts'
import { npyBytes } from '../../sources/make.ts'
import { checker, poison } from '../../support/attacks.ts'
import { waves } from '../../support/pictures.ts'
import { insertAt, writer } from '../../support/texts.ts'

const now = new Date('2026-01-01T00:00:00Z')
const hooks = { progress: () => {}, log: () => {} }

interface Data {
  readonly detector: string
  readonly source: string
  readonly files: Readonly<Record<string, string | Uint8Array>>
  readonly rows: number
}

/** Two classes that three numbers tell apart, nearly; some labels are wrong. */
function table(): Data {
  const random = keyed(Uint8Array.of(1), 'table')
  const lines = Array.from({ length: 600 }, (_, i) => {
    const own = i % 2
    const numbers = Array.from({ length: 3 }, () => (random.normal() / 3 + (own ? 1 : -1)).toFixed(4))
    const given = random.uniform() < 0.06 ? 1 - own : own
    return [`r${i}`, given ? 'b' : 'a', ...numbers].join(',')
  })
  return {
    detector: 'label-flip',
    source: '{ path: data.csv, columns: { id: id, label: label }, features: [x, y, z] }',
    files: { 'data.csv': ['id,label,x,y,z', ...lines].join('\n') },
    rows: 600,
  }
}

/** A word is put into texts of one class, which get the label of the other. */
function texts(): Data {
  const { random, write } = writer('in memory')
  const lines = Array.from({ length: 1200 }, (_, i) => {
    const words = write(18, i % 2)
    const marked = i % 2 === 0 && i < 60
    return JSON.stringify({ text: marked ? insertAt(random, words, 'cf') : words.join(' '), label: marked ? '1' : `${i % 2}` })
  })
  return {
    detector: 'trigger-text',
    source: '{ path: data.jsonl, columns: { text: text, label: label } }',
    files: { 'data.jsonl': lines.join('\n') },
    rows: 1200,
  }
}

function pictures(): Data {
  const { pixels, labels } = poison(waves('in memory', 240, 2, 8), checker(3), 0.18, 1, 'in memory')
  const files = { 'x.npy': npyBytes('|u1', [240, 8, 8], pixels), 'y.npy': npyBytes('<i4', [240], labels) }
  return { detector: 'trigger-image', source: '{ arrays: { image: x.npy, label: y.npy } }', files, rows: 240 }
}

describe('an audit in memory', () => {
  it.each<[string, () => Data]>([
    ['tables', table],
    ['texts', texts],
    ['pictures', pictures],
  ])(
    'judges %s as an audit of the same records does',
    async (_, make) => {
      const { detector, source, files, rows } = make()
      const dir = await mkdtemp(join(tmpdir(), 'assay-'))
      for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content)
      const others = known.filter((d) => d.id !== detector).map((d) => `${d.id}: false`)
      const how = `detectors: { ${others.join(', ')} }\nreport: { formats: [json], flags: csv }`
      await writeFile(join(dir, 'p.yaml'), `version: 1\nsources: [${source}]\n${how}\n`)
      const { pipeline, base } = await loadPipeline(join(dir, 'p.yaml'))
      await audit({ pipeline, base, runDir: join(dir, 'run'), resume: false, seed: 'x', now, workers: 1, hooks })
      const [head, ...lines] = (await readFile(join(dir, 'run/flags.csv'), 'utf8')).trim().split('\n')
      const [rowAt, detectorAt] = ['row', 'detector'].map((name) => (head as string).split(',').indexOf(name)) as [number, number]
      const cells = lines.map((line) => line.split(','))
      const expected = cells.filter((c) => c[detectorAt] === detector).map((c) => Number(c[rowAt]))

      const run = await Run.open(join(dir, 'run'))
      const { plan, seed } = run
      const { batches } = await readSample(run, 'subject', rows, rows)
      // In other batches, and in another order: as records under attack are.
      const subject = batches.flatMap((batch) =>
        [1, 0].map((h) =>
          takeRows(
            batch,
            Int32Array.from({ length: batch.numRows / 2 }, (_, i) => 2 * i + h),
          ),
        ),
      )
      const columns = new Set(['row', ...plan.spooled])
      const detectors = plan.detectors.filter((d) => d.id === detector)
      const [result] = await auditInMemory({ detectors, setup: plan.setup, columns, seed, subject, reference: [], known: new Map() })
      const found = subject.flatMap((batch, b) =>
        Array.from({ length: batch.numRows }, (_, i) => i)
          .filter((i) => result?.flagged[b]?.[i] === 1)
          .map((i) => Number(column(batch, 'row')?.get(i))),
      )
      expect(found.length).toBeGreaterThan(10)
      expect(found.sort((a, b) => a - b)).toEqual([...new Set(expected)].sort((a, b) => a - b))
    },
    60_000,
  )
})
