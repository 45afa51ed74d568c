import { resolve } from 'node:path'
import type { ColumnInfo, ColumnMap, Json, Role, ShardSpec, SourceListing, SourceSpec } from '../contracts/data.ts'
import { roles as allRoles } from '../contracts/data.ts'
import { namesOf, type RoleOptions } from './assemble.ts'
import { detectFormat } from './detect.ts'
import { asSourceError, relativeTo, SourceError } from './errors.ts'
import { idOf } from './files.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { arrayName } from './npy.ts'
import { expand, type Target } from './paths.ts'
import { formatNamed } from './registry.ts'
import { checkColumns, declaredRoles, dimsOf, guessRoles } from './roles.ts'
import { byItsName, failed, inFull, rootOf, sizeOf } from './stand-ins.ts'

interface Opened {
  readonly path: string
  readonly id: string
  readonly format: SourceFormat
  readonly spec: SourceSpec
  readonly columns: readonly ColumnSample[]
  /** Files behind it. */
  readonly files: readonly string[]
}

interface Unreadable {
  readonly path: string
  readonly id: string
  readonly error: SourceError
}

const isOpened = (x: Opened | Unreadable): x is Opened => 'format' in x

interface Part {
  readonly shards: readonly ShardSpec[]
  readonly columns: readonly ColumnInfo[]
  readonly map: ColumnMap
  readonly dims: RoleOptions['dims']
  readonly guessed: boolean
  readonly files: readonly string[]
}

/** They name their columns by role themselves. */
const ownFormats: ReadonlySet<string> = new Set(['coco', 'image-folder', 'label-studio', 'text-folder'])

async function open(target: Target, spec: SourceSpec, base: string): Promise<Opened | Unreadable> {
  const { path } = target
  const id = spec.copied?.names[path] ?? idOf(path, base)
  try {
    const inside = target.images ?? target.texts
    const labels = spec.labels === undefined ? null : resolve(base, spec.labels)
    const own: SourceSpec = inside ? { ...spec, ...(labels ? { labels } : {}), path: inside } : spec
    const format = (inside && formatNamed(target.images ? 'image-folder' : 'text-folder')) ?? (await detectFormat(path, id, spec.format))
    const columns = await format.columns(path, own)
    const files = inside ? [...inside, ...(labels ? [labels] : [])] : ((await format.files?.(path, own)) ?? [path])
    return { path, id, format, spec: own, columns, files }
  } catch (e) {
    return { path, id, error: asSourceError(e, path, 'cannot be read') }
  }
}

/** `arrays:` of files by themselves: one source whose shards take the same range of each. */
async function openArrays(spec: SourceSpec, base: string): Promise<Opened | Unreadable> {
  const arrays = Object.fromEntries(Object.entries(spec.arrays ?? {}).map(([role, path]) => [role, resolve(base, path)]))
  const files = [...new Set(Object.values(arrays))]
  const [path] = files
  if (path === undefined) throw new SourceError('invalid-spec', '`arrays:` names no array')
  const format = formatNamed('npy') as SourceFormat
  for (const file of files) {
    const found = await detectFormat(file, idOf(file, base))
    if (found.name === 'npy') continue
    const message = `${idOf(file, base)}: is ${found.name}, \`arrays:\` without \`path:\` takes .npy files`
    throw new SourceError('invalid-spec', message, { file }, 'for members of one .npz give its `path:`')
  }
  const own = { ...spec, arrays }
  try {
    return { path, id: idOf(path, base), format, spec: own, columns: await format.columns(path, own), files }
  } catch (e) {
    return { path, id: idOf(path, base), error: asSourceError(e, path, 'cannot be read') }
  }
}

/** Several .npy files given together, each plainly of another role: they are read side by side. */
function align(opened: readonly (Opened | Unreadable)[], spec: SourceSpec): SourceSpec | null {
  const files = opened.filter(isOpened)
  if (spec.columns || spec.features || files.length !== opened.length || files.length < 2 || files.length > allRoles.length) return null
  if (!files.every((f) => f.format.name === 'npy')) return null
  const roles = files.map((f) => Object.keys(guessRoles(f.columns)))
  if (roles.some((r) => r.length !== 1) || new Set(roles.flat()).size !== files.length) return null
  const { path: _, ...rest } = spec
  return { ...rest, arrays: Object.fromEntries(files.map((f, i) => [roles[i]?.[0] as string, f.path])) }
}

const declaredArrays = (spec: SourceSpec): ColumnMap =>
  Object.fromEntries(Object.entries(spec.arrays ?? {}).map(([role, name]) => [role, arrayName(name, spec)]))

interface Schema {
  readonly map: ColumnMap
  readonly dims: RoleOptions['dims']
  readonly image: RoleOptions['image']
}

