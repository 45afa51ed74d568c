import { userInfo } from 'node:os'
import { relative, resolve } from 'node:path'
import { escapeTerminal } from '../report/escape.ts'
import { formatCount, plural } from '../report/format.ts'
import { exportWaivers, openReview } from '../review/review.ts'
import { UsageError } from './errors.ts'
import { clock } from './input.ts'
import { type Io, write } from './io.ts'

export interface ReviewOptions {
  readonly port: number
  readonly reviewer?: string
  readonly exportWaivers?: string
  readonly expiresIn: number
}

function reviewerOf(given: string | undefined): string {
  const name = (given ?? userInfo().username).trim()
  if (name === '') throw new UsageError('the reviewer has no name', 'name yourself: --reviewer "Dr. Ada Lovelace"')
  return name
}

const until = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((done) => {
    if (signal?.aborted) done()
    else signal?.addEventListener('abort', () => done(), { once: true })
  })

/** `assay review RUN_DIR`: serves until it is interrupted; or writes the waivers of what was dismissed. */
export async function runReview(folder: string, options: ReviewOptions, io: Io): Promise<number> {
  const runDir = resolve(folder)
  if (options.exportWaivers !== undefined) {
    const path = resolve(options.exportWaivers)
    const n = await exportWaivers(runDir, path, clock(io.env), options.expiresIn)
    await write(
      io.stdout,
      `${plural(n, 'waiver')} for ${options.expiresIn} days: ${escapeTerminal(relative(process.cwd(), path) || path)}\n`,
    )
    return 0
  }
  const fixed = io.env.ASSAY_NOW
  const review = await openReview({
    runDir,
    reviewer: reviewerOf(options.reviewer),
    port: options.port,
    now: () => (fixed ? clock(io.env) : new Date()),
  })
  try {
    const { cases, report, torn } = review.desk
    if (torn) await write(io.stderr, 'note: the last line of decisions.jsonl was cut off; all before it are kept\n')
    await write(
      io.stdout,
      `${formatCount(cases.length)} flagged ${cases.length === 1 ? 'record' : 'records'}, ${plural(report.findings.length, 'finding')}. Open this link; it works once, on this computer:\n\n  ${review.url}\n\nCtrl-C ends the review. Every decision is kept at once.\n`,
    )
    await until(io.signal)
    return 0
  } finally {
    await review.close()
  }
}
