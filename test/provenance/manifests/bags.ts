import type { Contents } from './packages.ts'
import { hex } from './packages.ts'

export interface BagParts {
  readonly version: string
  readonly payload: Readonly<Record<string, string>>
  readonly algorithms: readonly string[]
  /** Tag files besides those that are made: `bag-info.txt`, `fetch.txt` ... */
  readonly tags: Readonly<Record<string, string | Uint8Array>>
  readonly tagManifest: boolean
}

const usual: BagParts = {
  version: '1.0',
  payload: { 'hello.txt': 'hello\n', 'sub/world.txt': 'world\n' },
  algorithms: ['sha512'],
  tags: {},
  tagManifest: true,
}

/** A bag as RFC 8493 wants it, then changed by the test: files set to null are left out, others put in the place of the made ones. */
export function bag(parts: Partial<BagParts> = {}, changes: Readonly<Record<string, string | Uint8Array | null>> = {}): Contents {
  const { version, payload, algorithms, tags, tagManifest } = { ...usual, ...parts }
  const files = new Map<string, string | Uint8Array>()
  for (const [path, content] of Object.entries(payload)) files.set(`data/${path}`, content)
  files.set('bagit.txt', `BagIt-Version: ${version}\nTag-File-Character-Encoding: UTF-8\n`)
  for (const algorithm of algorithms) {
    const lines = Object.entries(payload).map(([path, content]) => `${hex(algorithm, content)}  data/${path}\n`)
    files.set(`manifest-${algorithm}.txt`, lines.join(''))
  }
  for (const [path, content] of Object.entries(tags)) files.set(path, content)
  const sealed = (name: string) => changes[name] ?? files.get(name) ?? ''
  if (tagManifest) {
    const names = [...files.keys()].filter((path) => !path.startsWith('data/') && changes[path] !== null)
    for (const algorithm of algorithms)
      files.set(`tagmanifest-${algorithm}.txt`, names.map((name) => `${hex(algorithm, sealed(name))}  ${name}\n`).join(''))
  }
  if (Object.keys(payload).length === 0) files.set('data/', '')
  for (const [path, content] of Object.entries(changes)) {
    if (content === null) files.delete(path)
    else files.set(path, content)
  }
  return Object.fromEntries(files)
}

/** Everything one folder deeper. */
export const below = (folder: string, contents: Contents): Contents =>
  Object.fromEntries(Object.entries(contents).map(([path, content]) => [`${folder}/${path}`, content]))
