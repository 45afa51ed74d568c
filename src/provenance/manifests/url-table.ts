import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeliveredFile, Delivery, Digest, Manifest, ManifestEntry, ManifestFormat } from '../../contracts/provenance.ts'
import { contentOf } from './content.ts'
import { fileAt } from './lookup.ts'
import { type ProblemList, problemList, shown } from './problem-list.ts'
import { cellDigest, holdsDigests, type UrlColumns, urlColumns } from './url-columns.ts'
import { findMembers, type Members } from './url-members.ts'
import { mayHoldUrls, parquetTable } from './url-parquet.ts'
import { delimitedTable, delimiterOf, lineTable, type Table, type TableRow } from './url-rows.ts'

/** Text of a table; a Parquet file may be larger, as only some of its columns are read. */
const maxBytes = 256 * 2 ** 20
const maxRows = 1_000_000
/** What discovery looks at to tell a table of members from data that happen to have such columns. */
const confirmRows = 10_000
const confirmBytes = 4 * 2 ** 20

type Form = 'delimited' | 'lines' | 'parquet'

function formOf(path: string): Form | null {
  if (/\.(csv|tsv|tab)$/i.test(path)) return 'delimited'
  if (/\.(jsonl|ndjson)$/i.test(path)) return 'lines'
  return /\.(parquet|pq)$/i.test(path) ? 'parquet' : null
}

const absolute = (delivery: Delivery, path: string): string => delivery.outside.get(path) ?? join(delivery.root, ...path.split('/'))

function detect(file: DeliveredFile, head: () => Uint8Array): boolean {
  const form = formOf(file.path)
  if (form === null) return false
  const bytes = head()
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (form === 'parquet') return text.startsWith('PAR1')
  if (form === 'delimited') return delimiterOf(text.split(/[\r\n]/, 1)[0] as string) !== null
  // the first object may be longer than the head: its keys are enough
  const first = text.replace(/^\ufeff/, '').trimStart()
  if (!first.startsWith('{')) return false
  return urlColumns(Array.from(first.split('\n', 1)[0]?.matchAll(/"([^"\\]{1,64})"\s*:/g) ?? [], ([, key]) => key as string)) !== null
}

async function beginning(path: string): Promise<{ readonly bytes: Buffer; readonly whole: boolean }> {
  const handle = await open(path)
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(confirmBytes), 0, confirmBytes, 0)
    return { bytes: buffer.subarray(0, bytesRead), whole: bytesRead < confirmBytes }
  } finally {
    await handle.close()
  }
}

async function tableOf(form: Form, file: DeliveredFile, delivery: Delivery, rows: number, problems: ProblemList): Promise<Table | null> {
  const path = absolute(delivery, file.path)
  if (form === 'parquet') return parquetTable(path, rows)
  const partial = rows < maxRows
  const content = partial ? null : await contentOf(delivery, file.path, maxBytes, problems)
  const read = partial ? await beginning(path) : content && { bytes: content, whole: true }
  if (!read) return null
  if (form === 'lines') return lineTable(read.bytes, file.path, rows, read.whole, problems)
  return delimitedTable(read.bytes.toString('utf8'), file.path, rows, read.whole, problems)
}

const cellsOf = (rows: readonly TableRow[], column: string): string[] => rows.flatMap(({ cells }) => cells[column] ?? [])

/**
 * Data may have a URL and a digest in every row (web crawls do). A table is a manifest of this delivery where its digests are
 * digests and at least one of its first 10,000 rows names a file in it.
 */
async function confirm(file: DeliveredFile, delivery: Delivery): Promise<boolean> {
  const form = formOf(file.path) ?? 'delimited'
  try {
    if (form === 'parquet' && !(await mayHoldUrls(absolute(delivery, file.path), file.bytes))) return false
    const table = await tableOf(form, file, delivery, confirmRows, problemList(file.path))
    if (!table) return false
    const digests = table.columns.hashes.some(
      ({ column, algorithm }) => algorithm !== null || holdsDigests(cellsOf(table.rows, column), null),
    )
    return digests && findMembers(table.rows, table.columns, file, delivery).hits > 0
  } catch {
    // a table that no engine can read is judged by whoever reads the data
    return false
  }
}

interface Draft extends Omit<ManifestEntry, 'digests'> {
  readonly digests: Digest[]
}

interface Reading {
  readonly file: DeliveredFile
  readonly problems: ProblemList
  readonly columns: UrlColumns
  readonly members: Members
  readonly drafts: Map<string, Draft>
}

const sizeOf = (cell: string | null): number | null => (cell !== null && /^\d{1,15}$/.test(cell) ? Number(cell) : null)

