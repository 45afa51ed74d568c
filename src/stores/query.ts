import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SourceSpec } from '../contracts/data.ts'
import { SourceError } from '../sources/errors.ts'
import { limits } from '../sources/limits.ts'
import { createArrowCopy } from './arrow-copy.ts'
import { type StoredColumn, storedColumn } from './columns.ts'
import { openSession, type Session } from './connection.ts'
import { type Cells, createRows, type Rows } from './rows.ts'

export interface QueryOptions {
  /** Waited for: who watches may slow it down. */
  readonly progress: (rows: number) => unknown
  readonly signal: AbortSignal | undefined
  /** Only the first rows: to plan without the rest. */
  readonly most: number | null
}

export interface QueryCopy {
  readonly rows: number
  /** Of the whole result, where only its first rows were copied. */
  readonly whole: number
}

const defaultTimeoutS = 600
/** Waits before a new connection, in milliseconds. */
const retries = [200, 1000, 3000]
const fetchRows = { first: 64, most: 1024 } as const
const fetchBytes = 8 * 2 ** 20

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const afterIt = /;(?:\s|--[^\n]*(?:\n|$))*$/

/** On lines of its own, so that a comment at its end is no comment on what follows. */
const tableOf = (sql: string): string => `(\n${sql.replace(afterIt, '')}\n) AS q`

/** What reports call a query: the first table in it and a digest of query and variable, and nothing of the connection. */
export function queryName(spec: SourceSpec): string {
  const table =
    /\bfrom\s+(?:only\s+)?((?:"[^"]{1,80}"|[\w$]{1,80})(?:\.(?:"[^"]{1,80}"|[\w$]{1,80}))?)/i.exec(spec.sql ?? '')?.[1] ?? 'query'
  const plain = table.replaceAll('"', '').replaceAll(/[^\w.-]+/g, '_')
  const digest = createHash('sha256')
    .update(JSON.stringify([spec.sql, spec.connection?.env, keyNamed(spec)]))
    .digest('hex')
  return `${plain}-${digest.slice(0, 12)}`
}

const keyNamed = ({ key, columns }: SourceSpec): string | null => key ?? (typeof columns?.id === 'string' ? columns.id : null)

function keyOf(spec: SourceSpec, columns: readonly StoredColumn[]): number {
  const named = keyNamed(spec)
  const at = columns.findIndex((c) => (named === null ? /^(id|uid|uuid)$/i.test(c.name) : c.name === named))
  if (at >= 0) return at
  const listed = columns
    .slice(0, 20)
    .map((c) => JSON.stringify(c.name))
    .join(', ')
  if (named !== null)
    throw new SourceError('unknown-column', `the query gives no column ${JSON.stringify(named)}`, { column: named }, `columns: ${listed}`)
  throw new SourceError(
    'unknown-column',
    'rows of a query are read in the order of a key, and no column is named id',
    {},
    `name one with \`key:\`, unique and with an index; columns: ${listed}`,
  )
}

async function columnsOf(session: Session, table: string): Promise<readonly StoredColumn[]> {
  const fields = await session.fields(`SELECT * FROM ${table} LIMIT 0`)
  const twice = fields.find((f, i) => fields.findIndex((g) => g.name === f.name) !== i)
  if (twice)
    throw new SourceError(
      'ambiguous-column',
      `the query gives two columns ${JSON.stringify(twice.name)}`,
      { column: twice.name },
      'name one of them with AS',
    )
  if (fields.length === 0) throw new SourceError('bad-query', 'the query gives no columns', {}, 'select some')
  if (fields.length > limits.columns) throw new SourceError('too-large', `the query gives ${fields.length} columns`)
  const types = await session.rows('SELECT oid::int8, typname FROM pg_catalog.pg_type WHERE oid = ANY($1::oid[])', [
    `{${fields.map((f) => f.dataTypeID).join(',')}}`,
  ])
  const names = new Map(types.map(([oid, name]) => [Number(oid), name as string]))
  return fields.map((f) => storedColumn(f, names))
}

interface Reading {
  readonly session: Session
  readonly table: string
  readonly key: string
  /** The key of the last row that is written; null at the start. */
  readonly after: string | null
  readonly most: number | null
}

