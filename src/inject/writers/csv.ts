import { readHead } from '../../sources/bytes.ts'
import { csvRecords, type Dialect } from '../../sources/csv-records.ts'
import type { RowChange } from '../changes.ts'
import { InjectError } from '../errors.ts'
import { writePieces } from './text-file.ts'
import { ChangeCursor, type CopyWriter, categoryPlaces, columnOf, featurePlaces, storedLabel } from './writer.ts'

const isBlank = (row: readonly string[]): boolean => row.length === 1 && (row[0] === '' || row[0] === '\r')

function quoted(field: string, delimiter: string): string {
  return field.includes('"') || field.includes(delimiter) || field.includes('\n') || field.includes('\r') || field !== field.trim()
    ? `"${field.replaceAll('"', '""')}"`
    : field
}

function line(fields: readonly string[], { delimiter, newline }: Dialect): string {
  const last = fields.length - 1
  const end = newline === '\n' && fields[last]?.endsWith('\r') ? '\r' : ''
  let text = ''
  for (let i = 0; i <= last; i++) {
    const field = fields[i] as string
    text += `${i > 0 ? delimiter : ''}${quoted(i === last && end ? field.slice(0, -1) : field, delimiter)}`
  }
  return `${text}${end}${newline}`
}

/** A row's new fields; null: as it is. */
export type EditRow = (row: number, fields: readonly string[], header: readonly string[]) => Promise<readonly string[] | null>

/** Copies a CSV file record by record; values stay as they are, quotes that are not needed go. */
export async function copyCsv(path: string, out: string, dialect: Dialect, edit: EditRow): Promise<void> {
  const { gzip } = await readHead(path, 64)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let header: string[] | null = null
    let row = 0
    for await (const records of csvRecords(path, dialect)) {
      const encoding = records.bytes ? 'latin1' : 'utf8'
      let text = ''
      for (const [i, fields] of records.rows.entries()) {
        if (records.malformed.has(i))
          throw new InjectError(
            'unsupported',
            `${path}: line ${records.line(i)} has malformed quotes`,
            'write the file again',
            { file: path },
            2,
          )
        if (!header || isBlank(fields)) {
          if (!header && !isBlank(fields)) header = fields.map((name) => name.replace(/\r$/, '').trim())
          text += line(fields, dialect)
          continue
        }
        const changed = await edit(row++, fields, header)
        if (changed && encoding === 'latin1') text += Buffer.from(line(changed, dialect)).toString('latin1')
        else text += line(changed ?? fields, dialect)
      }
      yield Buffer.from(text, encoding)
    }
  }
  await writePieces(out, gzip, pieces())
}

/** The field of a column replaced; a carriage return that ends the line stays. */
function put(fields: string[], header: readonly string[], column: string, value: string): void {
  const at = header.indexOf(column)
  if (at < 0) throw new InjectError('missing-field', `no column ${JSON.stringify(column)} in the header`)
  fields[at] = at === fields.length - 1 && fields[at]?.endsWith('\r') ? `${value}\r` : value
}

export const writeCsv: CopyWriter = async (job) => {
  const [shard] = job.shards
  if (!shard) return null
  const cursor = new ChangeCursor(job)
  const edit = (change: RowChange, fields: readonly string[], header: readonly string[]): readonly string[] => {
    const { label, text, response, numbers } = change
    const next = [...fields]
    if (label !== undefined) put(next, header, columnOf(shard, 'label'), storedLabel(shard, label))
    if (text !== undefined) put(next, header, columnOf(shard, 'text'), text)
    if (response !== undefined) put(next, header, columnOf(shard, 'response'), response)
    for (const { column, value } of featurePlaces(shard, numbers ?? [])) put(next, header, column, String(value))
    for (const { column, value } of categoryPlaces(shard, change)) put(next, header, column, value)
    return next
  }
  await copyCsv(job.path, job.out(job.path), shard.options as unknown as Dialect, async (row, fields, header) => {
    const change = await cursor.at(row)
    return change ? edit(change, fields, header) : null
  })
  await cursor.end(job.path)
  return null
}
