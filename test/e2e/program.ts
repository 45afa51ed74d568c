import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll } from 'vitest'

export const root = resolve(import.meta.dirname, '../..')
const bin = join(root, 'dist/cli/bin.js')
export const now = '2026-11-23T09:00:00Z'

export interface Ran {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly seconds: number
}

export interface How {
  readonly cwd?: string
  readonly stdin?: string | Uint8Array
  /** SIGKILL after this many milliseconds. */
  readonly killAfterMs?: number
  readonly timeoutMs?: number
}

const stackLine = /^\s+at .*(:\d+:\d+\)?|<anonymous>\)?|\(native\))$/m

/** The built program in a process of its own. A stack trace on either stream, or no end within the time, is a failure of the test. */
export function assay(args: readonly string[], { cwd = root, stdin, killAfterMs, timeoutMs = 120_000 }: How = {}): Promise<Ran> {
  return new Promise((done, fail) => {
    const since = performance.now()
    const child = spawn(process.execPath, [bin, ...args], {
      cwd,
      env: { ...process.env, ASSAY_NOW: now, NO_COLOR: '1' },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    let hung = false
    child.stdout?.on('data', (part: Buffer) => out.push(part))
    child.stderr?.on('data', (part: Buffer) => err.push(part))
    child.stdin?.on('error', () => {})
    child.stdin?.end(stdin)
    const kill = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    const limit = setTimeout(() => {
      hung = true
      child.kill('SIGKILL')
    }, timeoutMs)
    child.on('error', fail)
    child.on('close', (code) => {
      clearTimeout(kill)
      clearTimeout(limit)
      const stdout = Buffer.concat(out).toString('utf8')
      const stderr = Buffer.concat(err).toString('utf8')
      if (hung) fail(new Error(`assay ${args.join(' ')} did not end within ${timeoutMs} ms:\n${stderr}`))
      else if (stackLine.test(stdout) || stackLine.test(stderr))
        fail(new Error(`assay ${args.join(' ')} printed a stack trace:\n${stdout}${stderr}`))
      else done({ code, stdout, stderr, seconds: (performance.now() - since) / 1000 })
    })
  })
}

/** A folder for one test file, removed at its end. */
export function scratch(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-e2e-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return (name) => {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    return path
  }
}

/** What a run wrote for its user: name and digest of the files at the top of its directory. */
export function results(runDir: string): Record<string, string> {
  const files = readdirSync(runDir, { withFileTypes: true }).filter((e) => e.isFile() && !e.name.endsWith('.tmp') && e.name !== 'plan.json')
  return Object.fromEntries(
    files.map((e) => [
      e.name,
      createHash('sha256')
        .update(readFileSync(join(runDir, e.name)))
        .digest('hex'),
    ]),
  )
}

export interface ReportFacts {
  readonly verdict: string
  readonly exitCode: number
  readonly seed: string
  readonly rows: { readonly read: number; readonly rejected: number; readonly flagged: number }
  readonly findings: readonly {
    readonly rule: string
    readonly severity: string
    readonly message: string
    readonly scope: { readonly names: readonly string[] }
  }[]
  readonly labels: readonly { readonly name: string; readonly count: number }[]
}

export const reportOf = (runDir: string): ReportFacts => JSON.parse(readFileSync(join(runDir, 'report.json'), 'utf8')) as ReportFacts

/** What a report says of the data, without the names of files and seeds. */
export const statements = ({ verdict, rows, labels, findings }: ReportFacts) => ({
  verdict,
  rows,
  labels,
  findings: findings.map(({ rule, severity, scope }) => ({ rule, severity, scope })),
})