function schemaOf(o: Opened, map: ColumnMap): Schema {
  checkColumns(map, o.columns, o.id)
  const dims: { embedding?: number; predictions?: number } = {}
  for (const role of ['embedding', 'predictions'] as const) {
    const n = dimsOf(map, role, o.columns, o.id)
    if (n !== undefined) dims[role] = n
  }
  const [name] = namesOf(map, 'image')
  const sample = o.columns.find((c) => c.name === name)
  if (sample && sample.kind !== 'binary' && sample.kind !== 'empty' && !sample.image) {
    const message = `${o.id}: column ${JSON.stringify(name)} holds ${sample.type}, the role image takes encoded images or N x H x W (x C) bytes`
    throw new SourceError(
      'wrong-type',
      message,
      { file: o.path, column: sample.name },
      'for files named in a table use an image folder with `labels:`',
      4,
    )
  }
  return { map, dims, image: sample?.image ?? null }
}

const ownNames = (columns: readonly ColumnSample[]): ColumnMap =>
  Object.fromEntries(columns.filter((c) => allRoles.includes(c.name as Role)).map((c) => [c.name, c.name]))

export interface ListOptions {
  /** Shards hand over every column, also where none looks like a role: for `readShard` with a tap. */
  readonly everyColumn?: boolean
  /** Only these roles are looked for. */
  readonly only?: readonly Role[]
  /** Chunks go to the tap alone: no batches are made. */
  readonly tapOnly?: boolean
}

const pick = (map: ColumnMap, only: readonly Role[] | undefined): ColumnMap =>
  only ? Object.fromEntries(Object.entries(map).filter(([role]) => only.includes(role as Role))) : map

/** The roles, from the first file that has every column that they need. */
function decide(opened: readonly Opened[], spec: SourceSpec, options: ListOptions): Schema & { guessed: boolean; from: Opened } {
  const filled = [...opened.filter((o) => o.columns.some((c) => c.rows > 0)), ...opened]
  const declared = spec.arrays ? declaredArrays(spec) : declaredRoles(spec)
  const explicit = spec.arrays !== undefined || spec.columns !== undefined
  let first: unknown
  for (const o of filled) {
    try {
      const found = ownFormats.has(o.format.name) ? ownNames(o.columns) : explicit ? declared : { ...guessRoles(o.columns), ...declared }
      const map = pick(found, options.only)
      if (Object.keys(map).length === 0 && !options.everyColumn) {
        const listed = o.columns
          .slice(0, 20)
          .map((c) => `${JSON.stringify(c.name)} (${c.type})`)
          .join(', ')
        const message = `${o.id}: no column looks like a label, a text, an embedding or any other role`
        throw new SourceError('no-roles', message, { file: o.path }, `say which is which with \`columns:\`; columns: ${listed}`)
      }
      return { ...schemaOf(o, map), guessed: !explicit, from: o }
    } catch (e) {
      first ??= e
    }
  }
  throw first
}

/** A file whose columns or widths differ from those of the schema is not read; the others are. */
function checkSame(o: Opened, schema: Schema & { from: Opened }): Schema {
  let own: Schema
  try {
    own = schemaOf(o, schema.map)
  } catch (e) {
    if (!(e instanceof SourceError)) throw e
    throw new SourceError('mixed-schema', `${e.message}, which ${schema.from.id} has`, { ...e.place, file: o.path }, e.hint)
  }
  const empty = o.columns.every((c) => c.rows === 0)
  for (const role of ['embedding', 'predictions'] as const) {
    if (empty || own.dims[role] === schema.dims[role]) continue
    const message = `${o.id}: ${role} has ${own.dims[role]} numbers a row, ${schema.from.id} has ${schema.dims[role]}`
    throw new SourceError('mixed-schema', message, { file: o.path, column: namesOf(schema.map, role)[0] ?? role })
  }
  if (!empty && JSON.stringify(own.image) !== JSON.stringify(schema.image)) {
    throw new SourceError('mixed-schema', `${o.id}: images of another shape than in ${schema.from.id}`, { file: o.path, column: 'image' })
  }
  return { ...own, dims: schema.dims }
}

