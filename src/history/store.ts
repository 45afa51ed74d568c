import type { HistorySpec, Night, NightChanges, NightCount } from '../contracts/history.ts'
import type { Database, Patience, Row, Value } from './database.ts'
import { openDuckDb } from './duckdb.ts'
import { HistoryError } from './errors.ts'
import { openPostgres } from './postgres.ts'
import { schemaVersion, tables } from './tables.ts'

/** Audits that trends look back on. */
const maxNights = 1_000
const batchRows = 200

export interface RecordedFinding {
  readonly fingerprint: string
  readonly rule: string
  readonly severity: string
  readonly status: string
  readonly scope: string
  readonly records: number
  readonly message: string
  readonly p: number | null
}

/** What a run leaves: what trends need, and what a person asks of the past. */
export interface RecordedRun {
  readonly night: Night
  readonly subject: string
  /** Of the report without the trends, so that the same run is told from another. */
  readonly digest: string
  readonly verdict: string
  readonly exitCode: number
  readonly rows: number
  readonly flagged: number
  readonly tool: string
  readonly plan: string
  readonly findings: readonly RecordedFinding[]
  /** Measured sensitivity as JSON, where the report has it. */
  readonly sensitivity: string | null
}

export interface RunLine {
  readonly run: string
  readonly subject: string
  readonly startedAt: string
  readonly verdict: string
  readonly rows: number
  readonly flagged: number
  readonly findings: number
}

export interface HistoryStore {
  /** Audits of a subject in the order of time, at most the last 1,000, without `but`. */
  nights(subject: string, but: string): Promise<readonly Night[]>
  /** Once: a run that is there already is replaced by itself. */
  record(run: RecordedRun): Promise<void>
  list(limit: number): Promise<readonly RunLine[]>
  findings(run: string): Promise<readonly RecordedFinding[]>
  close(): Promise<void>
}

const n = (value: unknown): number => Number(value ?? 0)
const s = (value: unknown): string => String(value ?? '')
const orNull = (value: unknown): string | null => (value === null || value === undefined ? null : String(value))

async function prepare(db: Database, where: string): Promise<void> {
  await db.transaction(async () => {
    for (const table of tables) await db.query(table)
    const [row] = await db.query('SELECT version FROM assay_history')
    if (!row) await db.query('INSERT INTO assay_history (version) VALUES ($1)', [schemaVersion])
    else if (n(row.version) !== schemaVersion)
      throw new HistoryError(
        'history-version',
        `${where}: a history of version ${n(row.version)}; this assay writes version ${schemaVersion}`,
        {},
        'use the assay that made it, or name another history',
      )
  })
}

async function insert(db: Database, table: string, columns: readonly string[], rows: readonly (readonly Value[])[]): Promise<void> {
  for (let at = 0; at < rows.length; at += batchRows) {
    const part = rows.slice(at, at + batchRows)
    const places = part.map((row, i) => `(${row.map((_, j) => `$${i * columns.length + j + 1}`).join(', ')})`)
    await db.query(`INSERT INTO ${table} (${columns.join(', ')}) VALUES ${places.join(', ')}`, part.flat())
  }
}

async function record(db: Database, r: RecordedRun): Promise<void> {
  const { night } = r
  const { run, changes } = night
  const of = (rows: readonly (readonly Value[])[]): Value[][] => rows.map((row) => [run, ...row])
  await db.transaction(async () => {
    const [known] = await db.query('SELECT digest FROM assay_runs WHERE run = $1', [run])
    if (known && known.digest === r.digest) return
    for (const table of ['assay_findings', 'assay_counts', 'assay_changes', 'assay_runs'])
      await db.query(`DELETE FROM ${table} WHERE run = $1`, [run])
    await insert(
      db,
      'assay_runs',
      [
        'run',
        'digest',
        'subject',
        'started_at',
        'is_whole',
        'is_fresh',
        'verdict',
        'exit_code',
        'rows_read',
        'rows_flagged',
        'tool',
        'plan',
        'root_before',
        'root_after',
        'sensitivity',
      ],
      of([
        [
          r.digest,
          r.subject,
          night.startedAt,
          night.whole,
          night.fresh,
          r.verdict,
          r.exitCode,
          r.rows,
          r.flagged,
          r.tool,
          r.plan,
          changes?.before ?? null,
          changes?.after ?? null,
          r.sensitivity,
        ],
      ]),
    )
    await insert(
      db,
      'assay_findings',
      ['run', 'fingerprint', 'rule', 'severity', 'status', 'scope', 'records', 'message', 'p'],
      of(r.findings.map((f) => [f.fingerprint, f.rule, f.severity, f.status, f.scope, f.records, f.message, f.p])),
    )
    const counts = (axis: string, items: Night['labels']) => items.map((c) => [axis, c.name, c.count, c.flagged])
    await insert(
      db,
      'assay_counts',
      ['run', 'axis', 'name', 'records', 'flagged'],
      of([...counts('label', night.labels), ...counts('source', night.sources)]),
    )
    const moved = (axis: string, items: readonly NightCount[]) => items.map((c) => [axis, c.name, '', c.before, c.relabelled])
    const pairs = (changes?.pairs ?? []).map((p) => ['pair', p.from, p.to, 0, p.count])
    await insert(
      db,
      'assay_changes',
      ['run', 'axis', 'name', 'other', 'records', 'relabelled'],
      of([...moved('class', changes?.classes ?? []), ...moved('source', changes?.sources ?? []), ...pairs]),
    )
  })
}

