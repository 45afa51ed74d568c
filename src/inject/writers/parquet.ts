import type { DuckDBAppender, DuckDBConnection, DuckDBType } from '@duckdb/node-api'
import type { Role, ShardSpec } from '../../contracts/data.ts'
import { reasonOf } from '../../sources/errors.ts'
import { limits } from '../../sources/limits.ts'
import { name, scan } from '../../sources/parquet-engine.ts'
import { InjectError } from '../errors.ts'
import { type CopyJob, type CopyWriter, categoryPlaces, columnOf, columnsOf, featurePlaces, storedLabel } from './writer.ts'

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`

interface Leaf {
  readonly name: string
  readonly expression: string
}

/** A column that changes: its path in nested structs, and its column in the table of changes. */
interface Slot {
  readonly path: readonly string[]
  readonly slot: string
  readonly type: 'VARCHAR' | 'BLOB' | 'DOUBLE'
}

const pathOf = (shard: ShardSpec, column: string): readonly string[] => {
  const leaf = (shard.options.used as unknown as readonly Leaf[]).find((l) => l.name === column)
  const parts = leaf?.expression.match(/"(?:[^"]|"")*"/g) ?? [name(column)]
  return parts.map((part) => part.slice(1, -1).replaceAll('""', '"'))
}

function slotsOf(shard: ShardSpec): readonly (Slot & { readonly role: Role; readonly column: string })[] {
  const columns = columnsOf(shard)
  const slots: (Slot & { role: Role; column: string })[] = []
  const add = (role: Role, column: string, type: Slot['type']): void => {
    slots.push({ role, column, path: pathOf(shard, column), slot: `s${slots.length}`, type })
  }
  for (const role of ['label', 'text', 'response'] as const) if (columns[role] !== undefined) add(role, columnOf(shard, role), 'VARCHAR')
  if (columns.image !== undefined) add('image', columnOf(shard, 'image'), 'BLOB')
  for (const column of [columns.categories ?? []].flat()) add('categories', column, 'VARCHAR')
  for (const column of [columns.features ?? []].flat()) add('features', column, 'DOUBLE')
  return slots
}

interface StructLike {
  readonly entryNames?: readonly string[]
  readonly entryTypes?: readonly DuckDBType[]
}

/** The column with changed rows replaced; of a struct, every field, changed or not. */
function replaced(of: string, type: DuckDBType, own: readonly Slot[], depth: number): string {
  const [first] = own
  if (!first) return of
  if (own.length === 1 && first.path.length === depth) return `coalesce(c.${first.slot}, ${of})`
  const { entryNames = [], entryTypes = [] } = type as StructLike
  const fields = entryNames.map((field, i) => {
    const inner = own.filter((s) => s.path[depth] === field)
    return `${name(field)} := ${replaced(`${of}.${name(field)}`, entryTypes[i] as DuckDBType, inner, depth + 1)}`
  })
  return `CASE WHEN ${of} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
}

async function fill(job: CopyJob, connection: DuckDBConnection): Promise<void> {
  const [shard] = job.shards
  if (!shard) return
  const slots = slotsOf(shard)
  await connection.run(`CREATE TABLE changes (r BIGINT${slots.map((s) => `, ${s.slot} ${s.type}`).join('')})`)
  const appender: DuckDBAppender = await connection.createAppender('changes')
  const { DuckDBBlobValue } = await import('@duckdb/node-api')
  for (const one of job.shards) {
    for await (const change of job.changes(one)) {
      const numbers = new Map(featurePlaces(one, change.numbers ?? []).map(({ column, value }) => [column, value]))
      if (change.numbers && [columnsOf(one).features ?? []].flat().length === 1 && change.numbers.some(([at]) => at > 0))
        throw new InjectError(
          'unsupported',
          `${job.path}: lists of numbers in Parquet are not written`,
          'give every feature a column of its own',
        )
      const categories = new Map(categoryPlaces(one, change).map(({ column, value }) => [column, value]))
      appender.appendBigInt(BigInt(change.row))
      for (const { role, column, type } of slots) {
        const value =
          role === 'label'
            ? change.label && storedLabel(one, change.label)
            : role === 'text'
              ? change.text
              : role === 'response'
                ? change.response
                : role === 'categories'
                  ? categories.get(column)
                  : undefined
        if (type === 'VARCHAR' && value !== undefined) appender.appendVarchar(value)
        else if (type === 'BLOB' && change.image) appender.appendBlob(new DuckDBBlobValue(change.image).bytes)
        else if (type === 'DOUBLE' && numbers.has(column)) appender.appendDouble(numbers.get(column) as number)
        else appender.appendNull()
      }
      appender.endRow()
    }
  }
  appender.closeSync()
}

/**
 * Copies the file through DuckDB, which keeps every type, nested ones too: rows in their order, changed cells cast to the type of
 * their column. It may read the input, write the copy, and nothing else.
 */
export const writeParquet: CopyWriter = async (job) => {
  const [shard] = job.shards
  if (!shard) return null
  if (shard.options.numbered === false)
    throw new InjectError(
      'unsupported',
      `${job.path}: has a column named file_row_number, which DuckDB needs for itself`,
      'give it another name',
    )
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: `${Math.ceil(limits.parquetMemoryMost / 2 ** 20)}MiB`,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  try {
    const out = job.out(job.path)
    await connection.run(`SET allowed_paths = [${text(job.path)}, ${text(job.path.replace(/[[*?]/g, (c) => `[${c}]`))}, ${text(out)}]`)
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
    await fill(job, connection)
    const slots = slotsOf(shard)
    const tops = [...new Set(slots.map((s) => s.path[0] as string))]
    const described = await connection.run(`SELECT * FROM ${scan(job.path, false)} LIMIT 0`)
    const columns = described.columnNames().map((column, i) => {
      if (!tops.includes(column)) return `t.${name(column)}`
      const own = slots.filter((s) => s.path[0] === column)
      return `CAST(${replaced(`t.${name(column)}`, described.columnType(i), own, 1)} AS ${String(described.columnType(i))}) AS ${name(column)}`
    })
    const query = `SELECT ${columns.join(', ')} FROM ${scan(job.path, true)} t LEFT JOIN changes c ON c.r = t.file_row_number`
    await connection.run(`COPY (${query}) TO ${text(out)} (FORMAT parquet, USE_TMP_FILE false)`)
  } catch (error) {
    if (error instanceof InjectError) throw error
    throw new InjectError('unsupported', `${job.path}: cannot be written anew: ${reasonOf(error)}`, undefined, { file: job.path }, 2)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
  return null
}
