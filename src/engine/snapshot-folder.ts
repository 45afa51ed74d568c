import { randomBytes } from 'node:crypto'
import { copyFile, link, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SnapshotError } from '../provenance/snapshot/errors.ts'
import { segmentsFolder } from '../provenance/snapshot/header.ts'

/** @throws SnapshotError `snapshot-exists` where something is there */
export async function refuseExisting(folder: string): Promise<void> {
  const there = await readdir(folder).catch((e: NodeJS.ErrnoException) => (e.code === 'ENOENT' ? [] : [e.code]))
  if (there.length === 0) return
  throw new SnapshotError(
    'snapshot-exists',
    `${folder}: is there already`,
    { file: folder },
    'a snapshot is never overwritten: name another folder',
  )
}

/** Fills a folder beside the target and gives it its name: the snapshot is there whole or not at all. */
export async function fillFolder<T>(target: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const whole = resolve(target)
  const aside = `${whole}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`
  await mkdir(join(aside, segmentsFolder), { recursive: true })
  try {
    const made = await fill(aside)
    await mkdir(dirname(whole), { recursive: true })
    await rmdir(whole).catch(() => {})
    await rename(aside, whole)
    return made
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    throw error
  }
}

/** A segment under the same name in another snapshot; linked where the file system can. */
export const shareSegment = (from: string, to: string, file: string): Promise<void> =>
  link(join(from, file), join(to, file)).catch((e: NodeJS.ErrnoException) => {
    if (e.code === 'EEXIST') throw e
    return copyFile(join(from, file), join(to, file))
  })
