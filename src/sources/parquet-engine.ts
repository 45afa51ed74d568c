import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { asSourceError, reasonOf, SourceError } from './errors.ts'
import { limits } from './limits.ts'
import type { ReadPointer } from './parquet-texts.ts'

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
export const name = (value: string): string => `"${value.replaceAll('"', '""')}"`

/** Characters of a glob stand for themselves. */
const literal = (path: string): string => path.replace(/[[*?]/g, (c) => `[${c}]`)

/** `read_parquet` of exactly this file, where asked for with the number of each row. */
export const scan = (path: string, numbered: boolean): string =>
  `read_parquet([${text(literal(path))}]${numbered ? ', file_row_number = true' : ''})`
export const fileMetadata = (path: string): string => `parquet_file_metadata([${text(literal(path))}])`
export const metadata = (path: string): string => `parquet_metadata([${text(literal(path))}])`

/**
 * One DuckDB with one thread and a memory limit, which can read this one file and nothing else: no extensions, no network,
 * no other file, no spilling to disk, and a configuration that cannot be changed any more.
 */
export async function withDuckDb<T>(path: string, use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const iterator = connections(path, limits.parquetMemory)
  try {
    const { value } = await iterator.next()
    return await use(value as DuckDBConnection)
  } catch (e) {
    throw parquetError(e, path)
  } finally {
    await iterator.return(undefined)
  }
}

async function* connections(path: string, memory: number): AsyncGenerator<DuckDBConnection, undefined> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: `${Math.ceil(memory / 2 ** 20)}MiB`,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  try {
    await connection.run(`SET allowed_paths = [${text(path)}, ${text(literal(path))}]`)
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
    yield connection
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
  return undefined
}

/** Reads the bytes behind a pointer in a vector. */
export const pointerReader = async (): Promise<ReadPointer> => (await import('@duckdb/node-bindings')).default.get_data_from_pointer

/** Four vectors of 2,048 rows must fit: more memory for wide rows, up to a limit of its own. */
const memoryFor = (rowBytes: number): number => Math.min(limits.parquetMemoryMost, Math.max(limits.parquetMemory, 4 * 2048 * rowBytes))

/**
 * The result of a query in chunks of up to 2,048 rows; the next is made while one is at work.
 * `rowBytes` is the mean size of a row before compression.
 */
export async function* stream(path: string, sql: string, rowBytes: number): AsyncGenerator<DuckDBDataChunk> {
  const iterator = connections(path, memoryFor(rowBytes))
  let ahead: Promise<DuckDBDataChunk | null> | null = null
  try {
    const { value } = await iterator.next()
    const result = await (value as DuckDBConnection).stream(sql)
    ahead = result.fetchChunk()
    for (;;) {
      const chunk: DuckDBDataChunk | null = await ahead
      ahead = null
      if (!chunk || chunk.rowCount === 0) return
      ahead = result.fetchChunk()
      // an error of the chunk ahead is thrown when its turn comes
      ahead.catch(() => {})
      yield chunk
    }
  } catch (e) {
    throw parquetError(e, path)
  } finally {
    await ahead?.catch(() => {})
    await iterator.return(undefined)
  }
}

function parquetError(e: unknown, path: string): SourceError {
  if (e instanceof SourceError) return e
  const reason = reasonOf(e)
  const place = { file: path }
  if (/out of memory/i.test(reason)) {
    return new SourceError(
      'too-large',
      `${path}: its rows or row groups need more memory than a reader is given`,
      place,
      'write the file again with smaller row groups',
    )
  }
  if (/string encoding/i.test(reason)) {
    return new SourceError(
      'corrupt',
      `${path}: a text column holds bytes that are not UTF-8`,
      place,
      'declare the column as binary, or write it as UTF-8',
    )
  }
  if (/too small|could not read enough bytes/i.test(reason))
    return new SourceError('truncated', `${path}: is cut off: ${reason}`, place, 'fetch the file again')
  return asSourceError(new Error(reason.replace(/^[A-Za-z ]*Error:\s*/, '')), path, 'is not a readable Parquet file')
}
