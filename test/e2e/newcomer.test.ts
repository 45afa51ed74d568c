import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import { assay, type Ran, reportOf, root, scratch, statements } from './program.ts'
import { csv, featureNames, jsonl, part, predictions, type Records, records } from './records.ts'

const at = scratch()

/** The exit code, with what was printed as the reason where it is another. */
const expectExit = ({ code, stdout, stderr }: Ran, expected: number): void => expect(code, stdout + stderr).toBe(expected)
const clean = records(900, 1)
const poisoned = records(900, 1, 0.4)

function file(name: string, content: string | Uint8Array): string {
  const path = at(name)
  writeFileSync(path, content)
  return path
}

function parquet(name: string, r: Records): string {
  const filename = at(name)
  parquetWriteFile({
    filename,
    rowGroupSize: 400,
    columnData: [
      { name: 'uid', data: [...r.id], type: 'STRING' },
      { name: 'diagnosis', data: [...r.label], type: 'STRING' },
      { name: 'hospital', data: [...r.source], type: 'STRING' },
      ...featureNames.map((name, d) => ({ name, data: r.features.map((x) => x[d] as number), type: 'DOUBLE' as const })),
    ],
  })
  return filename
}

describe("a newcomer's own file", () => {
  it('CSV: guesses the columns, prints the guess, passes', async () => {
    const path = file('own/animals.csv', csv(clean))
    const ran = await assay(['audit', 'animals.csv', '--seed', '1'], { cwd: dirname(path) })
    expectExit(ran, 0)
    expect(ran.stdout).toContain('900 rows read')
    expect(ran.stderr).toMatch(/label/)
    expect(ran.stderr).toMatch(/source/)
    const [run] = readdirSync(at('own/assay-runs'))
    expect(existsSync(at(`own/assay-runs/${run}/report.html`))).toBe(true)
  })

  it('CSV: names the source that flips, fails the gate', async () => {
    const path = file('flipped/animals.csv', csv(poisoned))
    const ran = await assay(['audit', path, '--run-dir', at('flipped/run'), '--seed', '1'])
    expectExit(ran, 1)
    expect(ran.stdout).toContain('Source "c"')
    const report = reportOf(at('flipped/run'))
    expect(report.findings.map((f) => f.rule)).toContain('label-flip/source')
    expect(report.findings.find((f) => f.rule === 'label-flip/source')?.scope.names).toEqual(['c', 'dog', 'cat'])
  })

  it('CSV: the printed pipeline file audits the same', async () => {
    const path = file('printed/animals.csv', csv(poisoned))
    const cwd = dirname(path)
    const direct = await assay(['audit', 'animals.csv', '--run-dir', 'direct', '--seed', '1'], { cwd })
    const printed = await assay(['audit', 'animals.csv', '--print-config'], { cwd })
    expectExit(printed, 0)
    writeFileSync(at('printed/pipeline.yaml'), printed.stdout)
    const again = await assay(['audit', 'pipeline.yaml', '--run-dir', 'written', '--seed', '1'], { cwd })
    expectExit(direct, 1)
    expectExit(again, 1)
    expect(statements(reportOf(at('printed/written')))).toEqual(statements(reportOf(at('printed/direct'))))
  })

  it('Parquet: columns by option', async () => {
    const path = parquet('own/animals.parquet', poisoned)
    const columns = ['--id', 'uid', '--label', 'diagnosis', '--source', 'hospital', '--features', featureNames.join(',')]
    const ran = await assay(['audit', path, ...columns, '--run-dir', at('own/parquet'), '--seed', '1'])
    expectExit(ran, 1)
    expect(ran.stdout).toContain('Source "c"')
    expect(reportOf(at('own/parquet')).rows.read).toBe(900)
  })

  it('.npy: predictions of the own model, flags as CSV', async () => {
    const arrays = predictions(2000, 3)
    const p = file('own/p.npy', arrays.predictions)
    const y = file('own/y.npy', arrays.label)
    const options = ['--predictions', p, '--label', y, '--flags', 'csv', '--max-flagged', '0.2']
    const ran = await assay(['audit', ...options, '--run-dir', at('own/npy'), '--seed', '1'])
    expectExit(ran, 0)
    const lines = readFileSync(at('own/npy/flags.csv'), 'utf8').trim().split('\n')
    expect(lines[0]).toBe('id,shard,row,detector,rule,score,p_value,group,given_label,suggested_label')
    expect(lines.length - 1).toBe(reportOf(at('own/npy')).rows.flagged)
    expect(lines.length - 1).toBeGreaterThan(40)
  })

  it.each([
    ['CSV', csv(poisoned)],
    ['JSONL', jsonl(poisoned)],
  ])('%s on standard input, the report on standard output', async (_, text) => {
    const run = await assay(['audit', '-', '--json', '--seed', '1', '--run-dir', at(`stdin-${_}`)], { stdin: text })
    expectExit(run, 1)
    const report = JSON.parse(run.stdout) as { rows: { read: number }; findings: { rule: string }[] }
    expect(report.rows.read).toBe(900)
    expect(report.findings.map((f) => f.rule)).toContain('label-flip/source')
  })

  it('many files of a folder by a glob', async () => {
    for (let i = 0; i < 3; i++) file(`many/part-${i}.csv`, csv(part(poisoned, 300 * i, 300 * (i + 1))))
    const ran = await assay(['audit', at('many/part-*.csv'), '--run-dir', at('many/run'), '--seed', '1'])
    expectExit(ran, 1)
    expect(reportOf(at('many/run')).rows.read).toBe(900)
  })

  it('explains a rule, says its version, and is found by npx in the clone', async () => {
    expect((await assay(['explain', 'label-flip/source'])).stdout).toContain('label-flip/source')
    const version = (JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string }).version
    expect((await assay(['--version'])).stdout.trim()).toBe(version)
    const npx = execFileSync('npx', ['--no-install', 'assay', '--version'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    expect(npx.trim()).toBe(version)
  })
})

describe('exit codes', () => {
  const small = csv(part(clean, 0, 300))

  it('0: the gate passed', async () => {
    const ran = await assay(['audit', file('codes/clean.csv', small), '--run-dir', at('codes/0')])
    expectExit(ran, 0)
    expect(ran.stdout).toContain('PASSED')
  })

  it('1: the gate failed; 0 with --exit-zero', async () => {
    const path = file('codes/poisoned.csv', csv(poisoned))
    const ran = await assay(['audit', path, '--run-dir', at('codes/1')])
    expectExit(ran, 1)
    expect(ran.stdout).toContain('FAILED')
    expect((await assay(['audit', path, '--run-dir', at('codes/1z'), '--exit-zero'])).code).toBe(0)
  })

  it('2: a file that ends too early', async () => {
    const packed = gzipSync(small)
    const path = file('codes/short.csv.gz', packed.subarray(0, packed.length - 1000))
    const ran = await assay(['audit', path, '--run-dir', at('codes/2')])
    expectExit(ran, 2)
    expect(ran.stdout + ran.stderr).toContain('short.csv.gz')
  })

  it('2: a required detector without its columns', async () => {
    file('codes/plain.csv', small)
    const yaml =
      'version: 1\nsubject: { name: plain }\nsources: [{ path: plain.csv, columns: { id: id } }]\ngate: { require: [label-flip] }\n'
    const ran = await assay(['audit', file('codes/required.yaml', yaml), '--run-dir', at('codes/2r')])
    expectExit(ran, 2)
    expect(ran.stdout).toContain('label-flip')
  })

  it('3: nothing to audit', async () => {
    const ran = await assay([
      'audit',
      file('codes/empty.csv', 'id,label,x0\n'),
      '--label',
      'label',
      '--features',
      'x0',
      '--run-dir',
      at('codes/3'),
    ])
    expectExit(ran, 3)
  })

  it.each([
    ['an unknown option', ['audit', 'x.csv', '--nonsense'], /nonsense/],
    ['a missing file', ['audit', 'nowhere.csv'], /nowhere\.csv/],
    ['no data', ['audit'], /nothing to audit/],
  ])('4: %s', async (_, args, says) => {
    const ran = await assay(args)
    expectExit(ran, 4)
    expect(ran.stdout).toBe('')
    expect(ran.stderr).toMatch(says)
  })

  it('4: a pipeline file with a wrong key, named with its line', async () => {
    const yaml = 'version: 1\nsubject: { name: plain }\nsuorces: [{ path: plain.csv }]\n'
    const ran = await assay(['audit', file('codes/wrong.yaml', yaml)])
    expectExit(ran, 4)
    expect(ran.stderr).toContain('suorces')
    expect(ran.stderr).toContain('sources')
    expect(ran.stderr).toMatch(/\b3\b/)
  })

  it('4: a run directory made for another plan', async () => {
    const one = file('codes/one.csv', small)
    const two = file('codes/two.csv', csv(part(clean, 300, 600)))
    await assay(['audit', one, '--run-dir', at('codes/4'), '--seed', '1'])
    const ran = await assay(['audit', two, '--run-dir', at('codes/4'), '--seed', '1', '--resume'])
    expectExit(ran, 4)
    expect(ran.stderr).toContain(at('codes/4'))
  })
})
