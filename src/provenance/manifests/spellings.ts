import type { DeliveredFile, Delivery } from '../../contracts/provenance.ts'

/** Finds delivered files whose names differ from a given one only in spelling. */
export interface Spellings {
  /** The same after Unicode normalisation (NFC). */
  sameForm(path: string): readonly string[]
  /** The same after normalisation and in lower case. */
  sameLetters(path: string): readonly string[]
}

/** One Unicode normal form, as a key: what HFS+ and others change on the way. */
export const normalForm = (path: string): string => path.normalize('NFC')
const letters = (path: string): string => normalForm(path).toLowerCase()

const known = new WeakMap<Delivery, Spellings>()

/** Made once for a delivery, whatever the number of manifests that ask. */
export function spellings(delivery: Delivery): Spellings {
  const made = known.get(delivery) ?? { sameForm: lookup(delivery.files, normalForm), sameLetters: lookup(delivery.files, letters) }
  known.set(delivery, made)
  return made
}

function lookup(files: readonly DeliveredFile[], key: (path: string) => string): (path: string) => readonly string[] {
  let groups: Map<string, string[]> | null = null
  return (path) => {
    groups ??= grouped(files, key)
    return groups.get(key(path)) ?? []
  }
}

function grouped(files: readonly DeliveredFile[], key: (path: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { path } of files) {
    const group = groups.get(key(path))
    if (group) group.push(path)
    else groups.set(key(path), [path])
  }
  return groups
}
