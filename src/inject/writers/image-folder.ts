import { constants } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { readHead } from '../../sources/bytes.ts'
import { dialectOf } from '../../sources/csv.ts'
import { byName } from '../../sources/files.ts'
import { matcher, readLabels } from '../../sources/image-labels.ts'
import { InjectError } from '../errors.ts'
import { copyCsv } from './csv.ts'
import { ChangeCursor, type CopyJob, type CopyWriter, type Moved, storedLabel } from './writer.ts'

interface Picture {
  readonly id: string
  readonly missing?: true
  readonly frame?: number
}

const picturesOf = ({ shards }: CopyJob): readonly Picture[] => shards.flatMap((s) => s.options.pictures as unknown as readonly Picture[])

/** The same file name in the folder of another class; numbered where the name is taken. */
function moved(id: string, label: string, taken: ReadonlySet<string>): string {
  if (label === '' || label === '.' || label === '..' || /[/\\\0]/.test(label))
    throw new InjectError('unsupported', `label ${JSON.stringify(label)} cannot be the name of a folder`)
  const folder = dirname(dirname(id))
  const extension = extname(id)
  const stem = basename(id, extension)
  for (let n = 0; ; n++) {
    const path = join(folder, label, `${stem}${n ? `-${n}` : ''}${extension}`)
      .split('\\')
      .join('/')
    if (!taken.has(path)) return path
  }
}

/** Labels that are the names of folders: a flipped picture goes to another folder, and its row is where that sorts it. */
export const writeImageFolder: CopyWriter = async (job) => {
  const pictures = picturesOf(job)
  const root = job.out(job.path)
  const names = new Map<number, string>()
  const labels = new Map<string, string>()
  const taken = new Set(pictures.map(({ id }) => id))
  const cursor = new ChangeCursor(job)
  const folders = new Set<string>()
  const dropped = new Set<string>()
  for (const [row, { id, missing, frame }] of pictures.entries()) {
    const change = await cursor.at(row)
    if (frame !== undefined)
      throw new InjectError('unsupported', `${id}: has several frames, and frames are not written`, 'save each frame as a file of its own')
    if (change?.drop) {
      dropped.add(id)
      continue
    }
    if (missing) continue
    let name = id
    if (change?.label !== undefined) {
      if (job.labels !== null) labels.set(id, storedLabel(job.shards[0] as never, change.label))
      else {
        name = moved(id, change.label, taken)
        taken.add(name)
        names.set(row, name)
      }
    }
    const to = join(root, name)
    if (!folders.has(dirname(to))) folders.add((await mkdir(dirname(to), { recursive: true })) ?? dirname(to))
    if (change?.image) await writeFile(to, change.image, { flag: 'wx' })
    else await copyFile(join(job.path, id), to, constants.COPYFILE_EXCL)
  }
  await cursor.end(job.path)
  if (job.labels !== null) await copyLabels(job, job.labels, pictures, labels, dropped)
  return names.size > 0 ? places(pictures, names) : null
}

/** Where each moved picture stands among all, in the order of the names. */
function places(pictures: readonly Picture[], names: ReadonlyMap<number, string>): Moved {
  const ids = pictures.map(({ id }, row) => names.get(row) ?? id)
  const order = new Map([...ids].sort(byName).map((id, row) => [id, row]))
  return new Map(ids.map((id, row) => [row, { id, row: order.get(id) as number }]))
}

async function copyLabels(
  job: CopyJob,
  path: string,
  pictures: readonly Picture[],
  labels: ReadonlyMap<string, string>,
  dropped: ReadonlySet<string>,
): Promise<void> {
  const table = await readLabels(path, { path: job.path, labels: path })
  const { head } = await readHead(path, 65_536)
  const match = matcher(pictures.map(({ id }) => id))
  await copyCsv(path, job.out(path), dialectOf(Buffer.from(head).toString('latin1'), path), async (_, fields, header) => {
    const id = match((fields[header.indexOf(table.fileColumn)] ?? '').replace(/\r$/, ''))
    if (id !== null && dropped.has(id)) return 'drop'
    const label = id === null ? undefined : labels.get(id)
    if (label === undefined) return null
    const next = [...fields]
    const at = header.indexOf(table.map.label as string)
    next[at] = fields[at]?.endsWith('\r') ? `${label}\r` : label
    return next
  })
}
