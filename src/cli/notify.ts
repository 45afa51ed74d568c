import { createHash } from 'node:crypto'
import type { NotifySpec } from '../contracts/pipeline.ts'
import { type Notification, notify, patient } from '../notify/webhook.ts'
import { escapeTerminal } from '../report/escape.ts'
import type { Report } from '../report/schema.ts'
import { type Io, write } from './io.ts'

const maxFindings = 100

const messageOf = ({ subject, verdict, exitCode, startedAt, rows, findings, plan }: Report): Notification => ({
  schema: 'urn:assay:notification:1',
  run: createHash('sha256')
    .update(JSON.stringify([plan.digest, plan.seed, startedAt, subject.name]))
    .digest('hex')
    .slice(0, 32),
  subject,
  verdict,
  exitCode,
  startedAt,
  rows: { read: rows.read, flagged: rows.flagged },
  findings: findings
    .slice(0, maxFindings)
    .map(({ rule, severity, status, gates, count, fingerprint }) => ({ rule, severity, status, gates, count, fingerprint })),
  more: Math.max(0, findings.length - maxFindings),
})

async function tell(specs: readonly NotifySpec[], message: Notification, io: Io): Promise<void> {
  const wanted = specs.filter((spec) => spec.on === 'always' || message.verdict !== 'passed')
  const failures = await Promise.all(wanted.map((spec) => notify(spec, message, { ...patient, env: io.env })))
  for (const failure of failures)
    if (failure !== null) await write(io.stderr, `assay: ${escapeTerminal(failure)}\n  the verdict and the exit code stand as they are\n`)
}

/** Tells the webhooks of a verdict. A failure is told on standard error and changes nothing else. */
export const tellVerdict = (specs: readonly NotifySpec[] | undefined, report: Report, io: Io): Promise<void> =>
  specs === undefined ? Promise.resolve() : tell(specs, messageOf(report), io)

/** Tells them of an audit that ended without a report. */
export const tellFailure = (
  specs: readonly NotifySpec[] | undefined,
  subject: Notification['subject'],
  exitCode: number,
  startedAt: string,
  io: Io,
): Promise<void> =>
  specs === undefined
    ? Promise.resolve()
    : tell(
        specs,
        {
          schema: 'urn:assay:notification:1',
          run: createHash('sha256')
            .update(JSON.stringify([subject, startedAt]))
            .digest('hex')
            .slice(0, 32),
          subject,
          verdict: 'error',
          exitCode,
          startedAt,
          rows: { read: 0, flagged: 0 },
          findings: [],
          more: 0,
        },
        io,
      )
