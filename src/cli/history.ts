import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type HistoryStore, openHistory, type RunLine } from '../history/store.ts'
import { escapeTerminal } from '../report/escape.ts'
import { formatCount, pEquals, plural } from '../report/format.ts'
import { UsageError } from './errors.ts'
import { type Io, write } from './io.ts'

export interface HistoryOptions {
  readonly history?: string
  readonly historyEnv?: string
  readonly limit?: number
}

const shownDigits = 12
const everything = 10_000

async function withStore<T>(
  { history = 'history.duckdb', historyEnv }: HistoryOptions,
  io: Io,
  use: (store: HistoryStore) => Promise<T>,
): Promise<T> {
  const path = resolve(history)
  if (historyEnv === undefined && !existsSync(path))
    throw new UsageError(`${history}: there is no history`, 'an audit makes one: assay audit DATA --history FILE')
  const store = await openHistory(historyEnv === undefined ? { path } : { connection: { env: historyEnv } }, io.env as NodeJS.ProcessEnv)
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

const line = (r: RunLine): string =>
  [
    r.run.slice(0, shownDigits),
    r.startedAt.slice(0, 16).replace('T', ' '),
    r.verdict.padEnd(15),
    `${formatCount(r.rows)} rows, ${formatCount(r.flagged)} flagged, ${plural(r.findings, 'finding')}`,
    escapeTerminal(r.subject),
  ].join('  ')

/** `assay history list` */
export async function runHistoryList(options: HistoryOptions, io: Io): Promise<number> {
  const runs = await withStore(options, io, (store) => store.list(options.limit ?? 30))
  await write(io.stdout, runs.map((r) => `${line(r)}\n`).join(''))
  return 0
}

/** `assay history show RUN` */
export async function runHistoryShow(run: string, options: HistoryOptions, io: Io): Promise<number> {
  const [found, findings] = await withStore(options, io, async (store) => {
    const matches = (await store.list(everything)).filter((r) => r.run.startsWith(run))
    const [one, more] = matches
    if (one === undefined || more !== undefined)
      throw new UsageError(
        `${escapeTerminal(run)}: ${one === undefined ? 'no audit of the history has this name' : 'several audits begin so'}`,
        'assay history list names them',
      )
    return [one, await store.findings(one.run)] as const
  })
  const lines = findings.map(
    (f) =>
      `  ${f.severity.padEnd(8)}  ${escapeTerminal(f.rule)} (${f.status}, ${formatCount(f.records)}${f.p === null ? '' : `, ${pEquals(f.p)}`}): ${escapeTerminal(f.message)}`,
  )
  await write(io.stdout, `${[line(found), ...lines].join('\n')}\n`)
  return 0
}
