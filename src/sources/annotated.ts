import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Cells } from '../contracts/chunk.ts'
import type { RowIssueCode, ShardSpec, SourceSpec } from '../contracts/data.ts'
import { handOver, rolesOf } from './assemble.ts'
import { openCrops } from './crops.ts'
import { SourceError } from './errors.ts'
import { idOf, imagesIn } from './files.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { matcher } from './image-labels.ts'
import { limits } from './limits.ts'
import { sampleColumn } from './sample.ts'

/** One judgement in an export of an annotation tool: a box of a picture, a picture, or a text, with its class. */
export interface Annotated {
  readonly id: string
  readonly label: string | readonly string[] | null
  readonly source?: string
  readonly time?: string
  readonly text?: string
  /** As the export names it. */
  readonly image?: string
  /** In pixels of the picture: left, top, width, height. Absent: the whole picture. */
  readonly box?: readonly [number, number, number, number]
  /** Width and height of the picture, as the export has them. */
  readonly size?: readonly [number, number]
}

/** What an export holds. */
export interface Export {
  readonly records: readonly Annotated[]
  /** Things in it that are no records, by what they are: `segmentation` for masks. */
  readonly notRead: Readonly<Record<string, number>>
}

const textColumns = ['id', 'source', 'time', 'text'] as const
const mostRecords = 4_000_000

interface Listed extends Export {
  /** Folder of the pictures; null where there are none. */
  readonly folder: string | null
  readonly columns: readonly string[]
}

/** Pictures are those of the folder that `images` names, else of that of the export; what is not in it is not there. */
async function listed(path: string, spec: SourceSpec, found: Export): Promise<Listed> {
  const { records } = found
  if (records.length === 0) throw new SourceError('empty', `${path}: holds no annotation with a class`, { file: path })
  const columns = ['id', 'label', ...(['source', 'time', 'text'] as const).filter((c) => records.some((r) => r[c] !== undefined))]
  if (!records.some((r) => r.image !== undefined)) return { ...found, folder: null, columns }
  const folder = spec.images ?? dirname(path)
  const ids = (await imagesIn(folder)).map((f) => idOf(f, folder))
  if (ids.length === 0)
    throw new SourceError(
      'no-match',
      `${folder}: holds no pictures`,
      { file: folder },
      'name the folder with the pictures of the export: images: FOLDER',
    )
  const match = matcher(ids)
  const names = new Map<string, string | null>()
  const nameOf = (name: string): string | null => {
    if (!names.has(name)) names.set(name, match(name))
    return names.get(name) ?? null
  }
  const here = records.map((r): Annotated => {
    if (r.image === undefined) return r
    const { image, ...rest } = r
    const known = nameOf(image)
    return known === null ? rest : { ...rest, image: known }
  })
  if (here.every((r) => r.image === undefined))
    throw new SourceError(
      'no-match',
      `${path}: none of its pictures is in ${folder}, such as ${JSON.stringify(records.find((r) => r.image)?.image?.slice(0, 200))}`,
      { file: folder },
      'images: names the folder that holds them',
    )
  const sorted = here
    .map((r, i) => ({ r, i }))
    .sort((a, b) => ((a.r.image ?? '') < (b.r.image ?? '') ? -1 : (a.r.image ?? '') > (b.r.image ?? '') ? 1 : a.i - b.i))
  return { ...found, records: sorted.map(({ r }) => r), folder, columns: [...columns, 'image'] }
}

const cellsFor = (column: string, records: readonly Annotated[]): Cells => ({
  kind: 'values',
  values: records.map((r) => (column === 'label' ? r.label : r[column as (typeof textColumns)[number]]) ?? null),
})

/** Pictures of records that follow the order of their pictures, each once. */
const picturesOf = (records: readonly Annotated[]): readonly string[] => [
  ...new Set(records.flatMap((r) => (r.image === undefined ? [] : [r.image]))),
]

/** What a shard needs to be read again. */
interface Stored {
  readonly first: number
  readonly names: readonly string[]
  readonly records: readonly Annotated[]
  readonly files: readonly { readonly name: string; readonly path: string }[]
}