function addRow({ file, problems, columns, members, drafts }: Reading, row: TableRow): void {
  const { cells, line } = row
  const place = { file: file.path, row: row.row, ...(line === null ? {} : { line }) }
  const where = `${file.path}, row ${row.row + 1}`
  const member = members.member(row)
  if (member === null) {
    problems.error('malformed', `${where}: names no file.`, place)
    return
  }
  if ('hostile' in member) {
    problems.error('hostile-path', `${where}: the name "${shown(member.raw)}" is refused: ${member.hostile}.`, place)
    return
  }
  let placeholder: string | null = null
  const digests: Digest[] = []
  for (const { column, algorithm } of columns.hashes) {
    const cell = cells[column]
    const digest = cell ? cellDigest(cell, algorithm) : null
    if (digest) digests.push(digest)
    else if (cell) placeholder ??= shown(cell)
  }
  const known = drafts.get(member.path)
  if (!known) {
    const label = columns.label === null ? null : (cells[columns.label] ?? null)
    const bytes = columns.bytes === null ? null : sizeOf(cells[columns.bytes] ?? null)
    drafts.set(member.path, { path: member.path, digests, bytes, range: null, placeholder, url: cells[columns.url] ?? null, label, place })
    return
  }
  for (const digest of digests) {
    const same = known.digests.find(({ algorithm }) => algorithm === digest.algorithm)
    if (same?.hex === digest.hex) continue
    if (same) {
      const message = `${file.path}, rows ${(known.place.row ?? 0) + 1} and ${row.row + 1}: two ${digest.algorithm} digests for ${member.path}.`
      problems.error('inconsistent', message, place)
    }
    known.digests.push(digest)
  }
}

/** Rows that say of themselves that nothing was downloaded, and for which nothing is there. */
const failed = ({ columns, members }: Reading, row: TableRow, delivery: Delivery): boolean => {
  const status = columns.status === null ? null : row.cells[columns.status]
  if (!status || /^(success|ok|200)$/i.test(status)) return false
  const member = members.member(row)
  return !(member && 'path' in member && fileAt(delivery, member.path))
}

function entriesOf(table: Table, file: DeliveredFile, delivery: Delivery, problems: ProblemList): ManifestEntry[] {
  const members = findMembers(table.rows, table.columns, file, delivery)
  const hashes = table.columns.hashes.filter(
    ({ column, algorithm }) => algorithm !== null || holdsDigests(cellsOf(table.rows, column), null),
  )
  for (const { column } of table.columns.hashes.filter((each) => !hashes.includes(each))) {
    problems.error('unsupported', `${file.path}: what column ${shown(column)} holds are no digests of files.`, { file: file.path, column })
  }
  const reading: Reading = { file, problems, columns: { ...table.columns, hashes }, members, drafts: new Map() }
  let unfetched = 0
  for (const row of table.rows) {
    if (failed(reading, row, delivery)) unfetched += 1
    else addRow(reading, row)
  }
  if (unfetched > 0) {
    const rows = unfetched === 1 ? '1 row says' : `${unfetched.toLocaleString('en')} rows say`
    problems.warn('inconsistent', `${file.path}: ${rows} that the file was not downloaded, and it is not here.`, { file: file.path })
  }
  if (table.more) {
    problems.error('too-large', `${file.path}: only its first ${maxRows.toLocaleString('en')} rows were read.`, { file: file.path })
  }
  return [...reading.drafts.values()]
}

async function read(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const problems = problemList(file.path)
  let table: Table | null = null
  try {
    table = await tableOf(formOf(file.path) ?? 'delimited', file, delivery, maxRows, problems)
  } catch (e) {
    const reason = e instanceof Error ? shown(e.message.split('\n', 1)[0] as string, 200) : 'unknown'
    problems.error('malformed', `${file.path} is no table that can be read: ${reason}.`, { file: file.path })
  }
  if (!table && problems.all.length === 0) {
    problems.error('malformed', `${file.path} has no columns of URLs and digests.`, { file: file.path })
  }
  return {
    kind: 'url-table',
    title: 'Table of URLs and digests',
    file: file.path,
    version: null,
    entries: table ? entriesOf(table, file, delivery, problems) : [],
    closed: null,
    ignored: [],
    own: [file.path],
    signatures: [],
    problems: problems.all,
    facts: [],
  }
}

/**
 * Tables of URLs, digests and local members, as LAION, img2dataset and others distribute them: CSV, TSV, JSON lines, Parquet.
 * No URL is ever fetched.
 */
export const urlTable: ManifestFormat = { kind: 'url-table', title: 'Table of URLs and digests', detect, confirm, read }
