import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Delivery, Grade, Manifest, ManifestFormat } from '../../../src/contracts/provenance.ts'
import { openDelivery } from '../../../src/provenance/delivery.ts'
import { digest, folder, nobody } from './deliver.ts'

export type Contents = Readonly<Record<string, string | Uint8Array>>

/** A delivery on the disk, gone after the test. A name that ends in `/` is an empty folder. */
export async function unpack(contents: Contents): Promise<Delivery> {
  const root = folder(Object.fromEntries(Object.entries(contents).filter(([path]) => !path.endsWith('/'))))
  for (const path of Object.keys(contents)) if (path.endsWith('/')) mkdirSync(join(root, path), { recursive: true })
  return openDelivery(root)
}

/** What a format makes of a delivery: one manifest for each file that it takes. */
export async function readAll(format: ManifestFormat, delivery: Delivery): Promise<Manifest[]> {
  const manifests: Manifest[] = []
  for (const file of delivery.files) {
    const head = () => readFileSync(join(delivery.root, file.path)).subarray(0, 4096)
    if (!format.detect(file, head)) continue
    if (format.confirm && !(await format.confirm(file, delivery))) continue
    manifests.push(await format.read(file, delivery, nobody))
  }
  return manifests
}

export async function readOne(format: ManifestFormat, contents: Contents): Promise<Manifest> {
  const [manifest, ...others] = await readAll(format, await unpack(contents))
  if (!manifest || others.length > 0) throw new Error(`${1 + others.length} manifests`)
  return manifest
}

/** By the names of manifests: node:crypto has another one for BLAKE2b. */
export const hex = (algorithm: string, content: string | Uint8Array): string =>
  digest(algorithm === 'blake2b' ? 'blake2b512' : algorithm, content)

/** The grade of each entry by its own words: the plainest reading of the contract. */
export function plainGrades(manifest: Manifest, delivery: Delivery): Map<string, Grade> {
  const grades = new Map<string, Grade>()
  for (const entry of manifest.entries) {
    const there = delivery.files.some(({ path }) => path === entry.path)
    const none = entry.placeholder === null ? 'no-digest' : 'placeholder-digest'
    if (!there) grades.set(entry.path, entry.elsewhere && entry.digests.length === 0 ? none : 'missing')
    else if (entry.digests.length === 0) grades.set(entry.path, none)
    else {
      const bytes = readFileSync(join(delivery.root, entry.path))
      const holds = entry.digests.every(({ algorithm, hex: expected }) => hex(algorithm, bytes) === expected)
      if (grades.get(entry.path) !== 'mismatched') grades.set(entry.path, holds ? 'verified' : 'mismatched')
    }
  }
  const own = new Set(manifest.own)
  for (const { path } of delivery.files) {
    const below = manifest.closed !== null && (manifest.closed === '' || path.startsWith(`${manifest.closed}/`))
    if (below && !grades.has(path) && !own.has(path)) grades.set(path, 'unlisted')
  }
  return grades
}
