import type { DeliveredFile, Delivery, Manifest, ManifestEntry } from '../contracts/provenance.ts'
import { fileAt } from './manifests/lookup.ts'
import { spellings } from './manifests/spellings.ts'

export interface Statement {
  readonly manifest: Manifest
  readonly entry: ManifestEntry
}

/** A file that manifests name, and all that they say of it. */
export interface Named {
  readonly path: string
  /** Null where the delivery does not have it. */
  readonly file: DeliveredFile | null
  readonly statements: Statement[]
}

/** The delivered file that a name means: the same name, or the only one that differs in its Unicode normal form alone. */
export function locate(delivery: Delivery, path: string): DeliveredFile | null {
  const exact = fileAt(delivery, path)
  if (exact) return exact
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has one normal form
  if (/^[\u0000-\u007f]*$/.test(path)) return null
  const [only, ...others] = spellings(delivery).sameForm(path)
  return only !== undefined && others.length === 0 ? fileAt(delivery, only) : null
}

/** By path, as the delivery spells it. */
export function namedFiles(discovery: { readonly delivery: Delivery; readonly manifests: readonly Manifest[] }): Map<string, Named> {
  const named = new Map<string, Named>()
  for (const manifest of discovery.manifests) {
    for (const entry of manifest.entries) {
      const file = locate(discovery.delivery, entry.path)
      const path = file?.path ?? entry.path
      const known = named.get(path)
      if (known) known.statements.push({ manifest, entry })
      else named.set(path, { path, file, statements: [{ manifest, entry }] })
    }
  }
  return named
}
