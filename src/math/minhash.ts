import { keyed } from './rng.ts'

/** Bands of a signature, and minima in each: texts of Jaccard similarity .9 share a band with probability .99, of .5 with .03. */
export const bands = 8
const rows = 8
const bins = bands * rows
const shingle = 8
/** Texts with fewer letters and digits are not compared. */
export const leastLetters = 32

/** ASCII as it counts: letters in lower case and digits; everything else parts words. Bytes beyond ASCII count as they are. */
const plain = new Uint8Array(256)
for (let b = 0; b < 256; b++) {
  const isLetter = (b >= 97 && b <= 122) || (b >= 48 && b <= 57) || b >= 128
  plain[b] = b >= 65 && b <= 90 ? b + 32 : isLetter ? b : 0x20
}

export interface MinHasher {
  /** The keys of the bands of a text in UTF-8, integers below 2^52, to `out`; false where the text is too short. */
  bandsOf(values: Uint8Array, from: number, to: number, out: Float64Array): boolean
}

/**
 * MinHash by one permutation (Li, Owen, Zhang 2012) over the shingles of eight characters, blanks and case aside: one rolling hash a
 * character. Empty bins are filled from others (Shrivastava and Li 2014). Keyed, so that nobody can choose texts that collide.
 */
export function minHasher(seed: Uint8Array): MinHasher {
  const random = keyed(seed, 'minhash')
  const multiplier = (random.uint32() | 1) >>> 0
  const mix = (random.uint32() | 1) >>> 0
  const salt = random.uint32()
  let leaving = 1
  for (let i = 0; i < shingle; i++) leaving = Math.imul(leaving, multiplier)
  const order = Array.from({ length: bins }, () => random.permutation(bins))
  const ring = new Uint8Array(shingle)
  const minima = new Uint32Array(bins)
  const filled = new Uint32Array(bins)
  return {
    bandsOf(values, from, to, out) {
      minima.fill(0xffffffff)
      let h = 0
      let at = 0
      let last = 0x20
      let letters = 0
      for (let i = from; i < to; i++) {
        const b = plain[values[i] as number] as number
        if (b === 0x20) {
          if (last === 0x20) continue
        } else letters++
        last = b
        const slot = at & (shingle - 1)
        h = (Math.imul(h, multiplier) + b - Math.imul(leaving, ring[slot] as number)) | 0
        ring[slot] = b
        at++
        if (at < shingle) continue
        let x = Math.imul(h ^ salt ^ (h >>> 15), mix)
        x ^= x >>> 13
        x = Math.imul(x, 0x5bd1e995)
        x = (x ^ (x >>> 15)) >>> 0
        const bin = x >>> 26
        const value = (x << 6) >>> 0
        if (value < (minima[bin] as number)) minima[bin] = value
      }
      ring.fill(0)
      if (letters < leastLetters) return false
      for (let j = 0; j < bins; j++) {
        filled[j] = minima[j] as number
        if (filled[j] !== 0xffffffff) continue
        for (const k of order[j] as Uint32Array) {
          if (minima[k] === 0xffffffff) continue
          filled[j] = minima[k] as number
          break
        }
      }
      for (let b = 0; b < bands; b++) {
        let low = Math.imul(b + 1, 0x9e3779b1)
        let high = Math.imul(b + 1, 0x85ebca6b)
        for (let r = 0; r < rows; r++) {
          const v = filled[b * rows + r] as number
          low = Math.imul(low ^ v, 0xcc9e2d51)
          low ^= low >>> 15
          high = Math.imul(high ^ (v >>> 7), 0x1b873593)
          high ^= high >>> 13
        }
        out[b] = ((high >>> 0) & 0xfffff) * 2 ** 32 + (low >>> 0)
      }
      return true
    },
  }
}
