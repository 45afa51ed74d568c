import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import type { Delivery } from '../contracts/provenance.ts'
import { ProvenanceError } from './errors.ts'
import { fileAt } from './manifests/lookup.ts'
import { walk } from './walk.ts'

export interface DeliveryLimits {
  readonly maxFiles: number
  /** False: the files of the folder alone. */
  readonly recursive?: boolean
  readonly signal?: AbortSignal
}

const defaults: DeliveryLimits = { maxFiles: 5_000_000 }

/** Code unit order: the same on every machine. */
export const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0

/** Why the system did not let a file be read, in words. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'ENOENT') return 'there is no such file or folder'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  if (code === 'ELOOP') return 'its symbolic links lead in a circle'
  if (code === 'EIO') return 'the disk cannot read it'
  return code === undefined ? 'it cannot be read' : `the system says ${code}`
}

/**
 * The files below a folder, or one file as a delivery of its own whose root is the folder that it lies in.
 * Symbolic links that stay inside the root are followed; those that leave it, special files, names that are hostile or
 * collide (by case or Unicode normal form) and folders that cannot be read are problems, never skipped in silence.
 *
 * @throws {ProvenanceError} `not-found`, `unreadable`, `too-large` (more than `maxFiles`), `interrupted`
 */
export async function openDelivery(root: string, limits: Partial<DeliveryLimits> = {}): Promise<Delivery> {
  const absolute = resolve(root)
  try {
    const info = statSync(absolute)
    const real = realpathSync(absolute)
    if (info.isFile()) {
      const cut = absolute.lastIndexOf(sep)
      return {
        root: absolute.slice(0, cut) || sep,
        files: [{ path: absolute.slice(cut + 1), bytes: info.size }],
        outside: new Map(),
        problems: [],
      }
    }
    if (!info.isDirectory()) throw new ProvenanceError('not-a-folder', `${root}: is neither a file nor a folder`, { file: root })
    const { files, problems } = await walk(real, { ...defaults, ...limits })
    return { root: real, files: files.sort(byPath), outside: new Map(), problems }
  } catch (error) {
    if (error instanceof ProvenanceError) throw error
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new ProvenanceError(missing ? 'not-found' : 'unreadable', `${root}: ${reasonOf(error)}`, { file: root })
  }
}

/** Where the bytes of a delivered file are. */
export const locationOf = (delivery: Pick<Delivery, 'root' | 'outside'>, path: string): string =>
  delivery.outside.get(path) ?? join(delivery.root, path)

/** Opens what must be a regular file; a pipe that took its place does not block. The caller closes it. */
export function openRegular(absolute: string, path: string): { readonly fd: number; readonly bytes: number } {
  let fd: number
  try {
    fd = openSync(absolute, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw new ProvenanceError('unreadable', `${path} cannot be read: ${reasonOf(error)}`, { file: path })
  }
  const info = fstatSync(fd)
  if (info.isFile()) return { fd, bytes: info.size }
  closeSync(fd)
  throw new ProvenanceError('unreadable', `${path} is not a regular file any more`, { file: path })
}

function readUpTo(fd: number, target: Buffer): Buffer {
  let filled = 0
  while (filled < target.length) {
    const n = readSync(fd, target, filled, target.length - filled, null)
    if (n === 0) break
    filled += n
  }
  return target.subarray(0, filled)
}

/** The first bytes of a delivered file, at most `maxBytes`. @throws {ProvenanceError} `unreadable` */
export function readHead(delivery: Delivery, path: string, maxBytes: number): Buffer {
  const { fd, bytes } = openRegular(locationOf(delivery, path), path)
  try {
    return readUpTo(fd, Buffer.allocUnsafe(Math.min(bytes, maxBytes)))
  } catch (error) {
    throw new ProvenanceError('unreadable', `${path} cannot be read: ${reasonOf(error)}`, { file: path })
  } finally {
    closeSync(fd)
  }
}

/**
 * All bytes of a file of the delivery.
 * @throws {ProvenanceError} `too-large` above `maxBytes`; `unreadable`, also for a path that the delivery does not have
 */
export async function readBounded(delivery: Delivery, path: string, maxBytes: number): Promise<Buffer> {
  if (!fileAt(delivery, path)) throw new ProvenanceError('unreadable', `${path} is not a file of the delivery`, { file: path })
  const { fd, bytes } = openRegular(locationOf(delivery, path), path)
  try {
    if (bytes > maxBytes) {
      const message = `${path} has ${bytes.toLocaleString('en')} bytes, and at most ${maxBytes.toLocaleString('en')} are read`
      throw new ProvenanceError('too-large', message, { file: path })
    }
    return readUpTo(fd, Buffer.allocUnsafe(bytes))
  } catch (error) {
    if (error instanceof ProvenanceError) throw error
    throw new ProvenanceError('unreadable', `${path} cannot be read: ${reasonOf(error)}`, { file: path })
  } finally {
    closeSync(fd)
  }
}
