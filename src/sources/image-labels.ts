import { stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import type { ColumnMap, Role, SourceSpec } from '../contracts/data.ts'
import { csvRows } from './csv.ts'
import { asSourceError, SourceError } from './errors.ts'
import type { ColumnSample } from './format.ts'
import { limits } from './limits.ts'
import { guessRoles } from './roles.ts'

export const labelRoles = ['label', 'source', 'id', 'text', 'time', 'url', 'digest'] as const
export type LabelRole = (typeof labelRoles)[number]

/** What a table of labels says about its files: `values[role][i]` belongs to `files[i]`. */
export interface LabelTable {
  readonly columns: readonly ColumnSample[]
  readonly fileColumn: string
  readonly map: { readonly [R in LabelRole]?: string }
  readonly rows: readonly { readonly file: string; readonly line: number; readonly values: { readonly [R in LabelRole]?: string } }[]
}

const fileNames = /^(file|file_?names?|file_?path|path|image|image_?(id|name|file|path)|img|img_?(id|name|path))$/i

const looksLikeFile = (c: ColumnSample): boolean => c.kind === 'string' || c.kind === 'integer'

const fileColumnOf = (columns: readonly ColumnSample[], spec: SourceSpec, path: string): string => {
  const named = spec.columns?.image
  const name =
    typeof named === 'string' ? named : columns.find((c) => fileNames.test(c.name.replace(/[^a-z0-9]+/gi, '_')) && looksLikeFile(c))?.name
  if (name !== undefined && columns.some((c) => c.name === name)) return name
  const listed = columns
    .slice(0, 20)
    .map((c) => JSON.stringify(c.name))
    .join(', ')
  throw new SourceError(
    'unknown-column',
    `${path}: no column with the names of the image files`,
    { file: path },
    `name it: columns: { image: ... }; columns: ${listed}`,
  )
}

/** Reads `labels:`, a CSV with a column of file names and one of labels. */
export async function readLabels(path: string, spec: SourceSpec): Promise<LabelTable> {
  const size = await stat(path).then(
    (s) => s.size,
    (e: unknown) => {
      throw asSourceError(e, path, 'cannot be read')
    },
  )
  if (size > limits.labelFileBytes) throw new SourceError('too-large', `${path}: ${size} bytes of labels`, { file: path })
  const { columns, rows } = await csvRows(path)
  const fileColumn = fileColumnOf(columns, spec, path)
  const rest = columns.filter((c) => c.name !== fileColumn)
  const { image: _, ...named } = spec.columns ?? {}
  const guess: ColumnMap = Object.keys(named).length ? named : guessRoles(rest)
  const map: { [R in LabelRole]?: string } = {}
  for (const role of labelRoles) {
    const name = guess[role]
    if (typeof name !== 'string') continue
    if (!columns.some((c) => c.name === name)) {
      throw new SourceError('unknown-column', `${path}: no column ${JSON.stringify(name)} for the role ${role}`, {
        file: path,
        column: name,
      })
    }
    map[role] = name
  }
  const at = Object.fromEntries(columns.map((c, i) => [c.name, i]))
  const index = at[fileColumn] as number
  return {
    columns,
    fileColumn,
    map,
    rows: rows.map(({ fields, line }) => ({
      file: fields[index] ?? '',
      line,
      values: Object.fromEntries(Object.entries(map).map(([role, name]) => [role as Role, fields[at[name] as number] ?? ''])),
    })),
  }
}

/** The image that a name in the table stands for: its path within the folder, its file name, or either without extension. */
export function matcher(ids: readonly string[]): (name: string) => string | null {
  const byKey = new Map<string, string | null>()
  const add = (key: string, id: string): void => {
    byKey.set(key, byKey.has(key) && byKey.get(key) !== id ? null : id)
  }
  const stem = (id: string): string => id.slice(0, id.length - extname(id).length)
  const exact = new Set(ids)
  for (const id of ids) {
    add(basename(id), id)
    add(stem(id), id)
    add(stem(basename(id)), id)
  }
  return (name) => {
    const plain = name.trim().replaceAll('\\', '/').replace(/^\.\//, '')
    return exact.has(plain) ? plain : (byKey.get(plain) ?? byKey.get(basename(plain)) ?? null)
  }
}
