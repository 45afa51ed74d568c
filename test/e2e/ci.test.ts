import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { root } from './program.ts'
import { csv, records } from './records.ts'

interface Step {
  readonly name?: string
  readonly id?: string
  readonly if?: string
  readonly uses?: string
  readonly shell?: string
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, string>>
}
interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>
  readonly outputs: Readonly<Record<string, { readonly value: string }>>
  readonly runs: { readonly using: string; readonly steps: readonly Step[] }
}

const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as Action
const gitlab = parse(readFileSync(join(root, 'pipelines/ci/gitlab.yml'), 'utf8')) as {
  readonly variables: Readonly<Record<string, string>>
  readonly assay: {
    readonly before_script: readonly string[]
    readonly script: readonly string[]
    readonly artifacts: { readonly when: string; readonly reports: { readonly junit: string } }
  }
}

const work = (files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-ci-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}
const clean = csv(records(600, 1))
const poisoned = csv(records(600, 1, 0.6))
const env = { ...process.env, ASSAY_NOW: '2026-11-23T09:00:00Z', NO_COLOR: '1' }

/** What the runner does with a composite action: the steps with a script, in order, with expressions replaced. */
function runAction(folder: string, given: Readonly<Record<string, string>>) {
  const inputs = { ...Object.fromEntries(Object.entries(action.inputs).map(([k, v]) => [k, v.default])), ...given }
  const outputs: Record<string, string> = {}
  const expand = (text: string): string =>
    text.replace(/\$\{\{ (inputs|steps\.audit\.outputs)\.([\w-]+) \}\}/g, (_, of: string, name: string) =>
      of === 'inputs' ? (inputs[name] ?? 'unknown input') : (outputs[name] ?? ''),
    )
  const files = Object.fromEntries(['OUTPUT', 'STEP_SUMMARY', 'ENV'].map((name) => [`GITHUB_${name}`, join(folder, `github-${name}`)]))
  for (const file of Object.values(files)) writeFileSync(file, '')
  let code = 0
  let log = ''
  for (const step of action.runs.steps) {
    if (step.run === undefined) continue
    const isAlways = step.if?.startsWith('always()') === true
    if ((code !== 0 && !isAlways) || (step.if?.includes("outputs.sarif != ''") && !outputs.sarif)) continue
    const script = join(folder, 'step.sh')
    writeFileSync(script, step.run)
    const own = Object.fromEntries(Object.entries(step.env ?? {}).map(([k, v]) => [k, expand(v)]))
    const ran = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...env, ...files, ...own, GITHUB_ACTION_PATH: root, RUNNER_TEMP: join(folder, 'temp') },
    })
    log += ran.stdout + ran.stderr
    if (ran.status !== 0) code = ran.status ?? 128
    for (const line of readFileSync(files.GITHUB_OUTPUT as string, 'utf8').split('\n')) {
      const at = line.indexOf('=')
      if (at > 0) outputs[line.slice(0, at)] = line.slice(at + 1)
    }
  }
  return { code, outputs, log, summary: readFileSync(files.GITHUB_STEP_SUMMARY as string, 'utf8') }
}

describe('the GitHub Action', () => {
  test('is composite, every script has a shell, and no expression is part of a script', () => {
    expect(action.runs.using).toBe('composite')
    for (const step of action.runs.steps) {
      if (step.run === undefined) expect(step.uses).toMatch(/^[\w-]+(\/[\w-]+)+@v\d+$/)
      else expect([step.shell, step.run.includes('${{')]).toEqual(['bash', false])
    }
    const used = JSON.stringify(action.runs.steps).match(/inputs\.[\w-]+/g) ?? []
    expect([...new Set(used.map((u) => u.slice(7)))].sort()).toEqual(Object.keys(action.inputs).sort())
    for (const { value } of Object.values(action.outputs)) expect(value).toMatch(/^\$\{\{ steps\.audit\.outputs\.[\w-]+ \}\}$/)
  })

  test('the last step is the gate, and nothing that keeps results hangs on its passing', () => {
    const { steps } = action.runs
    expect(steps.at(-1)?.name).toBe('Gate')
    for (const step of steps.slice(3)) expect(step.if).toMatch(/^always\(\)/)
  })

  test('poisoned data: outputs, summary, annotations, and the exit code of the gate', () => {
    const folder = work({ 'data.csv': poisoned })
    const { code, outputs, log, summary } = runAction(folder, { data: 'data.csv', arguments: '--seed\n1\n' })
    const runDir = join(folder, 'temp/assay-run')
    expect([code, outputs]).toEqual([1, { 'exit-code': '1', verdict: 'failed', 'run-dir': runDir, sarif: join(runDir, 'report.sarif') }])
    expect(summary).toMatch(/^## ❌ Failed: data/)
    expect(log).toMatch(/^::error title=label-flip\/source::/m)
    for (const file of ['report.html', 'report.json', 'report.junit.xml', 'flags.parquet'])
      expect(existsSync(join(runDir, file))).toBe(true)
  })

  test('clean data pass, with a pipeline file', () => {
    const folder = work({ 'data.csv': clean, 'pipeline.yaml': 'version: 1\nsources: [{ path: data.csv }]\n' })
    expect(runAction(folder, { config: 'pipeline.yaml', 'run-dir': 'runs/ci', arguments: '--seed\n1' })).toMatchObject({
      code: 0,
      outputs: { verdict: 'passed', 'run-dir': 'runs/ci' },
    })
  })

  test('a usage error fails the job with its own code, and a hostile input is one word', () => {
    const folder = work({ 'data.csv': clean })
    expect(runAction(folder, { data: '$(touch owned)`touch owned`; touch owned\n--sign=x' })).toMatchObject({
      code: 4,
      outputs: { verdict: 'error' },
    })
    expect(existsSync(join(folder, 'owned'))).toBe(false)
  })
})

describe('the GitLab template', () => {
  const runJob = (folder: string, given: Readonly<Record<string, string>>) => {
    const variables = { ...gitlab.variables, CI_PROJECT_DIR: folder, ASSAY_HOME: root, ...given }
    const script = join(folder, 'job.sh')
    writeFileSync(script, [...gitlab.assay.before_script, ...gitlab.assay.script].join('\n'))
    return spawnSync('bash', ['-eo', 'pipefail', script], { cwd: folder, encoding: 'utf8', env: { ...env, ...variables } })
  }

  test('keeps its artefacts always, the JUnit report among them', () => {
    expect([gitlab.assay.artifacts.when, gitlab.assay.artifacts.reports.junit]).toEqual(['always', '$ASSAY_RUN_DIR/report.junit.xml'])
  })

  test('exits as the audit does, and leaves the reports', () => {
    const folder = work({ 'data.csv': poisoned, 'clean.csv': clean })
    mkdirSync(join(folder, 'x'))
    expect(runJob(folder, { ASSAY_DATA: 'data.csv' }).status).toBe(1)
    const xml = readFileSync(join(folder, 'assay-run/report.junit.xml'), 'utf8')
    expect(xml).toContain('<failure type="label-flip/source"')
    expect(runJob(folder, { ASSAY_DATA: 'clean.csv', ASSAY_RUN_DIR: 'clean-run' }).status).toBe(0)
    expect(runJob(folder, { ASSAY_DATA: 'missing.csv', ASSAY_RUN_DIR: 'third' }).status).toBe(4)
  })
})
