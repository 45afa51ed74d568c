import { eachGram, eachShape, isShape, type Visit } from './grams.ts'

/** Phrases and shapes to look for, by hash and kind. */
export interface Candidates {
  readonly hashes: Int32Array
  readonly kinds: Uint8Array
  /** Records with it. */
  readonly counts: Uint32Array
}

export type Found = (candidate: number, from: number, to: number) => void
export type Matcher = (tokens: Int32Array, count: number, found: Found) => void

const bits = 17
const key = (hash: number, kind: number): number => hash * 16 + kind

/** Finds every occurrence of the candidates in a text. `common` are the tokens that shapes keep. */
export function matcher(candidates: Candidates, common: ReadonlySet<number>): Matcher {
  const places = new Map<number, number>()
  const filter = new Uint8Array(2 ** bits)
  const lookFor = { longest: 0, shapes: false }
  candidates.hashes.forEach((hash, i) => {
    const kind = candidates.kinds[i] as number
    places.set(key(hash, kind), i)
    filter[hash >>> (32 - bits)] = 1
    if (isShape(kind)) lookFor.shapes = true
    else lookFor.longest = Math.max(lookFor.longest, kind)
  })
  return (tokens, count, found) => {
    const visit: Visit = (hash, kind, from, to) => {
      if (filter[hash >>> (32 - bits)] === 0) return
      const place = places.get(key(hash, kind))
      if (place !== undefined) found(place, from, to)
    }
    if (lookFor.longest > 0) eachGram(tokens, count, lookFor.longest, visit)
    if (lookFor.shapes) eachShape(tokens, Math.min(count, 512), common, visit)
  }
}
