/** Tokens of one text. The arrays are reused: valid until the next text is read. */
export interface Tokens {
  /** The text in UTF-8 as it was split: NFKC and lower case where it is not plain ASCII, else as given. */
  readonly bytes: Uint8Array
  readonly count: number
  /** Keyed 32-bit hashes of the lower-case tokens. */
  readonly hashes: Int32Array
  /** Where each token begins and ends in `bytes`. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** The text has more tokens than `maxTokens`: the rest was not read. */
  readonly cut: boolean
}

export interface Tokeniser {
  /** Splits the bytes from..to, a text in UTF-8. */
  read(bytes: Uint8Array, from: number, to: number): Tokens
}

/** Tokens of one text that are read. */
export const maxTokens = 65_536
const maxBytes = 2 ** 22
const firstTokens = 1024

/** Recorded with every statistic of tokens. */
export const tokenisation =
  'NFKC, lower case; letters, marks, digits and _ make a word, an apostrophe within it too; other characters stand alone; scripts without spaces by the segmenter of ICU'

const kind = { space: 0, word: 1, single: 2, ignored: 3, unknown: 255 } as const
const word = /[\p{L}\p{M}\p{N}_]/u
const space = /[\s\p{Z}\p{Cc}\p{Cs}\p{Co}]/u
const ignored = /\p{Cf}/u
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu
/** Code units of all of these scripts and of few others: a search for these is much cheaper. */
const mayBeUnspaced = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u2e80-\uffff]/

const classify = (point: number): number => {
  const char = String.fromCodePoint(point)
  if (word.test(char)) return kind.word
  if (ignored.test(char)) return kind.ignored
  return space.test(char) ? kind.space : kind.single
}

/** [bytes] kind of an ASCII character; `unknown` for a byte of any other. */
const ascii = Uint8Array.from({ length: 256 }, (_, point) => (point < 128 ? classify(point) : kind.unknown))
const lower = Uint8Array.from({ length: 128 }, (_, point) => String.fromCharCode(point).toLowerCase().charCodeAt(0))
const basic = new Uint8Array(0x10000).fill(kind.unknown)

function classOf(point: number): number {
  if (point >= 0x10000) return classify(point)
  const known = basic[point] as number
  if (known !== kind.unknown) return known
  const found = classify(point)
  basic[point] = found
  return found
}

const apostrophe = 0x27

