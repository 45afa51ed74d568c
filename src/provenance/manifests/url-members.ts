import type { DeliveredFile, Delivery } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'
import { baseName, fileAt, filesUnder, folderOf, inFolder } from './lookup.ts'
import type { UrlColumns } from './url-columns.ts'
import type { TableRow } from './url-rows.ts'

/** How the rows of a table name their members; one way for the whole table. */
export type Naming = 'path' | 'key' | 'url'

/** A member, relative to the root; `hostile` where the name is refused; null where the row has none. */
type Member = { readonly path: string } | { readonly hostile: string; readonly raw: string } | null

export interface Members {
  readonly naming: Naming
  /** Rows of those looked at whose member is in the delivery. */
  readonly hits: number
  member(row: TableRow): Member
}

/** The last segment of a URL's path, percent signs decoded; null for an address without one. */
export function urlName(url: string): string | null {
  try {
    return baseName(decodeURIComponent(new URL(url).pathname)) || null
  } catch {
    return null
  }
}

/** What a name is compared with: WebDataset's key is the name up to its first dot. */
const stem = (name: string): string => name.replace(/(?<=.)\..*$/, '')
/** Written beside a member by img2dataset, under the same key. */
const isNote = (path: string): boolean => /\.(txt|json)$/i.test(path)

interface Index {
  /** The one file of this name, or with this key, below a folder; null where there are several. */
  readonly byName: ReadonlyMap<string, string | null>
  readonly byKey: ReadonlyMap<string, string | null>
}

function indexOf(delivery: Delivery, folder: string, table: string): Index {
  const byName = new Map<string, string | null>()
  const byKey = new Map<string, string | null>()
  const notes = new Map<string, string | null>()
  const add = (map: Map<string, string | null>, key: string, path: string) => map.set(key, map.has(key) ? null : path)
  for (const { path } of filesUnder(delivery, folder === '' ? '' : `${folder}/`)) {
    if (path === table) continue
    const name = baseName(path)
    add(byName, name, path)
    add(isNote(path) ? notes : byKey, stem(name), path)
  }
  for (const [key, path] of notes) if (!byKey.has(key)) byKey.set(key, path)
  return { byName, byKey }
}

function members(naming: Naming, columns: UrlColumns, file: DeliveredFile, delivery: Delivery, index: () => Index): Omit<Members, 'hits'> {
  const own = folderOf(file.path)
  const bases = [...new Set([own, inFolder(own, stem(baseName(file.path))), ''])]
  const named = (raw: string | null): Member => {
    if (raw === null) return null
    const there = bases.flatMap((base) => {
      const safe = safePath(raw, base)
      return 'path' in safe && fileAt(delivery, safe.path) ? [safe.path] : []
    })
    const path = there[0] ?? (raw.includes('/') ? null : index().byName.get(raw))
    if (path) return { path }
    const safe = safePath(raw, own)
    return 'path' in safe ? safe : { hostile: safe.hostile, raw }
  }
  const keyed = (raw: string | null): Member => {
    const path = raw === null ? null : index().byKey.get(raw)
    return path ? { path } : named(raw)
  }
  if (naming === 'path') return { naming, member: ({ cells }) => named(cells[columns.path ?? ''] ?? null) }
  if (naming === 'key') return { naming, member: ({ cells }) => keyed(cells[columns.key ?? ''] ?? null) }
  return { naming, member: ({ cells }) => named(urlName(cells[columns.url] ?? '')) }
}

/**
 * The way of naming under which most of `rows` find a member: a column of paths, img2dataset's key, or the last segment of
 * the URL, in this order where they are even. Members stand in the folder of the table, in one named after it, or in the root;
 * a name without a folder is also found where it occurs once below the table's folder.
 */
export function findMembers(rows: readonly TableRow[], columns: UrlColumns, file: DeliveredFile, delivery: Delivery): Members {
  let made: Index | null = null
  const index = () => {
    made ??= indexOf(delivery, folderOf(file.path), file.path)
    return made
  }
  const ways: Naming[] = [...(columns.path ? (['path'] as const) : []), ...(columns.key ? (['key'] as const) : []), 'url']
  const tried = ways.map((naming): Members => {
    const way = members(naming, columns, file, delivery, index)
    const hits = rows.reduce((n, row) => {
      const found = way.member(row)
      return found && 'path' in found && fileAt(delivery, found.path) ? n + 1 : n
    }, 0)
    return { ...way, hits }
  })
  return tried.reduce((best, each) => (each.hits > best.hits ? each : best))
}
