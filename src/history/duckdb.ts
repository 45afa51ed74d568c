import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { type Database, type Patience, pause, type Row } from './database.ts'
import { HistoryError } from './errors.ts'

const isLocked = (message: string): boolean => /could not set lock|conflicting lock|being used by another process/i.test(message)

async function instanceOf(path: string, waitMs: number): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const until = Date.now() + waitMs
  for (let attempt = 0; ; attempt++) {
    try {
      return await DuckDBInstance.create(path, {
        threads: '1',
        memory_limit: '256MiB',
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
      })
    } catch (error) {
      const message = String((error as Error).message).split('\n')[0] ?? ''
      if (!isLocked(message))
        throw new HistoryError(
          'history-unreadable',
          `${path}: is not a history that can be read: ${message.slice(0, 300)}`,
          { file: path },
          'take it from a backup, or name another file: the audit itself is complete',
        )
      if (Date.now() >= until)
        throw new HistoryError(
          'history-locked',
          `${path}: another process has had it open for ${Math.round(waitMs / 1000)} s`,
          { file: path },
          'one audit at a time writes to a file; for several at once use PostgreSQL: history: { connection: { env: NAME } }',
        )
      await pause(50 + Math.random() * Math.min(1000, 50 * 2 ** attempt))
    }
  }
}

/** A DuckDB file, made where it is not there. One process has it open at a time; others wait. @throws HistoryError */
export async function openDuckDb(path: string, { waitMs }: Patience): Promise<Database> {
  if (!existsSync(dirname(path))) mkdirSync(dirname(path), { recursive: true })
  const instance = await instanceOf(path, waitMs)
  let connection: DuckDBConnection
  try {
    connection = await instance.connect()
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
  } catch (error) {
    instance.closeSync()
    throw error
  }
  const query: Database['query'] = async (sql, values = []) => {
    const reader = await connection.runAndReadAll(sql, [...values])
    return reader.getRowObjectsJS() as readonly Row[]
  }
  return {
    query,
    async transaction(act) {
      await connection.run('BEGIN TRANSACTION')
      try {
        const result = await act()
        await connection.run('COMMIT')
        return result
      } catch (error) {
        await connection.run('ROLLBACK').catch(() => {})
        throw error
      }
    },
    async close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}
