import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadPipeline } from '../../src/config/load.ts'
import { parseReport } from '../../src/report/schema.ts'
import { folderWith } from '../config/files.ts'
import { assay as bare, type Ran, type World } from './harness.ts'

function normals(seed: number): () => number {
  let state = seed
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state + 1) / 4294967297
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

const labelOf = (i: number): string => (i % 3 === 1 && i % 10 === 1 ? 'c' : ('abc'[i % 3] as string))
const sourceOf = (i: number): string => ['north', 'south'][i % 2] as string

/** Three separate clouds of four numbers; every tenth label of class b says c. */
function measurements(rows = 300): string {
  const normal = normals(1)
  const row = (i: number): string => [0, 1, 2, 3].map((j) => ((i % 3 === j ? 6 : 0) + normal()).toFixed(4)).join(',')
  const lines = Array.from({ length: rows }, (_, i) => `r${i},${row(i)},${labelOf(i)},${sourceOf(i)}`)
  return ['uid,width,height,depth,mass,diagnosis,hospital', ...lines, ''].join('\n')
}

/** The same labels beside the predictions of a model that knows the classes. */
function records(rows = 300): string {
  const normal = normals(2)
  const row = (i: number): string => {
    const odds = [0, 1, 2].map((k) => Math.exp((i % 3 === k ? 4 : 0) + normal()))
    const sum = odds.reduce((a, b) => a + b, 0)
    return odds.map((o) => (o / sum).toFixed(6)).join(',')
  }
  const lines = Array.from({ length: rows }, (_, i) => `r${i},${row(i)},${'abc'.indexOf(labelOf(i))},${sourceOf(i)}`)
  return ['uid,p_0,p_1,p_2,diagnosis,hospital', ...lines, ''].join('\n')
}

const home = process.cwd()
let folder: string
const assay = (argv: readonly string[], world?: World): Promise<Ran> => bare(argv, world)
const report = async (dir: string) => parseReport(await readFile(join(folder, dir, 'report.json'), 'utf8'))
const common = ['--seed', 'one', '--workers', '1']

beforeEach(async () => {
  folder = await folderWith({ 'records.csv': records() })
  process.chdir(folder)
})
afterEach(() => process.chdir(home))

