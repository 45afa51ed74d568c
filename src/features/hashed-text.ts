import { charClass, classOf } from './tokens.ts'

/** Parameters of the hashed n-grams: plain data, part of the plan. */
export interface HashedTextParameters {
  /** Length of the vector that comes out, 16 to 4,096. */
  readonly dims: number
  /** Characters in a row within a word, its two ends included. */
  readonly charGrams: readonly [number, number]
  /** Length of the part of a word's vector that comes from its character n-grams, beside 1 for the word itself. */
  readonly charWeight: number
  /** Weight of two words in a row, beside 1 for a word. */
  readonly pairWeight: number
  /** Dimensions that a word or pair adds to or subtracts from; a character n-gram has one. */
  readonly nonZeros: number
  /** UTF-16 code units: the rest of a longer text is not read. */
  readonly maxLength: number
  readonly normalisation: 'NFKC'
}

export interface HashedText {
  readonly dims: number
  /** Writes the vector of `text` to `into` (`dims` floats); true when the text was cut to `maxLength`. */
  write(text: string, into: Float32Array): boolean
}

interface Word {
  readonly hash: number
  /** Where its vector is not zero, and what it is there. */
  readonly at: Uint16Array
  readonly values: Float64Array
  /** Occurrences in the current text. */
  count: number
}

