import { realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { isDynamicPattern } from 'tinyglobby'
import type { SourceSpec } from '../contracts/data.ts'

/** Without links; of what does not exist, its nearest folder. */
const real = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    const folder = dirname(resolve(path))
    return folder === resolve(path) ? folder : join(real(folder), basename(path))
  }
}

const isInside = (folder: string, path: string): boolean => {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !/^[A-Za-z]:/.test(way)
}

/** The folder that a source path hands over whole; null for a single file. */
function folderOf(path: string): string | null {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path
  if (!isDynamicPattern(path)) return null
  let folder = path
  while (isDynamicPattern(folder)) folder = dirname(folder)
  return folder
}

/**
 * The folder of the audited data in which `file` lies, or null. Who wrote the data must not say what fails its audit.
 * A folder that also holds `anchor` (where the audit is run from, or its pipeline file) is the user's own. With `root`, the
 * folder that manifests speak of is such a folder too: null where it is the one that holds the sources.
 */
export function deliveryAround(file: string, sources: readonly SourceSpec[], anchor: string, root?: string | null): string | null {
  const folders = root === undefined || root === null ? [] : [root]
  for (const { path } of sources) {
    for (const one of path === undefined ? [] : typeof path === 'string' ? [path] : path) {
      if (one === '-') continue
      const folder = folderOf(one) ?? (root === undefined ? null : dirname(one))
      if (folder !== null) folders.push(folder)
    }
  }
  return folders.find((folder) => !isInside(real(folder), real(anchor)) && isInside(real(folder), real(file))) ?? null
}

/** An original that the user names may lie beside its copy, where single files are audited and not their folder. */
export const isBeside = (file: string, sources: readonly SourceSpec[]): boolean => {
  const paths = sources.flatMap(({ path }) => (path === undefined ? [] : path))
  return folderOf(file) === null && paths.every((one) => folderOf(one) === null) && paths.some((one) => dirname(one) === dirname(file))
}