/** Rows behind a server-side cursor, few enough at a time that they stay small together. */
async function* pages({ session, table, key, after, most }: Reading): AsyncGenerator<readonly Cells[]> {
  const column = `q.${quoted(key)}`
  const from = after === null ? '' : ` WHERE ${column} > $1`
  const limit = most === null ? '' : ` LIMIT ${most}`
  await session.rows(
    `DECLARE assay NO SCROLL CURSOR FOR SELECT * FROM ${table}${from} ORDER BY ${column}${limit}`,
    after === null ? [] : [after],
  )
  for (let count: number = fetchRows.first; ; ) {
    const page = await session.rows(`FETCH ${count} FROM assay`)
    if (page.length > 0) yield page
    if (page.length < count) return
    let largest = 1
    for (const row of page)
      largest = Math.max(
        largest,
        row.reduce((n, cell) => n + (cell?.length ?? 0), 0),
      )
    count = Math.max(1, Math.min(fetchRows.most, 2 * count, Math.floor(fetchBytes / largest)))
  }
}

/**
 * Writes the result of a query to an Arrow file, in the order of its key, as it is at one moment: the rows of one snapshot of the
 * data, also where a connection is lost on the way and another goes on behind the last key.
 * @throws SourceError exit 4: variable, query, key or permission; exit 2: the server cannot be reached, the snapshot is lost
 */
export async function copyQuery(spec: SourceSpec, target: string, options: QueryOptions): Promise<QueryCopy> {
  const env = spec.connection?.env as string
  const timeoutS = spec['statement-timeout'] ?? defaultTimeoutS
  const table = tableOf(spec.sql as string)
  const holder = await openSession({ env, timeoutS, snapshot: null })
  try {
    const columns = await columnsOf(holder, table)
    const at = keyOf(spec, columns)
    const key = columns[at]?.name as string
    if (options.most !== null) return await copySample(holder, { table, key, at, columns, target }, options.most)
    const [[snapshot = null] = []] = await holder.rows('SELECT pg_export_snapshot()')
    const copy = await createArrowCopy(target, columns)
    try {
      const rows = createRows(at, copy)
      const open = (): Promise<Session> => openSession({ env, timeoutS, snapshot })
      const reconnected = await readAll(open, { table, key }, rows, options)
      // whatever the server's order of keys is, nothing was passed over
      if (reconnected) await checkCount(holder, open, table, rows.written())
      await copy.close()
      return { rows: rows.written(), whole: rows.written() }
    } catch (e) {
      await copy.abandon()
      throw e
    }
  } finally {
    await holder.close()
  }
}

interface Sample {
  readonly table: string
  readonly key: string
  readonly at: number
  readonly columns: readonly StoredColumn[]
  readonly target: string
}

async function copySample(session: Session, { table, key, at, columns, target }: Sample, most: number): Promise<QueryCopy> {
  const [[count = '0'] = []] = await session.rows(`SELECT count(*) FROM ${table}`)
  const copy = await createArrowCopy(target, columns)
  try {
    const rows = createRows(at, copy)
    for await (const page of pages({ session, table, key, after: null, most })) for (const row of page) await rows.add(row)
    await rows.end()
    await copy.close()
    return { rows: rows.written(), whole: Number(count) }
  } catch (e) {
    await copy.abandon()
    throw e
  }
}

/** True where a connection was lost and replaced on the way. */
async function readAll(
  open: () => Promise<Session>,
  of: { table: string; key: string },
  rows: Rows,
  { progress, signal }: QueryOptions,
): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    let session: Session | null = null
    const before = rows.written()
    try {
      session = await open()
      for await (const page of pages({ ...of, session, after: rows.lastKey(), most: null })) {
        if (signal?.aborted) throw new SourceError('unreachable', 'interrupted', {}, undefined, 2)
        for (const row of page) await rows.add(row)
        await progress(rows.written())
      }
      await rows.end()
      return attempt > 0
    } catch (e) {
      // a connection that brought rows was no failed attempt
      if (rows.written() > before) attempt = 0
      const wait = retries[attempt]
      if (!(e instanceof SourceError) || e.code !== 'unreachable' || wait === undefined || signal?.aborted) throw e
      rows.rewind()
      await sleep(wait)
    } finally {
      await session?.close()
    }
  }
}

async function checkCount(holder: Session, open: () => Promise<Session>, table: string, written: number): Promise<void> {
  const sql = `SELECT count(*) FROM ${table}`
  const [[count = '0'] = []] = await holder.rows(sql).catch(async () => {
    const session = await open()
    return session.rows(sql).finally(() => session.close())
  })
  if (Number(count) !== written)
    throw new SourceError(
      'row-count',
      `${written} rows were read over several connections, the query gives ${count}`,
      {},
      'name a key: whose values are unique and compare as they are written',
    )
}
