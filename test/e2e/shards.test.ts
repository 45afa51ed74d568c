import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { assay, now, results, root, scratch } from './program.ts'
import { csv, featureNames, part, records } from './records.ts'

const at = scratch()
const folder = join(root, 'pipelines/shards')
const files = 3
/** More than there are groups of shards: two are empty. */
const shares = 5
const env = { ...process.env, ASSAY: `node ${root}/dist/cli/bin.js`, ASSAY_NOW: now, NO_COLOR: '1', WAIT_SECONDS: '0.05' }
const arguments_ = ['--seed', '7', '--keep-scores']

beforeAll(async () => {
  const data = records(6000, 5, 0.4)
  for (let i = 0; i < files; i++) writeFileSync(at(`data/part-${i}.csv`), csv(part(data, 2000 * i, 2000 * (i + 1))))
  writeFileSync(
    at('pipeline.yaml'),
    `version: 1\nsubject: { name: shards }\nsources: [{ path: data/part-*.csv, columns: { id: id, label: label, source: source }, features: [${featureNames}] }]\ndetectors: { trigger-tabular: false, spectral: false }\nreport: { formats: [html, json, sarif] }\n`,
  )
  const whole = await assay(['audit', at('pipeline.yaml'), '--run-dir', at('whole'), ...arguments_])
  expect(whole.code, whole.stderr).toBe(1)
})

/** A script in a process group of its own, as a node of a cluster runs it. */
const start = (script: string, args: readonly string[], more: Readonly<Record<string, string>>): ChildProcess =>
  spawn('bash', [script, ...args], { env: { ...env, ...more }, detached: true, stdio: ['ignore', 'ignore', 'inherit'] })

async function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] =
    child.exitCode === null && child.signalCode === null ? await once(child, 'exit') : [child.exitCode, child.signalCode]
  return (code ?? signal) as number | NodeJS.Signals
}

/** What was to be killed had ended: a machine with other work looked too late. */
class TooLate extends Error {}

let attempt = 0
const fresh = (name: string): string => at(`${name}-${++attempt}`)

/** Once more in folders of its own where a kill came too late, and for nothing else. */
async function withKills(run: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof TooLate) || tries === 5) throw error
    }
  }
}

/** SIGKILL for all of it, as soon as `seen`; looks without a pause, since what it looks for does not last. */
async function killWhen(child: ChildProcess, seen: () => boolean): Promise<void> {
  const isThere = (): boolean => {
    for (const until = performance.now() + 20; performance.now() < until; ) if (seen()) return true
    return false
  }
  while (!isThere()) {
    if (child.exitCode !== null) throw new TooLate('ended before it could be killed')
    await new Promise((resolve) => setImmediate(resolve))
  }
  process.kill(-(child.pid as number), 'SIGKILL')
  expect(await ended(child)).toBe('SIGKILL')
}

const holds = (runDir: string, dir: string, name: RegExp): boolean =>
  existsSync(join(runDir, dir)) && readdirSync(join(runDir, dir)).some((file) => name.test(file))

interface Job {
  readonly id: string
  readonly tasks: readonly string[]
  readonly after: string | undefined
  readonly script: string
  readonly args: readonly string[]
}

/** Stands for sbatch: writes down what it was called with, and answers with a number. */
const sbatch = `#!/usr/bin/env node
const fs = require('node:fs')
const file = process.env.QUEUE
const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\\n').filter(Boolean).length : 0
fs.appendFileSync(file, JSON.stringify(process.argv.slice(2)) + '\\n')
console.log(100 + before)
`

function submitted(queue: string): readonly Job[] {
  const lines = readFileSync(queue, 'utf8').trimEnd().split('\n')
  return lines.map((line, i) => {
    const words = JSON.parse(line) as string[]
    const own = words.findIndex((word) => !word.startsWith('--'))
    const option = (name: string) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3)
    const [first, last] = (option('array') ?? '0-0').split('-').map(Number) as [number, number]
    return {
      id: String(100 + i),
      tasks: Array.from({ length: last - first + 1 }, (_, t) => (option('array') ? String(first + t) : '')),
      after: option('dependency')?.replace('afterok:', ''),
      script: words[own] as string,
      args: words.slice(own + 1),
    }
  })
}

