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
const anyUnspaced = new RegExp(unspaced.source, 'u')

const classify = (point: number): number => {
  const char = String.fromCodePoint(point)
  if (word.test(char)) return kind.word
  if (ignored.test(char)) return kind.ignored
  return space.test(char) ? kind.space : kind.single
}

const ascii = Uint8Array.from({ length: 128 }, (_, point) => classify(point))
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
  return Buffer.from((anyUnspaced.test(plain) ? plain.replace(unspaced, spaced) : plain).slice(0, maxBytes))
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

  const isPlain = (bytes: Uint8Array, from: number, to: number): boolean => {
    for (let i = from; i < to; i++) if ((bytes[i] as number) > 127) return false
    return true
  }

  const split = (bytes: Uint8Array, from: number, to: number): number => {
    let n = 0
    let i = from
    let start = -1
    let h = key
    const close = (end: number): void => {
      hashes[n] = scramble(h ^ key2)
      starts[n] = start
      ends[n++] = end
      start = -1
      h = key
    }
    while (i < to && n < maxTokens - 2) {
      const b = bytes[i] as number
      let size = 1
      let point = b
      if (b > 127) {
        size = b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4
        point = b & (0xff >> (size + 1))
        for (let j = 1; j < size; j++) point = (point << 6) | ((bytes[i + j] as number) & 0x3f)
      }
      const k = b < 128 ? (ascii[b] as number) : classOf(point)
      if (k === kind.word) {
        if (start < 0) start = i
        h = Math.imul(h ^ (b < 128 ? (lower[b] as number) : point), 0x01000193)
        h ^= h >>> 15
      } else if (b === apostrophe && start >= 0 && i + 1 < to && (bytes[i + 1] as number) > 64) {
        h = Math.imul(h ^ b, 0x01000193)
      } else if (k !== kind.ignored) {
        if (start >= 0) close(i)
        if (k === kind.single) {
          start = i
          h = Math.imul(h ^ point, 0x01000193)
          close(i + size)
        }
      }
      i += size
    }
    if (start >= 0) close(i)
    return n
  }

  return {
    read(given, given0, given1) {
      let [bytes, from, to] = [given, given0, Math.min(given1, given0 + maxBytes)]
      if (!isPlain(bytes, from, to)) {
        bytes = normalised(Buffer.from(given.buffer, given.byteOffset + from, to - from).toString('utf8'))
        from = 0
        to = bytes.length
      }
      room(to - from)
      const count = split(bytes, from, to)
      return { bytes, count, hashes, starts, ends, cut: count >= maxTokens - 2 || given1 - given0 > maxBytes }
    },
  }
}

/** The tokens from..to of a text, in lower case, with one space between them. */
export function wordsOf(tokens: Tokens, from: number, to: number): string {
  const words: string[] = []
  for (let k = Math.max(0, from); k < Math.min(to, tokens.count); k++) {
    words.push(Buffer.from(tokens.bytes.subarray(tokens.starts[k], tokens.ends[k])).toString('utf8').toLowerCase())
  }
  return words.join(' ').replace(/\p{Cf}/gu, '')
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
  let mask = firstSlots - 1
  let keys = new Int32Array(firstSlots)
  let stamps = new Uint32Array(firstSlots)
  let stamp = 1
  let used = 0
  const grow = (): void => {
    const [oldKeys, oldStamps] = [keys, stamps]
    mask = 2 * oldKeys.length - 1
    keys = new Int32Array(mask + 1)
    stamps = new Uint32Array(mask + 1)
    for (let i = 0; i < oldKeys.length; i++) {
      if (oldStamps[i] !== stamp) continue
      let at = (oldKeys[i] as number) & mask
      while (stamps[at] === stamp) at = (at + 1) & mask
      stamps[at] = stamp
      keys[at] = oldKeys[i] as number
    }
  }
  return {
    clear() {
      used = 0
      if (++stamp < 0xffffffff) return
      stamps.fill(0)
      stamp = 1
    },
    add(hash) {
      let at = hash & mask
      while (stamps[at] === stamp) {
        if (keys[at] === hash) return false
        at = (at + 1) & mask
      }
      stamps[at] = stamp
      keys[at] = hash
      if (++used * 2 > keys.length) grow()
      return true
    },
  }
}