async function listOne(spec: SourceSpec, base: string, options: ListOptions): Promise<Part> {
  let opened: (Opened | Unreadable)[]
  if (spec.arrays && spec.path === undefined) opened = [await openArrays(spec, base)]
  else {
    opened = []
    for (const target of await expand(spec, base)) opened.push(await open(target, spec, base))
    const aligned = align(opened, spec)
    if (aligned) return { ...(await listOne(aligned, base, options)), guessed: true }
  }
  const readable = opened.filter(isOpened)
  if (readable.length === 0) throw (opened[0] as Unreadable).error
  const schema = decide(readable, readable[0]?.spec.arrays ? (readable[0] as Opened).spec : spec, options)
  const shards: ShardSpec[] = []
  for (const o of opened) {
    if (!isOpened(o)) {
      shards.push(await failed(o.path, o.id, o.error, base))
      continue
    }
    try {
      const own = checkSame(o, schema)
      const roles: RoleOptions = {
        columns: own.map,
        dims: own.dims,
        classes: spec.classes ?? null,
        image: own.image,
        ...(options.tapOnly ? { tapOnly: true } : {}),
        ...(spec.present === undefined ? {} : { present: spec.present }),
      }
      const listed = await o.format.shards(o.path, o.id, o.spec, own.map, options.everyColumn)
      const copied = spec.copied?.names[o.path] === undefined ? {} : { copied: true }
      for (const shard of spec.copied?.whole ? inFull(listed, o.id, spec.copied.whole) : listed)
        shards.push({ ...shard, options: { ...shard.options, roles: roles as unknown as Json, ...copied } })
    } catch (e) {
      const error = asSourceError(e, o.path, 'cannot be read')
      if (readable.length === 1) throw error
      shards.push(await failed(o.path, o.id, error, base))
    }
  }
  const rolesFor = (name: string): readonly Role[] => allRoles.filter((r) => namesOf(schema.map, r).includes(name))
  const infos = (name: string, type: string, roles: readonly (Role | null)[]) => roles.map((role) => ({ name, type, role }))
  const columns = schema.from.columns.flatMap((c) => infos(c.name, c.type, rolesFor(c.name).length ? rolesFor(c.name) : [null]))
  const files = opened.flatMap((o) => (isOpened(o) ? o.files : [o.path]))
  return { shards, columns, map: schema.map, dims: schema.dims, guessed: schema.guessed, files }
}

const rolesIn = (map: ColumnMap): Role[] => allRoles.filter((r) => map[r] !== undefined)

function checkParts(parts: readonly Part[]): void {
  const [first, ...rest] = parts as [Part, ...Part[]]
  rest.forEach((part, i) => {
    const a = rolesIn(first.map)
    const b = rolesIn(part.map)
    const odd = a.find((r) => !b.includes(r)) ?? b.find((r) => !a.includes(r))
    if (odd) {
      const [has, lacks] = a.includes(odd) ? [1, i + 2] : [i + 2, 1]
      const message = `source ${has} has the role ${odd}, source ${lacks} has not: the sources of one audit need the same roles`
      throw new SourceError('mixed-schema', message, { column: odd }, 'name the columns of each source, or audit them apart', 4)
    }
    for (const role of ['embedding', 'predictions'] as const) {
      if (first.dims[role] === part.dims[role]) continue
      const message = `${role} has ${first.dims[role]} numbers a row in source 1 and ${part.dims[role]} in source ${i + 2}`
      throw new SourceError('mixed-schema', message, { column: role }, undefined, 4)
    }
    const [f, g] = [namesOf(first.map, 'features'), namesOf(part.map, 'features')]
    if (f.length !== g.length || f.some((name, k) => name !== g[k])) {
      throw new SourceError('mixed-schema', `source ${i + 2} has other feature columns than source 1`, { column: 'features' }, undefined, 4)
    }
  })
}

/**
 * The shards behind the sources of a pipeline file, in the order of the sources and, within one, of the paths; ids are
 * relative to `base`. Reads headers and the first rows only. A file that cannot be read among others that can becomes a
 * shard whose `readShard` throws the error.
 * @throws SourceError exit 4: path, pattern, column, scheme or mapping that cannot be met; exit 2: nothing readable at all
 */
export async function listSources(specs: readonly SourceSpec[], base: string, options: ListOptions = {}): Promise<SourceListing> {
  if (specs.length === 0) throw new SourceError('invalid-spec', 'no source is named')
  const parts: Part[] = []
  try {
    for (const spec of specs) parts.push(await listOne(spec, base, options).catch((e: unknown) => Promise.reject(byItsName(e, spec))))
  } catch (e) {
    throw e instanceof SourceError ? relativeTo(e, rootOf(base)) : e
  }
  checkParts(parts)
  const shards = parts.flatMap((p) => p.shards)
  const seen = new Set<string>()
  for (const shard of shards) {
    if (seen.has(shard.id)) throw new SourceError('listed-twice', `${shard.id}: named by two sources`, { file: shard.path })
    seen.add(shard.id)
  }
  const paths = [...new Set(parts.flatMap((p) => p.files))]
  const names: Record<string, string> = Object.assign({}, ...specs.map((spec) => spec.copied?.names))
  const wholes = Object.fromEntries(
    specs.flatMap(({ path, copied }) => (copied?.whole && typeof path === 'string' ? [[path, copied.whole.bytes]] : [])),
  )
  const files: { path: string; id: string; bytes: number }[] = []
  for (const path of paths) {
    const bytes = wholes[path] ?? (await sizeOf(path))
    files.push({ path, id: names[path] ?? idOf(path, base), bytes })
  }
  const [first] = parts as [Part, ...Part[]]
  return { shards, columns: first.columns, roles: rolesIn(first.map), guessed: parts.some((p) => p.guessed), files }
}