/** MurmurHash3's finaliser (Appleby, public domain): every bit of the input changes half of the output's. */
export const scramble = (hash: number): number => {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** The hash of an ordered pair of hashes; both sides must be keyed. */
export const combine = (a: number, b: number): number => scramble(Math.imul(a, 0x9e3779b1) ^ ((b << 7) | (b >>> 25)) ^ 0x27d4eb2d)

const sizeOf = (first: number): number => (first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4)

/** The code point whose UTF-8 begins at i. */
function pointAt(bytes: Uint8Array, i: number, size: number): number {
  let point = (bytes[i] as number) & (0xff >> (size + 1))
  for (let j = 1; j < size; j++) point = (point << 6) | ((bytes[i + j] as number) & 0x3f)
  return point
}

let segmenter: Intl.Segmenter | null = null

/** Words of a run without spaces, apart. */
function spaced(run: string): string {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' })
  let out = ' '
  for (const { segment } of segmenter.segment(run)) out += `${segment} `
  return out
}

function normalised(text: string): Uint8Array {
  const plain = text.normalize('NFKC').toLowerCase().replaceAll('\u2019', "'")
  return Buffer.from((mayBeUnspaced.test(plain) ? plain.replace(unspaced, spaced) : plain).slice(0, maxBytes))
}

/** @param seed 16 bytes, the key of the hashes: whoever writes a text does not choose what it collides with. */
export function tokeniser(seed: Uint8Array): Tokeniser {
  const view = new DataView(seed.buffer, seed.byteOffset, seed.byteLength)
  const key = view.getInt32(0, true)
  const key2 = view.getInt32(4, true)
  let hashes = new Int32Array(firstTokens)
  let starts = new Int32Array(firstTokens)
  let ends = new Int32Array(firstTokens)
  const room = (bytes: number): void => {
    const wanted = Math.min(maxTokens, bytes + 2)
    if (wanted <= hashes.length) return
    const size = Math.min(maxTokens, Math.max(wanted, 2 * hashes.length))
    hashes = new Int32Array(size)
    starts = new Int32Array(size)
    ends = new Int32Array(size)
  }

  /** Splits the bytes from..to into the arrays; -1 where `plain` and a byte is not ASCII. */
  const split = (bytes: Uint8Array, from: number, to: number, plain: boolean): number => {
    // Locals: the loop runs once a byte.
    const [outHashes, outStarts, outEnds] = [hashes, starts, ends]
    let n = 0
    let i = from
    while (i < to && n < maxTokens - 2) {
      let b = bytes[i] as number
      let size = 1
      let point = b
      let k = ascii[b] as number
      if (k === kind.space) {
        i++
        continue
      }
      if (k === kind.unknown) {
        if (plain) return -1
        size = sizeOf(b)
        point = pointAt(bytes, i, size)
        k = classOf(point)
      }
      if (k === kind.word) {
        const start = i
        let h = key
        while (true) {
          if (k === kind.word) {
            h = Math.imul(h ^ (b < 128 ? (lower[b] as number) : point), 0x01000193)
            h ^= h >>> 15
          } else if (b === apostrophe && i + 1 < to && (bytes[i + 1] as number) > 64) h = Math.imul(h ^ b, 0x01000193)
          else if (k !== kind.ignored) break
          i += size
          if (i >= to) break
          b = bytes[i] as number
          size = 1
          point = b
          k = ascii[b] as number
          if (k !== kind.unknown) continue
          if (plain) return -1
          size = sizeOf(b)
          point = pointAt(bytes, i, size)
          k = classOf(point)
        }
        outHashes[n] = scramble(h ^ key2)
        outStarts[n] = start
        outEnds[n++] = Math.min(i, to)
        if (i >= to) break
      }
      if (k === kind.single) {
        outHashes[n] = scramble(Math.imul(key ^ point, 0x01000193) ^ key2)
        outStarts[n] = i
        outEnds[n++] = i + size
      }
      i += size
    }
    return n
  }

  return {
    read(given, given0, given1) {
      let [bytes, from, to] = [given, given0, Math.min(given1, given0 + maxBytes)]
      room(to - from)
      let count = split(bytes, from, to, true)
      if (count < 0) {
        bytes = normalised(Buffer.from(given.buffer, given.byteOffset + from, to - from).toString('utf8'))
        from = 0
        to = bytes.length
        room(to)
        count = split(bytes, from, to, false)
      }
      return { bytes, count, hashes, starts, ends, cut: count >= maxTokens - 2 || given1 - given0 > maxBytes }
    },
  }
}

/** The tokens from..to of a text, in lower case, with one space between them. */
export function wordsOf({ bytes, starts, ends, count }: Tokens, from: number, to: number): string {
  const [first, last] = [Math.max(0, from), Math.min(to, count)]
  if (first >= last) return ''
  const out = Buffer.allocUnsafe((ends[last - 1] as number) - (starts[first] as number) + last - first)
  let at = 0
  for (let k = first; k < last; k++) {
    if (k > first) out[at++] = 0x20
    for (let i = starts[k] as number; i < (ends[k] as number); i++) out[at++] = bytes[i] as number
  }
  return out
    .toString('utf8', 0, at)
    .toLowerCase()
    .replace(/\p{Cf}/gu, '')
}

/** Keyed digest of all tokens. */
export function digestOf(tokens: Pick<Tokens, 'hashes' | 'count'>): number {
  let key = 0
  for (let i = 0; i < tokens.count; i++) {
    key = Math.imul(key ^ (tokens.hashes[i] as number), 0x01000193)
    key ^= key >>> 15
  }
  return scramble(key)
}

/** Which hashes have been seen since `clear`: in one passage, or one record. */
export interface Seen {
  clear(): void
  /** True the first time. */
  add(hash: number): boolean
}

const firstSlots = 2048

/** A set that is cheap to empty. */
export function seen(): Seen {
  // 0 is an empty slot; whether the hash 0 itself was seen is kept apart.
  let keys = new Int32Array(firstSlots)
  let mask = firstSlots - 1
  let used = 0
  let zero = false
  const grow = (): void => {
    const old = keys
    keys = new Int32Array(2 * old.length)
    mask = keys.length - 1
    for (const key of old) {
      if (key === 0) continue
      let at = key & mask
      while (keys[at] !== 0) at = (at + 1) & mask
      keys[at] = key
    }
  }
  return {
    clear() {
      // What one long text has made large would be slow to empty for each short one.
      if (keys.length > firstSlots && 64 * used < keys.length) {
        keys = new Int32Array(firstSlots)
        mask = firstSlots - 1
      } else if (used > 0) keys.fill(0)
      used = 0
      zero = false
    },
    add(hash) {
      if (hash === 0) {
        const isNew = !zero
        zero = true
        return isNew
      }
      let at = hash & mask
      for (let key = keys[at] as number; key !== 0; key = keys[at] as number) {
        if (key === hash) return false
        at = (at + 1) & mask
      }
      keys[at] = hash
      if (++used * 2 > keys.length) grow()
      return true
    },
  }
}
