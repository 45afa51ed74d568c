import { relative, sep } from 'node:path'
import { escapePath, glob } from 'tinyglobby'

export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Relative to `base`, with forward slashes: the same name on every machine. */
export const idOf = (path: string, base: string): string => relative(base, path).split(sep).join('/') || path

export const globOptions = { absolute: true, onlyFiles: true, dot: false, followSymbolicLinks: false, expandDirectories: false } as const

const imageNames = /\.(png|jpe?g|webp|tiff?)$/i

export const isImageName = (path: string): boolean => imageNames.test(path)

/** Images of a folder and its sub-folders, sorted by path; links are not followed. */
export const imagesIn = async (root: string): Promise<string[]> =>
  (await glob(`${escapePath(root)}/**/*`, globOptions)).filter(isImageName).sort(byName)

/** Names of files that are one text each; .md and .text are read as they are. */
export const isTextName = (path: string): boolean => /\.(txt|text|md)$/i.test(path)

/** Text files of a folder and its sub-folders, sorted by path; links are not followed. */
export const textsIn = async (root: string): Promise<string[]> =>
  (await glob(`${escapePath(root)}/**/*`, globOptions)).filter(isTextName).sort(byName)
