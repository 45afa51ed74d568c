import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Cells } from '../contracts/chunk.ts'
import type { ShardSpec, SourceSpec } from '../contracts/data.ts'
import { handOver, rolesOf } from './assemble.ts'
import { frameReader, framesOfFile } from './dicom-frames.ts'
import { SourceError } from './errors.ts'
import { byName, idOf, imagesAmong, imagesIn } from './files.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { imageKind } from './image-kind.ts'
import { type LabelRole, labelRoles, matcher, readLabels } from './image-labels.ts'
import { limits } from './limits.ts'
import { sampleColumn } from './sample.ts'

/** An image and what is known of it beside its pixels. `missing`: a label names a file that is not there. */
interface Picture {
  readonly id: string
  readonly missing?: true
  /** 0-based, of a DICOM file with several. */
  readonly frame?: number
  readonly values: { readonly [R in LabelRole]?: string }
}

interface Folder {
  readonly pictures: readonly Picture[]
  readonly columns: readonly string[]
}

const filesOf = async (root: string, spec: SourceSpec): Promise<readonly string[]> =>
  Array.isArray(spec.path) ? imagesAmong(spec.path as readonly string[]) : imagesIn(root)

/** Class by folder, unless the images all lie in the root; with `labels:` whatever its table says. */
async function folderOf(root: string, spec: SourceSpec): Promise<Folder> {
  const ids = (await filesOf(root, spec)).map((f) => idOf(f, root)).sort(byName)
  if (ids.length === 0) throw new SourceError('empty', `${root}: holds no images`, { file: root })
  if (spec.labels === undefined) {
    const flat = ids.every((id) => !id.includes('/'))
    const pictures = ids.map((id) => ({ id, values: { id, ...(flat ? {} : { label: id.includes('/') ? basename(dirname(id)) : '' }) } }))
    return { pictures, columns: ['image', 'id', ...(flat ? [] : ['label'])] }
  }
  const table = await readLabels(spec.labels, spec)
  const match = matcher(ids)
  const known = new Map<string, { readonly [R in LabelRole]?: string }>()
  const absent: Picture[] = []
  for (const row of table.rows) {
    const id = match(row.file)
    if (id === null) absent.push({ id: row.file, missing: true, values: row.values })
    else if (known.has(id)) {
      throw new SourceError(
        'corrupt',
        `${spec.labels}: line ${row.line} names ${JSON.stringify(id)} a second time`,
        { file: spec.labels, line: row.line },
        'one line an image is expected',
      )
    } else known.set(id, row.values)
  }
  const pictures = ids.map((id) => ({ id, values: { id, ...(known.get(id) ?? {}) } }))
  const columns = labelRoles.filter((r) => r === 'id' || table.map[r] !== undefined)
  return { pictures: [...pictures, ...absent].sort((a, b) => byName(a.id, b.id)), columns: ['image', ...columns] }
}

/** A record a frame: their ids end in the number of the frame, from 1 as DICOM counts them; labels are those of the file. */
async function eachFrame(root: string, pictures: readonly Picture[]): Promise<readonly Picture[]> {
  const out: Picture[] = []
  for (const p of pictures) {
    const frames = p.missing ? 1 : await framesOfFile(join(root, p.id))
    if (frames === 1) out.push(p)
    else
      for (let frame = 0; frame < frames; frame++)
        out.push({ ...p, frame, values: { ...p.values, id: `${p.values.id ?? p.id}#${frame + 1}` } })
  }
  return out
}

const cellsFor = (column: string, pictures: readonly Picture[]): Cells => ({
  kind: 'values',
  values: pictures.map((p) => p.values[column as LabelRole] ?? (column === 'id' ? p.id : null)),
})

export const imageFolder: SourceFormat = {
  name: 'image-folder',
  extensions: ['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff', '.dcm', '.dicom', '.dic', '.ima'],
  detect: (head) => imageKind(head) !== null,

  async columns(path, spec): Promise<readonly ColumnSample[]> {
    const { pictures, columns } = await folderOf(path, spec)
    const first = pictures.slice(0, limits.sampleRows)
    return columns.map((name) =>
      name === 'image'
        ? sampleColumn(name, { kind: 'values', values: first.map(() => new Uint8Array(1)) }, 'encoded image', false)
        : sampleColumn(name, cellsFor(name, first), null, true),
    )
  },

  async shards(path, id, spec): Promise<readonly ShardSpec[]> {
    const { pictures: files, columns } = await folderOf(path, spec)
    const pictures = await eachFrame(path, files)
    const shards: ShardSpec[] = []
    for (let first = 0; first < pictures.length; first += limits.imageShardFiles) {
      const part = pictures.slice(first, first + limits.imageShardFiles)
      let bytes = 0
      for (const p of part) {
        if (!p.missing && !p.frame) {
          bytes += await stat(join(path, p.id)).then(
            (s) => s.size,
            () => 0,
          )
        }
      }
      shards.push({
        id: pictures.length > limits.imageShardFiles ? `${id}#${first}+${part.length}` : id,
        format: 'image-folder',
        path,
        bytes,
        expectedRows: part.length,
        options: { first, names: columns, pictures: part as unknown as readonly never[] },
      })
    }
    return shards
  },

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    const { first, names, pictures } = shard.options as unknown as { first: number; names: readonly string[]; pictures: readonly Picture[] }
    let images: unknown[] = []
    let part: Picture[] = []
    let rows: number[] = []
    let size = 0
    const flush = () => {
      const columns = new Map<string, Cells>(
        names.map((name) => [name, name === 'image' ? { kind: 'values', values: images } : cellsFor(name, part)]),
      )
      const batch = handOver({ rows: Uint32Array.from(rows), lines: null, columns }, roles, shard.path, issue, tap)
      images = []
      part = []
      rows = []
      size = 0
      return batch
    }
    const film = frameReader(shard.path)
    for (const [i, picture] of pictures.entries()) {
      let bytes: Uint8Array | null
      if (picture.frame === undefined) bytes = await load(shard.path, picture)
      else {
        const found = await film(picture.id, picture.frame)
        if (typeof found === 'string') {
          issue({ code: 'undecodable-image', row: first + i, column: 'image', detail: found, rejected: true })
          continue
        }
        bytes = found
      }
      images.push(bytes)
      part.push(picture)
      rows.push(first + i)
      size += bytes?.length ?? 0
      if (size < limits.batchBytes && images.length < limits.batchRows) continue
      const batch = flush()
      if (batch) yield batch
    }
    const batch = flush()
    if (batch) yield batch
  },
}

/** The file as it is; what is too large is not read, one byte more than the limit stands for it. Null where there is none. */
async function load(root: string, picture: Picture): Promise<Uint8Array | null> {
  if (picture.missing) return null
  const path = join(root, picture.id)
  const found = await stat(path).catch(() => null)
  if (!found?.isFile())
    throw new SourceError('not-found', `${path}: was there when the folder was listed and cannot be read now`, { file: path }, undefined, 2)
  if (found.size > limits.imageBytes) return new Uint8Array(limits.imageBytes + 1)
  return readFile(path)
}
