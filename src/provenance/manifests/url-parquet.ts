import { open } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { columnNames, urlColumns } from './url-columns.ts'
import type { Table, TableRow } from './url-rows.ts'

const memory = '512MiB'
const maxFooterBytes = 64 * 2 ** 20

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
const name = (value: string): string => `"${value.replaceAll('"', '""')}"`
/** Characters of a glob stand for themselves. */
const literal = (path: string): string => path.replace(/[[*?]/g, (c) => `[${c}]`)

/**
 * Whether the footer of a Parquet file names a column of URLs and one of digests. Names stand in it as text (Thrift's compact
 * protocol), so words of it are enough to leave out most files without an engine.
 */
export async function mayHoldUrls(absolute: string, bytes: number): Promise<boolean> {
  if (bytes < 12) return false
  const handle = await open(absolute)
  try {
    const tail = Buffer.alloc(8)
    await handle.read(tail, 0, 8, bytes - 8)
    const length = tail.readUInt32LE(0)
    if (tail.toString('latin1', 4) !== 'PAR1' || length > Math.min(bytes - 12, maxFooterBytes)) return false
    const footer = Buffer.alloc(length)
    await handle.read(footer, 0, length, bytes - 8 - length)
    const words = footer.toString('latin1')
    return /ur[li]|link/i.test(words) && /hash|digest|checksum|md5|sha|blake|crc32|b3/i.test(words)
  } finally {
    await handle.close()
  }
}

/**
 * Rows of a Parquet table. The engine has one thread and a memory limit, and can read this file and nothing else: no
 * extensions, no network, no spilling. Null where it has no columns of URLs and digests. Throws what the engine throws.
 */
export async function parquetTable(absolute: string, maxRows: number): Promise<Table | null> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: memory,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  try {
    await connection.run(`SET allowed_paths = [${text(absolute)}, ${text(literal(absolute))}]`)
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
    return await readTable(connection, `read_parquet([${text(literal(absolute))}])`, maxRows)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function readTable(connection: DuckDBConnection, scan: string, maxRows: number): Promise<Table | null> {
  const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${scan}`)).getRows()
  const types = new Map(described.map(([column, type]) => [String(column), String(type)]))
  const columns = urlColumns([...types.keys()])
  if (columns === null) return null
  const names = columnNames(columns)
  const cells = names.map((column) => (types.get(column) === 'BLOB' ? `lower(hex(${name(column)}))` : `CAST(${name(column)} AS VARCHAR)`))
  const result = await connection.stream(`SELECT ${cells.join(', ')} FROM ${scan} LIMIT ${maxRows + 1}`)
  const rows: TableRow[] = []
  for (;;) {
    const chunk = await result.fetchChunk()
    if (!chunk || chunk.rowCount === 0) break
    const values = chunk.getColumns() as (string | null)[][]
    for (let i = 0; i < chunk.rowCount && rows.length < maxRows + 1; i++) {
      const each: Record<string, string | null> = Object.create(null)
      for (const [c, column] of names.entries()) each[column] = values[c]?.[i] || null
      rows.push({ cells: each, row: rows.length, line: null })
    }
  }
  const more = rows.length > maxRows
  return { columns, rows: more ? rows.slice(0, maxRows) : rows, more }
}