/** A format whose files are exports of annotation tools: `load` reads one whole. */
export function annotatedFormat(
  of: Pick<SourceFormat, 'name' | 'detect'>,
  load: (path: string, spec: SourceSpec) => Promise<Export>,
): SourceFormat {
  let latest: { readonly key: string; readonly listed: Promise<Listed> } | undefined
  // listing asks twice for the same file
  const open = async (path: string, spec: SourceSpec): Promise<Listed> => {
    const { size, mtimeMs } = await stat(path)
    const key = JSON.stringify([path, size, mtimeMs, spec.images, spec.columns, spec.present])
    if (latest?.key !== key) latest = { key, listed: load(path, spec).then((found) => listed(path, spec, found)) }
    return latest.listed
  }
  return {
    ...of,
    extensions: ['.json'],

    async columns(path, spec): Promise<readonly ColumnSample[]> {
      const { records, columns, notRead } = await open(path, spec)
      const first = records.slice(0, limits.sampleRows)
      return [
        ...columns.map((name) =>
          name === 'image'
            ? sampleColumn(name, { kind: 'values', values: first.map(() => new Uint8Array(1)) }, 'encoded image', false)
            : sampleColumn(name, cellsFor(name, first), null, false),
        ),
        ...Object.entries(notRead).map(([name, count]) => sampleColumn(name, { kind: 'values', values: [] }, `${count} not read`, false)),
      ]
    },

    async files(path, spec): Promise<readonly string[]> {
      const { records, folder } = await open(path, spec)
      return [path, ...picturesOf(records).map((name) => join(folder ?? '', name))]
    },

    async shards(path, id, spec): Promise<readonly ShardSpec[]> {
      const { records, folder, columns } = await open(path, spec)
      const { size } = await stat(path)
      const shards: ShardSpec[] = []
      const step = folder === null ? limits.textShardFiles : limits.imageShardFiles
      for (let first = 0; first < records.length; first += step) {
        const part = records.slice(first, first + step)
        const pictures = picturesOf(part).map((name) => ({ name, path: join(folder ?? '', name) }))
        shards.push({
          id: records.length > step ? `${id}#${first}+${part.length}` : id,
          format: of.name,
          path,
          bytes: Math.round((size * part.length) / records.length),
          expectedRows: part.length,
          options: { first, names: columns, records: part as unknown as readonly never[], files: [{ name: '', path }, ...pictures] },
        })
      }
      return shards
    },

    async *read(shard, issue, tap) {
      const roles = rolesOf(shard.options)
      const { first, names, records, files } = shard.options as unknown as Stored
      const places = new Map(files.map((f) => [f.name, f.path]))
      const crop = names.includes('image') ? openCrops((name) => places.get(name) as string) : null
      let rows: number[] = []
      let part: Annotated[] = []
      let images: Uint8Array[] = []
      let size = 0
      const flush = () => {
        const columns = new Map<string, Cells>(
          names.map((name) => [name, name === 'image' ? { kind: 'values', values: images } : cellsFor(name, part)]),
        )
        const batch = handOver({ rows: Uint32Array.from(rows), lines: null, columns }, roles, shard.path, issue, tap)
        rows = []
        part = []
        images = []
        size = 0
        return batch
      }
      for (const [i, record] of records.entries()) {
        const reject = (code: RowIssueCode, column: string, detail: string) =>
          issue({ code, row: first + i, column, detail, rejected: true })
        if (Array.isArray(record.label) && roles.present === undefined) {
          reject('wrong-type', 'label', `${record.label.length} classes where one is expected`)
          continue
        }
        const picture = crop ? await crop(record) : null
        if (picture && !(picture instanceof Uint8Array)) {
          reject(picture.code, 'image', picture.detail)
          continue
        }
        rows.push(first + i)
        part.push(record)
        if (picture) images.push(picture)
        size += (picture?.length ?? 0) + (record.text?.length ?? 0)
        if (size < limits.batchBytes && rows.length < limits.batchRows) continue
        const batch = flush()
        if (batch) yield batch
      }
      const batch = flush()
      if (batch) yield batch
    },
  }
}

/** What an export may hold at most. */
export function checkCount(count: number, path: string): void {
  if (count > mostRecords)
    throw new SourceError('too-large', `${path}: more than ${mostRecords} annotations`, { file: path }, 'split the export')
}