describe('Slurm', () => {
  it('an array whose task is killed and requeued writes the same bytes as one audit, with more shares than data', () =>
    withKills(async () => {
      const runDir = fresh('slurm')
      const queue = fresh('queue')
      writeFileSync(at('bin/sbatch'), sbatch, { mode: 0o755 })
      const submit = (): number | null =>
        spawnSync('bash', [join(folder, 'submit.sh'), at('pipeline.yaml'), runDir, String(shares), ...arguments_], {
          env: { ...env, PATH: `${at('bin')}:${process.env.PATH}`, QUEUE: queue },
          stdio: 'ignore',
        }).status
      expect(submit()).toBe(0)
      const jobs = submitted(queue)
      const { levels } = JSON.parse(readFileSync(join(runDir, 'plan.json'), 'utf8')) as { levels: unknown[] }
      expect(levels.length).toBeGreaterThan(1)
      expect(jobs.map((job) => job.args.slice(2).join(' '))).toEqual([
        ...levels.flatMap((_, level) => [`fit ${level}`, `merge ${level}`]),
        'score',
        'report',
      ])
      expect(jobs.map((job) => job.after)).toEqual([undefined, ...jobs.slice(0, -1).map((job) => job.id)])
      expect(jobs[0]?.tasks).toEqual(['1', '2', '3', '4', '5'])

      for (const job of jobs) {
        for (const task of job.tasks) {
          const run = () => start(job.script, job.args, task === '' ? {} : { SLURM_ARRAY_TASK_ID: task, SLURM_CPUS_PER_TASK: '1' })
          if (job === jobs[0] && task === '2') {
            await killWhen(run(), () => holds(runDir, 'spool', /subject-1.*tmp/))
            expect(existsSync(join(runDir, 'state/0-subject-1.safetensors'))).toBe(false)
          }
          expect(await ended(run()), `${job.args.join(' ')} ${task}`).toBe(job === jobs.at(-1) ? 1 : 0)
        }
      }
      expect(results(runDir)).toEqual(results(at('whole')))
      // Submitted once more it plans nothing anew.
      expect(submit()).toBe(0)
      expect(submitted(queue)).toHaveLength(2 * jobs.length)
    }))

  it('says how it is called', () => {
    for (const args of [[], ['p.yaml', 'run', 'many']])
      expect(spawnSync('bash', [join(folder, 'submit.sh'), ...args], { encoding: 'utf8' })).toMatchObject({
        status: 4,
        stderr: expect.stringContaining('usage'),
      })
  })
})

interface IndexedJob {
  readonly spec: {
    readonly completionMode: string
    readonly completions: number
    readonly parallelism: number
    readonly podFailurePolicy: { readonly rules: readonly { readonly onExitCodes?: { readonly values: readonly number[] } }[] }
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly command: readonly string[]
          readonly env: readonly { readonly name: string; readonly value: string }[]
          readonly volumeMounts: readonly { readonly name: string }[]
        }[]
        readonly volumes: readonly { readonly name: string }[]
      }
    }
  }
}

describe('Kubernetes', () => {
  const { spec } = parse(readFileSync(join(folder, 'job.yaml'), 'utf8')) as IndexedJob
  const container = spec.template.spec.containers[0]

  it('every pod is there at once, knows how many there are, and has its volumes', () => {
    const set = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]))
    expect([spec.completionMode, spec.parallelism, set.SHARES]).toEqual(['Indexed', spec.completions, String(spec.completions)])
    expect(container?.volumeMounts.map((v) => v.name)).toEqual(spec.template.spec.volumes.map((v) => v.name))
    expect(spec.podFailurePolicy.rules[0]?.onExitCodes?.values).toEqual([1, 3, 4])
  })

  it('pods of which two are killed and started again write the same bytes as one audit', () =>
    withKills(async () => {
      const runDir = fresh('kubernetes')
      const script = (container?.command[0] ?? '').replace('/opt/assay', root)
      const pod = (index: number) =>
        start(script, [at('pipeline.yaml'), runDir, ...arguments_], { JOB_COMPLETION_INDEX: String(index), SHARES: String(shares) })
      const pods = Array.from({ length: shares }, (_, index) => pod(index))
      try {
        await killWhen(pods[1] as ChildProcess, () => holds(runDir, 'spool', /subject-1.*tmp/))
        // The others wait for it.
        expect(existsSync(join(runDir, 'state/summary-0.safetensors'))).toBe(false)
        pods[1] = pod(1)
        await killWhen(pods[0] as ChildProcess, () => existsSync(join(runDir, 'state/summary-0.safetensors')))
        expect(existsSync(join(runDir, 'report.json'))).toBe(false)
        pods[0] = pod(0)
        expect(await Promise.all(pods.map(ended))).toEqual([1, 0, 0, 0, 0])
        expect(results(runDir)).toEqual(results(at('whole')))
      } finally {
        for (const { pid, exitCode, signalCode } of pods) if (pid && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL')
      }
    }))

  it('says how it is called', () => {
    const called = spawnSync('bash', [join(folder, 'pod.sh')], { encoding: 'utf8' })
    expect(called).toMatchObject({ status: 4, stderr: expect.stringContaining('usage') })
  })
})