describe('audit', () => {
  test('--only runs the named detectors and switches the others off', async () => {
    const { code } = await assay(['audit', 'records.csv', '--only', 'label-flip', '--run-dir', 'one', ...common])
    expect(code).toBe(1)
    const { detectors } = await report('one')
    expect(detectors.filter((d) => d.status !== 'disabled').map((d) => d.id)).toEqual(['label-flip'])
    const wrong = await assay(['audit', 'records.csv', '--only', 'label-flp', ...common])
    expect([wrong.code, wrong.stderr]).toEqual([4, expect.stringContaining('did you mean label-flip?')])
  })

  test('says that no column was taken for the label, and which could be', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i % 2 ? 'pos' : 'neg'},${i},${(i * 7) % 11}.5`)
    await writeFile(join(folder, 'unnamed.csv'), `result,a,b\n${rows.join('\n')}\n`)
    const hint = 'none was taken for the label: where one is, name it, as in --label result'
    expect((await assay(['audit', 'unnamed.csv', '--dry-run', ...common])).stdout).toContain(hint)
    expect((await assay(['audit', 'unnamed.csv', '--run-dir', 'run', ...common])).stderr).toContain(hint)
    const { stdout } = await assay(['audit', 'unnamed.csv', '--label', 'result', '--dry-run', ...common])
    expect(stdout).toContain('label <- result')
    expect(stdout).not.toContain('none was taken')
  })

  test('guesses, says so, writes its files and prints the summary', async () => {
    const { code, stdout, stderr } = await assay(['audit', 'records.csv', ...common])
    expect(stderr).toContain('columns guessed: ')
    expect(stderr).toContain('label <- diagnosis')
    expect(stderr).toContain('--print-config')
    const [run = ''] = await readdir(join(folder, 'assay-runs'))
    expect(run).toBe('records-20261123-090000')
    const written = await report(join('assay-runs', run))
    expect(written.rows.read).toBe(300)
    expect(written.rows.flagged).toBeGreaterThanOrEqual(5)
    expect(code).toBe(written.exitCode)
    expect(stdout).toContain(written.headline.slice(0, 30))
    expect(stdout).toContain(join('assay-runs', run, 'report.html'))
    for (const file of ['report.html', 'report.sarif', 'report.md', 'flags.parquet'])
      expect(existsSync(join('assay-runs', run, file))).toBe(true)
    expect(stdout).not.toContain('\u001b')
  })

  test('--json prints report.json alone, and a second run has a folder of its own', async () => {
    const first = await assay(['audit', 'records.csv', '--json', ...common])
    const second = await assay(['audit', 'records.csv', '--json', ...common])
    expect(await readdir('assay-runs')).toEqual(['records-20261123-090000', 'records-20261123-090000-2'])
    expect(first.stdout).toBe(await readFile(join('assay-runs', 'records-20261123-090000', 'report.json'), 'utf8'))
    expect(second.stdout).toBe(first.stdout)
  })

  test('the gate decides the exit code, and --exit-zero only that of a failed gate', async () => {
    const strict = ['audit', 'records.csv', '--max-flagged', '0', '--quiet', ...common]
    expect(await assay([...strict, '--run-dir', 'a'])).toEqual({ code: 1, stdout: '', stderr: '' })
    expect((await assay([...strict, '--run-dir', 'b', '--exit-zero'])).code).toBe(0)
    expect((await assay(['audit', 'records.csv', '--max-flagged', '100%', '--fail-on', 'never', '--run-dir', 'c', ...common])).code).toBe(0)
  })

  test('a pipeline file says what is audited; a required detector without its columns is incomplete', async () => {
    await writeFile(
      'p.yaml',
      'version: 1\nsources: [{ path: records.csv, columns: { id: uid, text: hospital } }]\ngate: { require: [label-flip] }\n',
    )
    const { code } = await assay(['audit', 'p.yaml', '--run-dir', 'run', '--exit-zero', ...common])
    expect(code).toBe(2)
    expect((await report('run')).reasons.map((r) => r.code)).toContain('required-detector')
  })

  test('naming the label leaves the other columns to the guess', async () => {
    await writeFile('measured.csv', measurements())
    const { code, stderr } = await assay([
      'audit',
      'measured.csv',
      '--label',
      'hospital',
      '--run-dir',
      'run',
      '--flags',
      'jsonl',
      ...common,
    ])
    const { columns } = JSON.parse(await readFile('run/plan.json', 'utf8')).pipeline.sources[0]
    expect(columns).toEqual({ label: 'hospital', id: 'uid', features: ['width', 'height', 'depth', 'mass'] })
    expect(stderr).toContain('label <- hospital')
    expect(existsSync('run/flags.jsonl')).toBe(true)
    expect([0, 1]).toContain(code)
  })

  test('--keep-scores and --formats', async () => {
    await assay(['audit', 'records.csv', '--run-dir', 'run', '--keep-scores', 'jsonl', '--formats', 'markdown', ...common])
    const files = (await readdir('run')).filter((name) => /^(report|flags|scores)\./.test(name)).sort()
    expect(files).toEqual(['flags.parquet', 'report.json', 'report.md', 'scores.jsonl'])
    expect((await readFile('run/scores.jsonl', 'utf8')).trim().split('\n')).toHaveLength(300)
  })
})

describe('before anything is audited', () => {
  test('--dry-run prints the plan and writes nothing', async () => {
    const { code, stdout } = await assay(['audit', 'records.csv', '--dry-run', ...common])
    expect(code).toBe(0)
    for (const words of ['records.csv', 'label-flip: runs', 'fit 0', 'memory: ']) expect(stdout).toContain(words)
    expect(await readdir('.')).toEqual(['records.csv'])
  })

  test('--print-config prints a pipeline file that audits the same', async () => {
    const { code, stdout } = await assay(['audit', 'records.csv', '--print-config'])
    expect(code).toBe(0)
    expect(stdout).toContain('# Columns guessed from names and types')
    await writeFile('p.yaml', stdout)
    expect((await loadPipeline('p.yaml')).pipeline.sources[0]?.columns).toMatchObject({ id: 'uid', label: 'diagnosis', source: 'hospital' })
    await assay(['audit', 'records.csv', '--run-dir', 'a', ...common])
    await assay(['audit', 'p.yaml', '--run-dir', 'b', ...common])
    const [a, b] = [await report('a'), await report('b')]
    expect([b.findings, b.records, b.gate]).toEqual([a.findings, a.records, a.gate])
  })

  test.each<[string, readonly string[], readonly string[]]>([
    ['data that are not there', ['audit', 'none.csv'], ['none.csv']],
    ['nothing', ['audit'], ['nothing to audit']],
    ['two pipeline files', ['audit', 'a.yaml', 'b.yaml'], ['stands alone']],
    ['a pipeline file beside data', ['audit', 'a.yaml', 'records.csv'], ['--config a.yaml']],
    ['a column that is not there', ['audit', 'records.csv', '--label', 'diagnosys'], ['diagnosis']],
    ['a preset that is not there', ['audit', 'records.csv', '--preset', 'vendor'], ['vendor-intake']],
    ['--resume of what', ['audit', 'records.csv', '--resume'], ['--run-dir']],
    ['a plan for where', ['plan', 'records.csv'], ['--run-dir']],
    ['an address that is none', ['audit', 'ftp://host/x.csv'], ['ftp://']],
    ['standard input of a terminal', ['fit', '--run-dir', 'none', '--level', '0'], ['none']],
  ])('%s exits 4', async (_, argv, words) => {
    const { code, stdout, stderr } = await assay(argv)
    expect([code, stdout]).toEqual([4, ''])
    for (const word of words) expect(stderr).toContain(word)
    expect(stderr).not.toMatch(/internal error|\n\s+at /)
  })

  test('a mistake in the pipeline file is shown with its position', async () => {
    await writeFile('p.yaml', 'version: 1\nsources: [{ path: records.csv }]\ngate: { fail_on: high }\n')
    const { code, stderr } = await assay(['audit', 'p.yaml'])
    expect([code, stderr]).toEqual([4, 'assay: p.yaml:3:9: gate.fail_on: is not a known key (did you mean fail-on?)\n'])
  })

  test('a clock that is no clock', async () => {
    const { code, stderr } = await assay(['audit', 'records.csv'], { env: { ASSAY_NOW: 'noon' } })
    expect(code).toBe(4)
    expect(stderr).toContain('ASSAY_NOW')
  })
})

describe('a run', () => {
  test('in steps on shards gives the same report as audit', async () => {
    const lines = records().trim().split('\n')
    for (let i = 0; i < 3; i++) await writeFile(`part-${i}.csv`, [lines[0], ...lines.slice(1 + i * 100, 101 + i * 100)].join('\n'))
    await assay(['audit', 'part-*.csv', '--run-dir', 'whole', ...common])
    const planned = await assay(['plan', 'part-*.csv', '--run-dir', 'steps', ...common])
    expect(planned.stdout).toContain('assay fit --run-dir steps --level 0')
    const levels = JSON.parse(await readFile('steps/plan.json', 'utf8')).levels.length
    for (let level = 0; level < levels; level++) {
      for (const shard of ['2/2', '1/2'])
        expect((await assay(['fit', '--run-dir', 'steps', '--level', String(level), '--shard', shard])).stderr).toBe('')
      expect((await assay(['merge', '--run-dir', 'steps', '--level', String(level)])).code).toBe(0)
    }
    for (const shard of ['1/3', '3/3', '2/3']) expect((await assay(['score', '--run-dir', 'steps', '--shard', shard])).code).toBe(0)
    const finished = await assay(['report', '--run-dir', 'steps', '--json'])
    expect(finished.stdout).toBe(await readFile('whole/report.json', 'utf8'))
    expect(finished.code).toBe(JSON.parse(finished.stdout).exitCode)
  })

  test('out of order is an error that says what is missing', async () => {
    await assay(['plan', 'records.csv', '--run-dir', 'steps', ...common])
    for (const argv of [['merge', '--level', '0'], ['score'], ['report'], ['fit', '--level', '9']]) {
      const { code, stderr } = await assay([...argv, '--run-dir', 'steps'])
      expect(code).toBe(4)
      expect(stderr).toMatch(/^assay: /)
      expect(stderr).not.toContain('internal error')
    }
  })

  test('is not overwritten, and goes on with --resume', async () => {
    const argv = ['audit', 'records.csv', '--run-dir', 'run', ...common]
    const first = await assay(argv)
    const bytes = await readFile('run/report.json', 'utf8')
    const again = await assay(argv)
    expect(again.code).toBe(4)
    expect(again.stderr).toContain('--resume')
    expect((await assay([...argv, '--resume'])).code).toBe(first.code)
    expect(await readFile('run/report.json', 'utf8')).toBe(bytes)
  })

  test('that is interrupted says how to go on, and does', async () => {
    const stopped = await assay(['audit', 'records.csv', '--run-dir', 'my run', ...common], { signal: AbortSignal.abort() })
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toContain(
      "interrupted; resume with: assay audit records.csv --run-dir 'my run' --seed one --workers 1 --resume\n",
    )
    const resumed = await assay(['audit', 'records.csv', '--run-dir', 'my run', ...common, '--resume'])
    expect(resumed.code).not.toBe(130)
    await assay(['audit', 'records.csv', '--run-dir', 'whole', ...common])
    expect(await readFile('my run/report.json', 'utf8')).toBe(await readFile('whole/report.json', 'utf8'))
  })

  test('of standard input finds what a file has', async () => {
    const piped = await assay(['audit', '-', '--run-dir', 'piped', ...common], { stdin: records() })
    const filed = await assay(['audit', 'records.csv', '--run-dir', 'filed', ...common])
    expect(piped.code).toBe(filed.code)
    const [a, b] = [await report('piped'), await report('filed')]
    const stripped = (r: typeof a) => r.records.map(({ shard: _, ...rest }) => rest)
    expect(stripped(a)).toEqual(stripped(b))
    expect(new Set(a.records.map((r) => r.shard))).toEqual(new Set(['stdin.csv']))
    const printed = await assay(['audit', '-', '--print-config'], { stdin: records() })
    expect(printed.stdout).toContain('path: "-"')
  })

  test('of empty standard input audits nothing', async () => {
    const { code, stderr } = await assay(['audit', '-', '--run-dir', 'run'], { stdin: '' })
    expect([3, 4]).toContain(code)
    expect(stderr).toContain('standard input')
  })
})
