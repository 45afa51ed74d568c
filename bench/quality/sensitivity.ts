// Predicted and true recall: node --import tsx bench/quality/sensitivity.ts PIPELINE.yaml [SEEDS] [ATTACK,...]
// The pipeline file names one source; its `sensitivity:` says rates and seeds. Predicted: an audit of the data as they are. True: the same
// attacks under other seeds on copies on disk, each audited whole by the built program.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { cases } from '../../src/engine/sensitivity/cases.ts'
import { keyed } from '../../src/math/rng.ts'

interface Predicted {
  readonly attacks: readonly {
    readonly attack: string
    readonly rates: readonly { readonly rate: number; readonly recall: number; readonly low: number | null; readonly high: number | null }[]
  }[]
}

const bin = resolve(import.meta.dirname, '../../dist/cli/bin.js')
const [file = '', seedsGiven = '3', only] = process.argv.slice(2)
const work = mkdtempSync(join(tmpdir(), 'assay-sensitivity-'))

const assay = (...args: string[]): void => {
  execFileSync(process.execPath, [bin, ...args, '--exit-zero', '--quiet', '--progress', 'none'], { stdio: ['ignore', 'ignore', 'inherit'] })
}
const rowsOf = (csv: string): readonly Record<string, string>[] => {
  const [head = '', ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\n')
  const names = head.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i] as string, cell])))
}

const pipeline = parse(readFileSync(file, 'utf8')) as Record<string, unknown> & { sources: [Record<string, unknown> & { path: string }] }
const source = { ...pipeline.sources[0], path: resolve(file, '..', pipeline.sources[0].path) }
const written = (name: string, path: string, sensitivity: unknown): string => {
  const target = join(work, name)
  const gate = { 'fail-on': 'never', 'max-flagged': 1 }
  writeFileSync(
    target,
    stringify({ ...pipeline, sources: [{ ...source, path }], gate, sensitivity, report: { formats: ['json'], flags: 'csv' } }),
  )
  return target
}

interface Plain {
  readonly labels: readonly { readonly name: string }[]
  readonly sources: readonly { readonly name: string }[]
  readonly columns: readonly { readonly name: string; readonly role: string | null }[]
  readonly sensitivity: Predicted
}

try {
  const asked = pipeline.sensitivity === true ? {} : (pipeline.sensitivity as object)
  assay(
    'audit',
    written('predict.yaml', source.path, { ...asked, ...(only ? { attacks: only.split(',') } : {}) }),
    '--run-dir',
    join(work, 'predicted'),
    '--seed',
    '1',
  )
  const report = JSON.parse(readFileSync(join(work, 'predicted/report.json'), 'utf8')) as Plain
  const names = (list: readonly { readonly name: string }[]) => list.map((l) => l.name)
  const columns = names(report.columns.filter((c) => c.role === 'features'))
  for (const { attack: id, rates } of report.sensitivity.attacks) {
    const found = cases.find((c) => c.id === id)
    for (const { rate, recall, low, high } of rates) {
      const truths: number[] = []
      for (let seed = 0; seed < Number(seedsGiven); seed++) {
        const random = keyed(Uint8Array.of(seed), `truth ${id}`)
        const options = found?.options({
          labels: names(report.labels),
          sources: names(report.sources),
          columns,
          categories: [],
          side: 28,
          random,
        })
        if (!found || !options) continue
        const folder = join(work, `${id}-${rate}-${seed}`)
        const args = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${String(value)}`])
        const data = written('inject.yaml', source.path, false)
        execFileSync(
          process.execPath,
          [bin, 'inject', data, '--attack', found.attack.id, '--rate', String(rate), '--seed', `truth${seed}`, '--out', folder, ...args],
          { stdio: 'ignore' },
        )
        assay('audit', written('audit.yaml', join(folder, basename(source.path)), false), '--run-dir', join(folder, 'run'), '--seed', '2')
        const flagged = new Set(rowsOf(join(folder, 'run/flags.csv')).map((r) => r.row))
        const truth = rowsOf(join(folder, 'truth.csv'))
        truths.push(truth.filter((r) => flagged.has(r.row)).length / truth.length)
        rmSync(folder, { recursive: true, force: true })
      }
      if (truths.length === 0) continue
      const mean = truths.reduce((sum, x) => sum + x, 0) / truths.length
      console.log(
        JSON.stringify({
          attack: id,
          rate,
          predicted: recall,
          low,
          high,
          true: mean,
          each: truths,
          within: Math.abs(mean - recall) <= 0.1,
        }),
      )
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}