const changesOf = (run: Row, rows: readonly Row[]): NightChanges | null => {
  const [before, after] = [orNull(run.root_before), orNull(run.root_after)]
  if (before === null || after === null) return null
  const along = (axis: string) => rows.filter((r) => r.axis === axis)
  const counts = (axis: string): NightCount[] =>
    along(axis).map((r) => ({ name: s(r.name), before: n(r.records), relabelled: n(r.relabelled) }))
  return {
    before,
    after,
    classes: counts('class'),
    sources: counts('source'),
    pairs: along('pair').map((r) => ({ from: s(r.name), to: s(r.other), count: n(r.relabelled) })),
  }
}

function byRun(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const out = new Map<string, Row[]>()
  for (const row of rows) {
    const key = s(row.run)
    const list = out.get(key)
    if (list) list.push(row)
    else out.set(key, [row])
  }
  return out
}

async function readNights(db: Database, subject: string, but: string): Promise<readonly Night[]> {
  const wanted = 'SELECT run FROM assay_runs WHERE subject = $1 AND run <> $2 ORDER BY started_at DESC, run DESC LIMIT $3'
  const values = [subject, but, maxNights]
  const runs = await db.query(`SELECT * FROM assay_runs WHERE run IN (${wanted}) ORDER BY started_at, run`, values)
  const counts = byRun(await db.query(`SELECT * FROM assay_counts WHERE run IN (${wanted}) ORDER BY run, axis, name`, values))
  const changes = byRun(await db.query(`SELECT * FROM assay_changes WHERE run IN (${wanted}) ORDER BY run, axis, name, other`, values))
  return runs.map((row): Night => {
    const run = s(row.run)
    const along = (axis: string) =>
      (counts.get(run) ?? []).filter((c) => c.axis === axis).map((c) => ({ name: s(c.name), count: n(c.records), flagged: n(c.flagged) }))
    return {
      run,
      startedAt: s(row.started_at),
      whole: row.is_whole === true,
      fresh: row.is_fresh === true,
      labels: along('label'),
      sources: along('source'),
      changes: changesOf(row, changes.get(run) ?? []),
    }
  })
}

/** Failures of a query in words that name the store. */
async function naming<T>(where: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof HistoryError) throw error
    const [first = ''] = String((error as Error).message).split('\n')
    throw new HistoryError(
      'history-unreadable',
      `${where}: cannot be used as a history: ${first.slice(0, 300)}`,
      {},
      'take it from a backup, or name another: the audit itself is complete',
    )
  }
}

/** Opens a history, and makes it where there is none. @throws HistoryError */
export async function openHistory(
  spec: HistorySpec,
  env: NodeJS.ProcessEnv,
  patience: Patience = { waitMs: 30_000 },
): Promise<HistoryStore> {
  const where = 'path' in spec ? spec.path : `the database in ${spec.connection.env}`
  const db = 'path' in spec ? await openDuckDb(spec.path, patience) : await openPostgres(spec.connection.env, env, patience)
  try {
    await naming(where, () => prepare(db, where))
  } catch (error) {
    await db.close()
    throw error
  }
  return {
    nights: (subject, but) => naming(where, () => readNights(db, subject, but)),
    record: (run) => naming(where, () => record(db, run)),
    list: (limit) =>
      naming(where, async () => {
        const rows = await db.query(
          'SELECT r.*, (SELECT count(*) FROM assay_findings f WHERE f.run = r.run) AS findings FROM assay_runs r ORDER BY started_at DESC, run DESC LIMIT $1',
          [limit],
        )
        return rows.map((r) => ({
          run: s(r.run),
          subject: s(r.subject),
          startedAt: s(r.started_at),
          verdict: s(r.verdict),
          rows: n(r.rows_read),
          flagged: n(r.rows_flagged),
          findings: n(r.findings),
        }))
      }),
    findings: (run) =>
      naming(where, async () => {
        const rows = await db.query('SELECT * FROM assay_findings WHERE run = $1 ORDER BY severity, rule, fingerprint', [run])
        return rows.map((r) => ({
          fingerprint: s(r.fingerprint),
          rule: s(r.rule),
          severity: s(r.severity),
          status: s(r.status),
          scope: s(r.scope),
          records: n(r.records),
          message: s(r.message),
          p: r.p === null ? null : n(r.p),
        }))
      }),
    close: () => db.close(),
  }
}
