import type { DuckDBType } from '@duckdb/node-api'
import type { Cells } from '../contracts/chunk.ts'
import type { ShardSpec } from '../contracts/data.ts'
import { handOver, rolesOf, usedColumns } from './assemble.ts'
import { withFile } from './bytes.ts'
import { sequence, uniqueNames } from './cells.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { fileMetadata, metadata, name, pointerReader, scan, stream, withDuckDb } from './parquet-engine.ts'
import { cellsOf, cuts } from './parquet-vectors.ts'
import { sampleColumn } from './sample.ts'

const rowNumber = 'file_row_number'

interface Leaf {
  /** `image.bytes`: the fields of a struct are columns of their own. */
  readonly name: string
  /** `"image"."bytes"`, in SQL. */
  readonly expression: string
  readonly type: string
}

function leaves(path: readonly string[], type: DuckDBType, out: Leaf[]): void {
  const entries = (type as { entryNames?: readonly string[]; entryTypes?: readonly DuckDBType[] }) ?? {}
  const isStruct = String(type).startsWith('STRUCT') && entries.entryNames && entries.entryTypes
  if (isStruct && path.length < 6) {
    entries.entryNames?.forEach((field, i) => {
      leaves([...path, field], entries.entryTypes?.[i] as DuckDBType, out)
    })
    return
  }
  if (out.length >= limits.columns) throw new SourceError('too-large', `more than ${limits.columns} columns`)
  const sql = String(type)
  out.push({
    name: path.join('.'),
    expression: path.map(name).join('.'),
    type: sql.length > 60 ? `${sql.slice(0, 60)}...` : sql.toLowerCase(),
  })
}

/** What a shard needs to be read again. */
interface Range {
  readonly first: number
  readonly rows: number
  readonly used: readonly Leaf[]
  readonly rowBytes: number
  readonly numbered: boolean
}

interface Layout {
  readonly leaves: readonly Leaf[]
  /** Rows of each row group, in order. */
  readonly groups: readonly number[]
  /** Mean bytes of a row before compression. */
  readonly rowBytes: number
}

let latest: { readonly key: string; readonly layout: Promise<Layout> } | undefined

/** Listing asks twice for the same file: the last layout is kept. */
async function layoutOf(path: string): Promise<Layout> {
  const { size, mtimeMs } = await withFile(path, (handle) => handle.stat())
  const key = `${path}:${size}:${mtimeMs}`
  if (latest?.key !== key) latest = { key, layout: readLayout(path) }
  return latest.layout
}

const readLayout = (path: string): Promise<Layout> =>
  withDuckDb(path, async (connection) => {
    const described = await connection.run(`SELECT * FROM ${scan(path, false)} LIMIT 0`)
    const found: Leaf[] = []
    described.columnNames().forEach((column, i) => {
      leaves([column], described.columnType(i), found)
    })
    const footer = await connection.run(`SELECT num_rows, num_row_groups FROM ${fileMetadata(path)}`)
    const [[declared = 0n, groupCount = 0n] = []] = (await footer.getRows()) as bigint[][]
    const listed = await connection.run(
      `SELECT row_group_id, any_value(row_group_num_rows), sum(total_uncompressed_size)::BIGINT FROM ${metadata(path)} GROUP BY row_group_id ORDER BY row_group_id`,
    )
    const rows = (await listed.getRows()) as bigint[][]
    const groups = rows.map((r) => Number(r[1]))
    const bytes = rows.reduce((sum, r) => sum + Math.max(0, Number(r[2])), 0)
    const total = groups.reduce((a, b) => a + b, 0)
    if (groups.length !== Number(groupCount) || total !== Number(declared) || groups.some((n) => !(n >= 0))) {
      const message = `${path}: the footer declares ${declared} rows, its row groups hold ${total}`
      throw new SourceError('row-count', message, { file: path }, 'fetch or write the file again')
    }
    if (total > 2 ** 32 - 1) throw new SourceError('too-large', `${path}: ${total} rows in one file`, { file: path }, 'split the file')
    return { leaves: found, groups, rowBytes: Math.ceil(bytes / Math.max(total, 1)) }
  })

