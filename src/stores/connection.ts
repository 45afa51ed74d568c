import pg from 'pg'
import { reasonOf, SourceError } from '../sources/errors.ts'

/** One connection in one read-only transaction at one snapshot of the data. */
export interface Session {
  /** Rows as lists of text, null where missing. */
  rows(text: string, values?: readonly (string | null)[]): Promise<readonly (readonly (string | null)[])[]>
  fields(text: string): Promise<readonly pg.FieldDef[]>
  close(): Promise<void>
}

export interface SessionOptions {
  /** The environment variable with the connection string: reports name it and never its value. */
  readonly env: string
  readonly timeoutS: number
  /** Of another session that is still open; null: the data as they are now. */
  readonly snapshot: string | null
}

const connectMs = 15_000
const asText = { getTypeParser: () => (text: string) => text }

/** Values are written the same way whatever the server or the role is set to; for the transaction alone, since a pooler may share the connection. */
const settings = (timeoutS: number): string =>
  [
    `TIME ZONE 'UTC'`,
    `datestyle = 'ISO, YMD'`,
    `intervalstyle = 'iso_8601'`,
    `bytea_output = 'hex'`,
    'extra_float_digits = 1',
    'idle_in_transaction_session_timeout = 0',
    `lock_timeout = '60s'`,
    `statement_timeout = '${timeoutS}s'`,
  ]
    .map((setting) => `SET LOCAL ${setting}`)
    .join('; ')

function connectionString(env: string): string {
  const value = process.env[env]
  if (value) return value
  throw new SourceError(
    'no-variable',
    `the environment variable ${env}, which is to hold the connection string, is not set`,
    {},
    `set it to postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`,
  )
}

function newClient(env: string, timeoutS: number): pg.Client {
  const text = connectionString(env)
  try {
    return new pg.Client({
      connectionString: text,
      application_name: 'assay',
      keepAlive: true,
      connectionTimeoutMillis: connectMs,
      // where the server does not answer at all, not even that the time is over
      query_timeout: timeoutS * 1000 + 15_000,
    })
  } catch {
    // the reason of the parser could quote the string, and with it a password
    throw new SourceError(
      'no-variable',
      `the environment variable ${env} holds no connection string that can be read`,
      {},
      'postgresql://USER:PASSWORD@HOST/DATABASE',
    )
  }
}

/** @throws SourceError `no-variable`, `refused`, `bad-query` (exit 4); `unreachable`, `timeout`, `unreadable` (exit 2) */
export async function openSession({ env, timeoutS, snapshot }: SessionOptions): Promise<Session> {
  const client = newClient(env, timeoutS)
  // a connection that is lost between two statements is met by the next one
  client.on('error', () => {})
  const run = async (text: string, values: readonly (string | null)[] = []): Promise<pg.QueryArrayResult> => {
    try {
      return await client.query({ text, values: [...values], rowMode: 'array', types: asText } as pg.QueryArrayConfig)
    } catch (e) {
      throw databaseError(e, env, timeoutS)
    }
  }
  try {
    await client.connect()
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    if (snapshot !== null) await client.query(`SET TRANSACTION SNAPSHOT ${client.escapeLiteral(snapshot)}`)
    await client.query(settings(timeoutS))
  } catch (e) {
    await client.end().catch(() => {})
    throw databaseError(e, env, timeoutS)
  }
  return {
    rows: async (text, values) => (await run(text, values)).rows as (string | null)[][],
    fields: async (text) => (await run(text)).fields,
    close: async () => {
      await client.end().catch(() => {})
    },
  }
}

/** The server ends connections, starts up, shuts down, or cannot take one more. */
const lost = /^(08|57P|53)/
const refused = /^(28|3D|42501)/
const networkCodes = /^(ECONN|EHOST|ENET|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_|ENOENT|EACCES)/

export function databaseError(e: unknown, env: string, timeoutS: number): SourceError {
  if (e instanceof SourceError) return e
  const { code = '', position } = e as { code?: string; position?: string }
  const reason = reasonOf(e instanceof AggregateError ? e.errors[0] : e)
  const what = `the database of ${env}`
  if (/^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)) {
    if (code === '57014')
      return new SourceError(
        'timeout',
        `${what}: a statement took longer than ${timeoutS} s`,
        {},
        'raise statement-timeout, or index the key',
      )
    if (code === '22023' && /snapshot/.test(reason))
      return new SourceError('unreachable', `${what}: the snapshot that the rows are read at is gone with its connection`, {}, resumeHint)
    if (lost.test(code) || code === '40001') return new SourceError('unreachable', `${what}: ${reason}`, {}, resumeHint)
    if (refused.test(code))
      return new SourceError(
        'refused',
        `${what}: ${reason}`,
        {},
        code === '42501' ? 'grant the role SELECT on what the query reads: docs/stores.md' : `is ${env} right?`,
      )
    if (code === '25006') return new SourceError('bad-query', `${what}: the query writes: ${reason}`, {}, 'a source only reads')
    if (/^(42|0A)/.test(code))
      return new SourceError(
        'bad-query',
        `${what}: ${reason}${position ? ` (at character ${position} of the statement)` : ''}`,
        {},
        'try the query in psql',
      )
    return new SourceError('unreadable', `${what}: ${reason} (SQLSTATE ${code})`, {}, 'try the query in psql')
  }
  if (/query read timeout/i.test(reason)) return new SourceError('unreachable', `${what}: does not answer any more`, {}, resumeHint)
  if (/ssl|tls|certificate|self.signed/i.test(`${code} ${reason}`))
    return new SourceError(
      'refused',
      `${what}: no connection that can be trusted: ${reason}`,
      {},
      'sslmode and sslrootcert of the connection string say how: docs/stores.md',
    )
  const network = networkCodes.test(code) || /terminated|timeout|closed|not queryable|socket/i.test(reason)
  // a network error names host and port, which are nobody's business in a report
  return new SourceError('unreachable', `${what}: ${network ? `cannot be reached (${code || reason})` : reason}`, {}, resumeHint)
}

const resumeHint = 'when it is back, the same command with --resume goes on'
