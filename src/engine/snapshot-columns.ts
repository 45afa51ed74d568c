import type { ColumnMap, Role, SourceListing, SourceSpec } from '../contracts/data.ts'
import type { SnapshotColumns } from '../contracts/snapshot.ts'
import { SnapshotError } from '../provenance/snapshot/errors.ts'
import type { RoleOptions } from '../sources/assemble.ts'
import { type ListOptions, listSources } from '../sources/list.ts'
import { EngineError } from './errors.ts'
import { snapshotColumns } from './leaves.ts'

export const snapshotRoles = ['id', 'label', 'source', 'time'] as const satisfies readonly Role[]

const list: ListOptions = { everyColumn: true, only: snapshotRoles, tapOnly: true }

const rolesIn = (options: { readonly [key: string]: unknown }): ColumnMap | null =>
  (options.roles as RoleOptions | undefined)?.columns ?? null

/** The columns of the first shard that could be opened. */
function columnsIn(listing: SourceListing, ignored: readonly string[]): SnapshotColumns {
  const [columns] = listing.shards.flatMap((s) => rolesIn(s.options) ?? [])
  return snapshotColumns(columns ?? {}, ignored)
}

const differing = (a: SnapshotColumns, b: SnapshotColumns): (typeof snapshotRoles)[number] | undefined =>
  snapshotRoles.find((role) => a[role] !== b[role])

const isPlain = (spec: SourceSpec): boolean => spec.columns === undefined && spec.arrays === undefined

export interface SnapshotListing extends SourceListing {
  readonly snapshotColumns: SnapshotColumns
}

/** Columns by role; null: no column has it. */
export type NamedColumns = { readonly [R in (typeof snapshotRoles)[number]]?: string | null }

/** The source with these columns; roles that nobody names are those that were found without them. */
function withNamed(spec: SourceSpec, found: SnapshotColumns, named: NamedColumns, arrays: boolean): SourceSpec {
  const taken = new Set(Object.values(named))
  const columns: { [R in Role]?: string | readonly string[] } = {}
  // splits of an archive are told from its names: those found are no names of arrays
  if (!arrays) for (const role of snapshotRoles) if (found[role] !== null && !taken.has(found[role])) columns[role] = found[role]
  Object.assign(columns, spec.columns)
  for (const role of snapshotRoles) {
    const name = named[role]
    if (name === null) delete columns[role]
    else if (name !== undefined) columns[role] = name
  }
  return { ...spec, columns }
}

/** What a listing is to agree with. */
export interface Wanted {
  /** Those of the snapshot before: what is guessed gives way to them. */
  readonly before: SnapshotColumns | null
  readonly ignored: readonly string[]
  readonly named: NamedColumns
}

/**
 * The shards with every column.
 * @throws SnapshotError `snapshots-differ` where the columns are not those of the snapshot before; SourceError
 */
export async function listForSnapshot(
  specs: readonly SourceSpec[],
  base: string,
  { before, ignored, named }: Wanted,
): Promise<SnapshotListing> {
  let listing = await listSources(specs, base, list)
  const found = columnsIn(listing, ignored)
  const arrays = listing.shards.some((s) => s.format === 'npz' || s.format === 'npy')
  if (Object.keys(named).length > 0) {
    const own = specs.map((spec) => (spec.arrays ? spec : withNamed(spec, found, named, arrays)))
    listing = await listSources(own, base, list)
  } else if (before && listing.guessed && differing(found, before)) {
    const columns = Object.fromEntries(snapshotRoles.flatMap((role) => (before[role] === null ? [] : [[role, before[role]]])))
    const own = specs.map((spec) => (isPlain(spec) ? { ...spec, columns } : spec))
    listing = await listSources(own, base, list)
  }
  const columns = columnsIn(listing, ignored)
  const odd = before && differing(columns, before)
  if (odd) {
    const shown = (name: string | null): string => (name === null ? 'none' : JSON.stringify(name))
    const message = `the ${odd} column is ${shown(columns[odd])}, that of the snapshot before is ${shown(before[odd])}`
    throw new SnapshotError('snapshots-differ', message, {}, `name it with --${odd}, or start a new chain without --previous`)
  }
  checkIgnored(listing, ignored)
  return { ...listing, snapshotColumns: columns }
}

/** Of JSON lines the first thousand were looked at: a field may come later. */
function checkIgnored({ columns, shards }: SourceListing, ignored: readonly string[]): void {
  if (shards.some((s) => s.format === 'jsonl')) return
  const missing = ignored.find((name) => !columns.some((c) => c.name === name))
  if (missing === undefined) return
  const known = columns.slice(0, 20).map((c) => JSON.stringify(c.name))
  throw new EngineError('bad-option', `there is no column ${JSON.stringify(missing)} to ignore`, 4, {}, `columns: ${known.join(', ')}`)
}
