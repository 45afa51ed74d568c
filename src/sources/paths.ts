import { stat } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { escapePath, glob, isDynamicPattern } from 'tinyglobby'
import type { SourceSpec } from '../contracts/data.ts'
import { asSourceError, SourceError } from './errors.ts'
import { byName, globOptions, imagesAmong, isTextName } from './files.ts'
import { formats } from './registry.ts'

/** A file to read, or a folder of images or texts with its files. */
export interface Target {
  readonly path: string
  readonly images: readonly string[] | null
  readonly texts?: readonly string[]
}

const isData = (path: string): boolean => {
  const name = path.toLowerCase().replace(/\.gz$/, '')
  return formats.some((f) => f.name !== 'image-folder' && f.extensions.some((x) => x !== '.txt' && name.endsWith(x)))
}

async function ofFolder(path: string, spec: SourceSpec): Promise<Target[]> {
  const files = (await glob(`${escapePath(path)}/**/*`, globOptions)).sort(byName)
  const images = await imagesAmong(files)
  if (images.length && (spec.format === undefined || /^image/.test(spec.format))) return [{ path, images }]
  const texts = files.filter(isTextName)
  const asTexts = spec.format !== undefined && /^text/.test(spec.format)
  if (asTexts && texts.length) return [{ path, images: null, texts }]
  const data = files.filter(isData)
  if (data.length) return data.map((file) => ({ path: file, images: null }))
  if (texts.length) return [{ path, images: null, texts }]
  throw new SourceError('no-match', `${path}: the folder holds no data files, no images and no texts`, { file: path })
}

async function ofPattern(pattern: string, base: string, spec: SourceSpec): Promise<Target[]> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(pattern)?.[1]
  if (scheme) {
    const message = `${pattern}: stores and addresses (${scheme}://) are read as sources of an audit or a snapshot, and not here`
    throw new SourceError('unsupported-scheme', message, { file: pattern }, 'copy the files first')
  }
  const path = resolve(base, pattern)
  const found = await stat(path).catch((e: unknown) => {
    if ((e as { code?: string }).code === 'ENOENT' || (e as { code?: string }).code === 'ENOTDIR') return null
    throw asSourceError(e, path, 'cannot be read')
  })
  if (found?.isFile()) return [{ path, images: null }]
  if (found?.isDirectory()) return ofFolder(path, spec)
  if (found)
    throw new SourceError('not-a-file', `${path}: is neither a file nor a folder`, { file: path }, 'use `-` to read standard input')
  if (!isDynamicPattern(pattern)) throw new SourceError('not-found', `${path}: no such file or folder`, { file: path })
  const files = (await glob(pattern, { ...globOptions, cwd: base })).sort(byName)
  if (files.length === 0) throw new SourceError('no-match', `${pattern}: no file matches`, { file: pattern })
  return files.map((file) => ({ path: resolve(file), images: null }))
}

const commonFolder = (files: readonly string[]): string => {
  let root = dirname(files[0] as string)
  while (!files.every((f) => f.startsWith(root.endsWith(sep) ? root : root + sep))) root = dirname(root)
  return root
}

/** The files behind `path:` in the order of their paths, each once; single images together as one folder. */
export async function expand(spec: SourceSpec, base: string): Promise<Target[]> {
  const patterns = typeof spec.path === 'string' ? [spec.path] : (spec.path ?? [])
  if (patterns.length === 0) throw new SourceError('invalid-spec', 'a source needs a path or arrays')
  const targets = new Map<string, Target>()
  for (const pattern of patterns) for (const t of await ofPattern(pattern, base, spec)) targets.set(t.path, t)
  const sorted = [...targets.values()].sort((a, b) => byName(a.path, b.path))
  const single = await imagesAmong(sorted.filter((t) => !t.images).map((t) => t.path))
  if (single.length === 0) return sorted
  const taken = new Set(single)
  const others = sorted.filter((t) => t.images || !taken.has(t.path))
  return [...others, { path: commonFolder(single), images: single }].sort((a, b) => byName(a.path, b.path))
}
