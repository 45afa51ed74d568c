import { statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Gate, ReportFormat } from '../contracts/pipeline.ts'
import type { DigestAlgorithm } from '../contracts/provenance.ts'
import { isSnapshotFolder } from '../engine/snapshot-verify.ts'
import { type VerifyRequest, verify } from '../engine/verify.ts'
import { renderers } from '../report/render/registry.ts'
import type { Report } from '../report/schema.ts'
import { renderTerminal } from '../report/terminal.ts'
import { shortPath } from './describe-plan.ts'
import { UsageError } from './errors.ts'
import { clock } from './input.ts'
import { type Io, wantsColor, write } from './io.ts'
import type { ResultOptions } from './options.ts'
import { runVerifySnapshot } from './snapshot-verify.ts'
import { openFiles, refuseInside } from './verify-files.ts'
import { openWatch } from './watch.ts'

export interface VerifyOptions extends ResultOptions {
  readonly manifest?: readonly string[]
  readonly bundle?: readonly string[]
  readonly key?: readonly string[]
  readonly certificate?: readonly string[]
  readonly identity?: readonly string[]
  readonly issuer?: readonly string[]
  readonly trustedRoot?: string
  readonly weakest?: DigestAlgorithm
  readonly requireCoverage?: number
  readonly unlisted?: 'allow' | 'report' | 'fail'
  readonly requireSignature?: boolean
  readonly failOn?: Gate['fail-on']
  readonly to?: ReportFormat
  readonly out?: string
  readonly runDir?: string
  readonly workers?: number
  /** Of a snapshot: also those before it, in this folder. */
  readonly chain?: string | true
}

function identitiesOf({ identity = [], issuer = [] }: VerifyOptions): { readonly identity: string; readonly issuer: string }[] {
  if (identity.length !== issuer.length)
    throw new UsageError(
      identity.length > issuer.length ? 'an --identity has no --issuer' : 'an --issuer has no --identity',
      'an identity counts only with who vouches for it, such as https://accounts.google.com',
    )
  return identity.map((one, i) => ({ identity: one, issuer: issuer[i] as string }))
}

/** What the command line asks for, as a request. */
function requestOf(path: string, options: VerifyOptions): Omit<VerifyRequest, 'hooks' | 'now'> {
  const identities = identitiesOf(options)
  const { key = [], certificate = [], bundle = [], manifest = [] } = options
  const names = [...key, ...certificate, ...identities]
  if (bundle.length > 0 && names.length === 0)
    throw new UsageError(
      '--bundle says nothing without who may have signed it',
      'give --identity with --issuer, or --key: anybody can make a bundle that holds',
    )
  if (bundle.length > 0 && key.length > 0 && identities.length > 0)
    throw new UsageError(
      'a bundle is signed with a key or by an identity: both --key and --identity were given',
      'give the one that you expect',
    )
  if (bundle.length > 0 && statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError('--bundle names the bundle of a single file, and this is a folder', 'use --manifest')
  return {
    path,
    manifests: manifest.map((file) => resolveGiven(path, file)),
    bundles: bundle.map((file) => resolve(file)),
    policy: {
      trust: { keys: key, certificates: certificate, identities, trustedRoot: options.trustedRoot ?? null },
      weakestDigest: options.weakest ?? 'sha256',
      coverage: options.requireCoverage ?? 0,
      unlisted: options.unlisted ?? 'report',
      requireSignature: options.requireSignature ?? names.length > 0,
    },
    failOn: options.failOn,
    workers: options.workers,
  }
}

/** As the user sees it from here; else as it lies in the delivery. */
const resolveGiven = (path: string, file: string): string =>
  statSync(file, { throwIfNoEntry: false })
    ? resolve(file)
    : statSync(join(path, file), { throwIfNoEntry: false })
      ? resolve(path, file)
      : file

async function writeReports(
  report: Report,
  runDir: string | undefined,
): Promise<readonly { readonly title: string; readonly path: string }[]> {
  if (runDir === undefined) return []
  const folder = resolve(runDir)
  await mkdir(folder, { recursive: true })
  const files = [
    { title: 'report', format: 'html' },
    { title: 'report as JSON', format: 'json' },
  ] as const
  for (const { format } of files) await writeFile(join(folder, renderers[format].file), await renderers[format].render(report))
  return files.map(({ title, format }) => ({ title, path: shortPath(join(folder, renderers[format].file)) }))
}

/** `assay verify PATH`: the verdict over a delivery, and every file that is not what its manifests say. */
export async function runVerify(path: string, options: VerifyOptions, io: Io): Promise<number> {
  if (options.out !== undefined && options.to === undefined)
    throw new UsageError('--out needs the format: --to html, json, markdown or sarif')
  const request = requestOf(path, options)
  refuseInside(path, options.runDir, '--run-dir')
  refuseInside(path, options.out, '--out')
  if (isSnapshotFolder(path)) return runVerifySnapshot(path, request.policy, options, io)
  if (options.chain !== undefined) throw new UsageError(`--chain is for snapshots, and ${path} is none`)
  const { hooks, progress, quiet } = await openWatch(options, io)
  try {
    const { report } = await verify({ ...request, now: clock(io.env), hooks })
    progress.stop()
    const files = await writeReports(report, options.runDir)
    const format = options.to ?? (options.json ? 'json' : null)
    if (format !== null) {
      const text = await renderers[format].render(report)
      if (options.out === undefined || options.out === '-') await write(io.stdout, text)
      else await writeFile(resolve(options.out), text)
    } else if (!quiet) {
      const summary = renderTerminal(report, { color: wantsColor(io.stdout, io.env), width: io.stdout.columns || 100, files })
      await write(io.stdout, summary + openFiles(report))
    }
    return options.exitZero && report.exitCode === 1 ? 0 : report.exitCode
  } finally {
    progress.stop()
  }
}
