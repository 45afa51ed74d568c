import { combine } from '../../math/tokens.ts'
import { eachShape, isShape, longestGram, tokenSet, type Visit } from './grams.ts'

/** Phrases and shapes to look for, by hash and kind. */
export interface Candidates {
  readonly hashes: Int32Array
  readonly kinds: Uint8Array
  /** Records with it. */
  readonly counts: Uint32Array
}

export type Found = (candidate: number, from: number, to: number) => void
export type Matcher = (tokens: Int32Array, count: number, found: Found) => void

const filterBits = 15

/** Finds every occurrence of the candidates in a text. `common` are the tokens that shapes keep. */
export function matcher(candidates: Candidates, common: ReadonlySet<number>): Matcher {
  const { hashes, kinds } = candidates
  const mask = 2 ** Math.ceil(Math.log2(4 * hashes.length + 4)) - 1
  const slots = new Int32Array(mask + 1)
  /** [first bits of a hash]: bit k where a candidate of kind k begins so. */
  const filter = new Uint16Array(2 ** filterBits)
  let longest = 0
  let shapes = false
  const placeOf = (hash: number, kind: number): number => {
    let slot = hash & mask
    for (let place = slots[slot] as number; place !== 0; place = slots[slot] as number) {
      if (hashes[place - 1] === hash && kinds[place - 1] === kind) break
      slot = (slot + 1) & mask
    }
    return slot
  }
  hashes.forEach((hash, i) => {
    const kind = kinds[i] as number
    slots[placeOf(hash, kind)] = i + 1
    const at = hash >>> (32 - filterBits)
    filter[at] = (filter[at] as number) | (1 << kind)
    if (isShape(kind)) shapes = true
    else longest = Math.max(longest, Math.min(kind, longestGram))
  })
  const kept = tokenSet(common)
  return (tokens, count, found) => {
    const look: Visit = (hash, kind, from, to) => {
      if (((filter[hash >>> (32 - filterBits)] as number) & (1 << kind)) === 0) return
      const place = slots[placeOf(hash, kind)] as number
      if (place !== 0) found(place - 1, from, to)
    }
    for (let i = 0; i < count; i++) {
      const most = Math.min(longest, count - i)
      let gram = tokens[i] as number
      for (let n = 1; n <= most; n++) {
        if (n > 1) gram = combine(gram, tokens[i + n - 1] as number)
        if (((filter[gram >>> (32 - filterBits)] as number) & (1 << n)) !== 0) look(gram, n, i, i + n)
      }
    }
    if (shapes) eachShape(tokens, Math.min(count, 512), kept, look)
  }
}