/** One round of MurmurHash3 (Appleby, public domain) over 32-bit blocks. */
const mix = (hash: number, block: number): number => {
  const k = Math.imul(block, 0xcc9e2d51)
  const h = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

/** MurmurHash3's finaliser: every bit of the input changes half of the output's. */
const finish = (hash: number): number => {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** Counts of 32-bit hashes within one text, by linear probing; drained in the order of first occurrence. */
function pairCounter(most: number) {
  const capacity = 2 ** Math.ceil(Math.log2(most + 1))
  const keys = new Int32Array(capacity)
  const counts = new Int32Array(capacity)
  const slots = new Int32Array(capacity)
  let mask = 0
  let used = 0
  return {
    open(atMost: number): void {
      mask = 2 ** Math.ceil(Math.log2(atMost + 1)) - 1
    },
    count(key: number): void {
      let slot = key & mask
      while ((counts[slot] as number) > 0 && keys[slot] !== key) slot = (slot + 1) & mask
      if (counts[slot] === 0) {
        keys[slot] = key
        slots[used++] = slot
      }
      counts[slot] = (counts[slot] as number) + 1
    },
    drain(visit: (key: number, count: number) => void): void {
      for (let i = 0; i < used; i++) {
        const slot = slots[i] as number
        visit(keys[slot] as number, counts[slot] as number)
        counts[slot] = 0
      }
      used = 0
    },
  }
}

const wordEnd = 0x110000
const maxCachedWords = 32_768
const maxCachedLength = 2 ** 21
/** A slice of a text would keep the whole text in memory. */
const copied = (word: string): string => Buffer.from(word, 'utf16le').toString('utf16le')
const single: number = charClass.single

/**
 * Text as a vector without a model or a download. A text is a bag of words and pairs of words, each weighted 1 + ln(count); a word
 * is itself and its character n-grams (Bojanowski et al. 2017). Every n-gram is hashed with the seed (Weinberger et al. 2009) to a
 * column of a sparse random matrix (Achlioptas 2003; Li, Hastie and Church 2006) that has one or `nonZeros` entries of either sign among
 * `dims`, computed when needed and never stored; the sum is scaled to length 1. A text without a letter, digit or pictograph is
 * the zero vector. The same text gives the same bytes whatever was read before it.
 *
 * @param seed 16 bytes, the key of every hash
 */
export function hashedText(p: HashedTextParameters, seed: Uint8Array): HashedText {
  const [wordKey, pairKey, charKey, projectionKey] = new Int32Array(Uint8Array.from(seed.subarray(0, 16)).buffer) as unknown as readonly [
    number,
    number,
    number,
    number,
  ]
  const [minChars, maxChars] = p.charGrams
  const unit = 1 / Math.sqrt(p.nonZeros)
  const sums = new Float64Array(p.dims)
  const scratch = new Float64Array(p.dims)
  const found = new Uint16Array(p.dims)
  const points = new Int32Array(p.maxLength + 2)
  let cache = new Map<string, Word>()
  let cachedLength = 0
  let inText: Word[] = []
  const pairs = pairCounter(p.maxLength)

  const add = (into: Float64Array, hash: number, weight: number, nonZeros: number): void => {
    for (let k = 0; k < nonZeros; k++) {
      const h = finish(mix(projectionKey ^ k, hash))
      const at = (((h >>> 1) * p.dims) / 0x80000000) | 0
      into[at] = (into[at] as number) + (h & 1 ? weight : -weight)
    }
  }

  const learn = (word: string): Word => {
    let length = 0
    points[length++] = wordEnd
    let hash = wordKey
    for (let i = 0; i < word.length; i++) {
      const point = word.codePointAt(i) as number
      if (point > 0xffff) i++
      points[length++] = point
      hash = mix(hash, point)
    }
    points[length++] = wordEnd
    hash = finish(hash)
    let grams = 0
    for (let n = minChars; n <= maxChars; n++) grams += Math.max(0, length - n + 1)
    const each = grams > 0 ? p.charWeight / Math.sqrt(grams) : 0
    add(scratch, hash, unit, p.nonZeros)
    for (let i = 0; each > 0 && i + minChars <= length; i++) {
      let gram = charKey
      const end = Math.min(i + maxChars, length)
      for (let j = i; j < end; j++) {
        gram = mix(gram, points[j] as number)
        if (j - i + 1 >= minChars) add(scratch, gram ^ (j - i + 1), each, 1)
      }
    }
    let filled = 0
    for (let d = 0; d < p.dims; d++) {
      if (scratch[d] === 0) continue
      found[filled++] = d
    }
    const at = found.slice(0, filled)
    const values = new Float64Array(filled)
    for (let i = 0; i < filled; i++) {
      values[i] = scratch[at[i] as number] as number
      scratch[at[i] as number] = 0
    }
    return { hash, at, values, count: 0 }
  }

  const countWords = (text: string): void => {
    let last: Word | null = null
    pairs.open(text.length)
    const see = (token: string): void => {
      let word = cache.get(token)
      if (!word) {
        word = learn(token)
        cachedLength += token.length
        cache.set(copied(token), word)
      }
      if (word.count++ === 0) inText.push(word)
      if (p.pairWeight > 0 && last) {
        pairs.count(finish(mix(mix(pairKey, last.hash), word.hash)))
      }
      last = word
    }
    let start = -1
    for (let i = 0; i < text.length; ) {
      let point = text.charCodeAt(i)
      let width = 1
      if (point >= 0xd800 && point < 0xdc00) {
        point = text.codePointAt(i) as number
        width = point > 0xffff ? 2 : 1
      }
      const kind = classOf(point)
      if (kind === charClass.word) {
        if (start < 0) start = i
      } else {
        if (start >= 0) see(text.slice(start, i))
        start = -1
        if (kind === single) see(text.slice(i, i + width))
      }
      i += width
    }
    if (start >= 0) see(text.slice(start))
  }

  const sum = (): void => {
    for (const word of inText) {
      const weight = 1 + Math.log(word.count)
      const { at, values } = word
      for (let i = 0; i < at.length; i++) {
        const d = at[i] as number
        sums[d] = (sums[d] as number) + weight * (values[i] as number)
      }
      word.count = 0
    }
    pairs.drain((pair, count) => add(sums, pair, unit * p.pairWeight * (1 + Math.log(count)), p.nonZeros))
  }

  return {
    dims: p.dims,
    write(text, into) {
      const cut = text.length > p.maxLength
      const kept = cut ? text.slice(0, p.maxLength) : text
      if (cache.size > maxCachedWords || cachedLength > maxCachedLength) {
        cache = new Map()
        cachedLength = 0
      }
      // Both steps can lengthen a text, by up to 18 times in all.
      countWords(kept.normalize(p.normalisation).toLowerCase().slice(0, p.maxLength))
      sum()
      let norm = 0
      for (let d = 0; d < p.dims; d++) norm += (sums[d] as number) ** 2
      const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0
      for (let d = 0; d < p.dims; d++) into[d] = (sums[d] as number) * scale
      sums.fill(0)
      inText = []
      return cut
    },
  }
}
