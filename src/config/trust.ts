import { realpathSync, statSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import { isDynamicPattern } from 'tinyglobby'
import type { SourceSpec } from '../contracts/data.ts'

const real = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
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
 * A folder that also holds `anchor` (where the audit is run from, or its pipeline file) is the user's own.
 */
export function deliveryAround(file: string, sources: readonly SourceSpec[], anchor: string): string | null {
  for (const { path } of sources) {
    for (const one of path === undefined ? [] : typeof path === 'string' ? [path] : path) {
      if (one === '-') continue
      const folder = folderOf(one)
      if (folder !== null && !isInside(real(folder), real(anchor)) && isInside(real(folder), real(file))) return folder
    }
  }
  return null
}