/** Ranges of whole row groups with at least 131,072 rows where there are as many. */
function ranges(groups: readonly number[]): { first: number; rows: number }[] {
  const out: { first: number; rows: number }[] = []
  let first = 0
  let rows = 0
  for (const n of groups) {
    rows += n
    if (rows < limits.tableShardRows * 0.9) continue
    out.push({ first, rows })
    first += rows
    rows = 0
  }
  if (rows > 0 || out.length === 0) out.push({ first, rows })
  return out
}

const isParquet = (head: Uint8Array): boolean => head[0] === 0x50 && head[1] === 0x41 && head[2] === 0x52 && head[3] === 0x31

export const parquet: SourceFormat = {
  name: 'parquet',
  extensions: ['.parquet', '.pq'],
  detect: isParquet,

  async columns(path): Promise<readonly ColumnSample[]> {
    const { leaves: found, rowBytes } = await layoutOf(path)
    if (found.length === 0) throw new SourceError('empty', `${path}: has no columns`, { file: path })
    const cells: (Cells | null)[] = found.map(() => null)
    const read = await pointerReader()
    const columns = found.map((leaf) => leaf.expression).join(', ')
    const sample = Math.max(20, Math.min(limits.sampleRows, Math.floor(limits.batchBytes / Math.max(rowBytes, 1))))
    for await (const chunk of stream(path, `SELECT ${columns} FROM ${scan(path, false)} LIMIT ${sample}`, rowBytes)) {
      const to = cuts(chunk)[1] as number
      found.forEach((_, i) => {
        cells[i] = cellsOf(chunk.getColumnVector(i), 0, to, read)
      })
      break
    }
    return found.map((leaf, i) => sampleColumn(leaf.name, cells[i] ?? { kind: 'values', values: [] }, leaf.type, false))
  },

  async shards(path, id, _spec, columns, every): Promise<readonly ShardSpec[]> {
    const { leaves: found, groups, rowBytes } = await layoutOf(path)
    const size = await withFile(path, async (handle) => (await handle.stat()).size)
    const all = uniqueNames(found.map((l) => l.name))
    const named = usedColumns(columns).map((column) => {
      const leaf = found.find((l) => l.name === column)
      if (!leaf) throw new SourceError('mixed-schema', `${path}: no column ${JSON.stringify(column)}`, { file: path, column })
      return { name: leaf.name, expression: leaf.expression }
    })
    const used = every ? found.map(({ expression }, i) => ({ name: all[i] as string, expression })) : named
    const total = groups.reduce((a, b) => a + b, 0)
    // a file with a column of that name cannot be asked for ranges of rows
    const numbered = !found.some((l) => l.name.toLowerCase() === rowNumber)
    const parts = numbered ? ranges(groups) : [{ first: 0, rows: total }]
    return parts.map(({ first, rows }) => ({
      id: parts.length > 1 ? `${id}#${first}+${rows}` : id,
      format: 'parquet',
      path,
      bytes: total ? Math.round((size * rows) / total) : size,
      expectedRows: rows,
      options: { first, rows, used, rowBytes, numbered },
    }))
  },

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    const { first, rows, used, rowBytes, numbered } = shard.options as unknown as Range
    const columns = used.map((leaf) => leaf.expression).join(', ')
    const range = numbered ? ` WHERE ${rowNumber} >= ${first} AND ${rowNumber} < ${first + rows}` : ''
    const pointers = await pointerReader()
    let done = 0
    for await (const chunk of stream(shard.path, `SELECT ${columns} FROM ${scan(shard.path, numbered)}${range}`, rowBytes)) {
      const ends = cuts(chunk)
      for (let k = 1; k < ends.length; k++) {
        const from = ends[k - 1] as number
        const to = ends[k] as number
        const cells = new Map(used.map((leaf, i) => [leaf.name, cellsOf(chunk.getColumnVector(i), from, to, pointers)]))
        const batch = handOver(
          { rows: sequence(first + done + from, to - from), lines: null, columns: cells },
          roles,
          shard.path,
          issue,
          tap,
        )
        if (batch) yield batch
      }
      done += chunk.rowCount
    }
    if (done !== rows) {
      const message = `${shard.path}: ${done} rows came of the ${rows} that the footer declares from row ${first} on`
      throw new SourceError('row-count', message, { file: shard.path, row: first + done }, 'fetch or write the file again')
    }
  },
}
