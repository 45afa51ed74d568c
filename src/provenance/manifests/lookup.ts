import type { DeliveredFile, Delivery } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'

/** Index of the first file whose path is not before `path`. */
function position(delivery: Delivery, path: string): number {
  let low = 0
  let high = delivery.files.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((delivery.files[middle] as DeliveredFile).path < path) low = middle + 1
    else high = middle
  }
  return low
}

/** The file of this path; null where the delivery has none. Logarithmic. */
export function fileAt(delivery: Delivery, path: string): DeliveredFile | null {
  const file = delivery.files[position(delivery, path)]
  return file?.path === path ? file : null
}

/** Files whose path begins with `prefix`, in order. */
export function* filesUnder(delivery: Delivery, prefix: string): Generator<DeliveredFile> {
  for (let i = position(delivery, prefix); i < delivery.files.length; i++) {
    const file = delivery.files[i] as DeliveredFile
    if (!file.path.startsWith(prefix)) return
    yield file
  }
}

/** What follows the last `/`. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** What stands before the last `/`; "" for a file in the root. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

/** `name` in `folder`, which may be "". */
export const inFolder = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`)

/** Where names of a manifest start: its own folder, or the root where more of them exist there. Some are made in the root and kept elsewhere. */
export function baseOf(delivery: Delivery, own: string, names: readonly string[]): string {
  if (own === '') return own
  const hits = (base: string): number =>
    names.reduce((n, name) => {
      const safe = safePath(name, base)
      return 'path' in safe && fileAt(delivery, safe.path) ? n + 1 : n
    }, 0)
  return hits('') > hits(own) ? '' : own
}
