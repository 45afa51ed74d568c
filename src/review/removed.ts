import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { sha256File } from '../engine/files.ts'
import { sumsText } from '../provenance/sign/sums.ts'
import { openTable, type TableColumn } from '../report/table-writer.ts'
import type { Held } from './decision.ts'

/** A record that is not in the copy, or is there under another label. */
export interface Removed {
  readonly action: 'removed' | 'relabelled'
  readonly held: Held
  readonly file: string
  readonly row: number
}

interface Piece {
  readonly length: number
  readonly rows: readonly Removed[]
}

const text = (name: string, of: (one: Removed) => string | null): TableColumn<Piece> => ({ name, type: 'text', of: (p) => p.rows.map(of) })

const columns: readonly TableColumn<Piece>[] = [
  text('action', (r) => r.action),
  text('id', (r) => r.held.by.id),
  text('key', (r) => r.held.by.key),
  text('file', (r) => r.file),
  { name: 'row', type: 'row', of: (p) => Uint32Array.from(p.rows, (r) => r.row) },
  text('given_label', (r) => r.held.by.givenLabel),
  text('label', (r) => r.held.label),
  text('reason', (r) => (r.held.decision === 'relabel' ? 'relabel' : 'confirmed poison')),
  text('note', (r) => r.held.note),
  text('rule', (r) => r.held.by.rule),
  text('finding', (r) => r.held.by.finding),
  text('reviewer', (r) => r.held.by.reviewer),
  text('time', (r) => r.held.by.time),
]

/** `removed.csv` for people and `removed.jsonl`, in which no text is altered for a spreadsheet. */
export async function writeRemoved(folder: string, rows: readonly Removed[]): Promise<void> {
  for (const format of ['csv', 'jsonl'] as const) {
    const table = await openTable(join(folder, `removed.${format}`), format, columns)
    await table.write({ length: rows.length, rows })
    await table.close()
  }
}

/** Lines of `sha256sum` for every file below a folder. */
export async function sumsOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name))
  const files: { path: string; sha256: string }[] = []
  for (const path of paths) files.push({ path: relative(folder, path).split(sep).join('/'), sha256: await sha256File(path) })
  return sumsText(files)
}
