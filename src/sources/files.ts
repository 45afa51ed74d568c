import { open } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { escapePath, glob } from 'tinyglobby'
import { hasMark } from './dicom/file.ts'

export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Relative to `base`, with forward slashes: the same name on every machine. */
export const idOf = (path: string, base: string): string => relative(base, path).split(sep).join('/') || path

export const globOptions = { absolute: true, onlyFiles: true, dot: false, followSymbolicLinks: false, expandDirectories: false } as const

const imageNames = /\.(png|jpe?g|webp|tiff?|dcm|dicom|dic|ima)$/i

export const isImageName = (path: string): boolean => imageNames.test(path)

/** Scanners and archives give DICOM files no extension, or numbers with dots for a name. */
const unnamed = /(^|\/)(?!DICOMDIR$)[^/.]+$|(^|\/)[0-9]+(\.[0-9]+)+$/

/** By name; files without a name that says something by the mark of DICOM. */
export async function isImageFile(path: string): Promise<boolean> {
  if (isImageName(path)) return true
  if (!unnamed.test(path.replaceAll(sep, '/'))) return false
  const head = await readHeadOf(path, 132).catch(() => new Uint8Array(0))
  return hasMark(head)
}

export async function readHeadOf(path: string, bytes: number): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(bytes), 0, bytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

export async function imagesAmong(paths: readonly string[]): Promise<string[]> {
  const images: string[] = []
  for (const path of paths) if (await isImageFile(path)) images.push(path)
  return images.sort(byName)
}

/** Images of a folder and its sub-folders, sorted by path; links are not followed. */
export const imagesIn = async (root: string): Promise<string[]> => imagesAmong(await glob(`${escapePath(root)}/**/*`, globOptions))

/** Names of files that are one text each; .md and .text are read as they are. */
export const isTextName = (path: string): boolean => /\.(txt|text|md)$/i.test(path)

/** Text files of a folder and its sub-folders, sorted by path; links are not followed. */
export const textsIn = async (root: string): Promise<string[]> =>
  (await glob(`${escapePath(root)}/**/*`, globOptions)).filter(isTextName).sort(byName)
