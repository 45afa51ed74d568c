import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadKnown } from '../config/known.ts'
import type { KnownFinding } from '../contracts/pipeline.ts'
import { escapeTerminal } from '../report/escape.ts'
import { plural } from '../report/format.ts'
import { pruneKnown, updateKnown } from '../report/known.ts'
import type { Report } from '../report/schema.ts'
import { shortPath } from './describe-plan.ts'
import { UsageError } from './errors.ts'
import { type Io, write } from './io.ts'
import { replaceFile } from './replace-file.ts'
import { openReport } from './report-file.ts'

export interface BaselineOptions {
  readonly out: string
  readonly margin?: number
}

const store = (path: string, findings: readonly KnownFinding[]): Promise<void> =>
  replaceFile(path, `${JSON.stringify({ version: 1, findings }, null, 2)}\n`)

/** What was not looked at, or not to its end, can be accepted by nobody. */
function requireWhole({ verdict, headline }: Report, path: string): void {
  if (verdict === 'passed' || verdict === 'failed') return
  throw new UsageError(
    `${path}: ${headline}`,
    'known findings are taken from an audit with a verdict: correct what is missing, and audit again',
  )
}

/** `assay baseline update`: every finding of a report becomes known, as it is. */
export async function runUpdate(path: string, { out, margin = 0 }: BaselineOptions, io: Io): Promise<number> {
  const report = await openReport(path, io.stdin)
  requireWhole(report, path)
  const target = resolve(out)
  const before = existsSync(target) ? await loadKnown(target) : []
  const { findings, added, changed, kept } = updateKnown(before, report, margin)
  await store(target, findings)
  await write(
    io.stdout,
    `${escapeTerminal(shortPath(target))}: ${plural(findings.length, 'known finding')} (${added} new, ${changed} changed, ${kept} as before)\n`,
  )
  return 0
}

/** `assay baseline prune`: what is no longer found is forgotten, and told. */
export async function runPrune(path: string, { out }: BaselineOptions, io: Io): Promise<number> {
  const report = await openReport(path, io.stdin)
  requireWhole(report, path)
  const target = resolve(out)
  const { findings, stale } = pruneKnown(await loadKnown(target), report)
  if (stale.length > 0) await store(target, findings)
  const lines = [
    `${escapeTerminal(shortPath(target))}: ${plural(stale.length, 'stale finding')} dropped, ${plural(findings.length, 'known finding')} left`,
    ...stale.map((k) => `  ${k.fingerprint.slice(0, 12)} ${escapeTerminal(k.rule)}: ${escapeTerminal(k.message)} (accepted ${k.accepted})`),
  ]
  await write(io.stdout, `${lines.join('\n')}\n`)
  return 0
}
