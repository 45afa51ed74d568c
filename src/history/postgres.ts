import type { Client } from 'pg'
import type { Database, Patience } from './database.ts'
import { HistoryError } from './errors.ts'

/** Any number that all writers of a history agree on. */
const lockNumber = 7_235_641

/** A failure without the address: it holds a password. */
const wordsOf = (error: unknown, address: string): string => {
  const message = String((error as Error).message || (error as { code?: string }).code || error)
  return message.split(address).join('its address').slice(0, 300)
}

/** PostgreSQL by the address in an environment variable. @throws HistoryError */
export async function openPostgres(variable: string, env: NodeJS.ProcessEnv, { waitMs }: Patience): Promise<Database> {
  const address = env[variable]
  if (!address)
    throw new HistoryError(
      'history-unset',
      `the environment variable ${variable}, which is to hold the address of the history, is not set`,
      {},
      `set it to postgres://USER:PASSWORD@HOST/DATABASE, or take history out of the pipeline file`,
    )
  const { default: pg } = await import('pg')
  const client: Client = new pg.Client({
    connectionString: address,
    connectionTimeoutMillis: Math.min(waitMs, 15_000),
    query_timeout: Math.max(waitMs, 30_000),
    application_name: 'assay',
  })
  // A connection that is cut between two queries shows at the next query.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    await client.end().catch(() => {})
    throw new HistoryError(
      'history-unreachable',
      `the history in ${variable} cannot be reached: ${wordsOf(error, address)}`,
      {},
      'start the server or correct the address: the audit itself is complete',
    )
  }
  const query: Database['query'] = async (sql, values = []) => (await client.query(sql, [...values])).rows
  return {
    query,
    async transaction(act) {
      await client.query('BEGIN')
      try {
        await client.query(`SET LOCAL lock_timeout = ${Math.round(waitMs)}`)
        await client.query('SELECT pg_advisory_xact_lock($1)', [lockNumber])
        const result = await act()
        await client.query('COMMIT')
        return result
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {})
        throw error
      }
    },
    async close() {
      await client.end().catch(() => {})
    },
  }
}
