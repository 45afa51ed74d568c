import { isBidiControl, isSelector, isTag, isZeroWidth } from './folding.ts'
import { type Hit, hitAt } from './kinds.ts'

const isPrintable = (c: string): boolean => /[\p{L}\p{N}\p{P}\p{Zs}\p{S}\n\r\t]/u.test(c)

/** Does a decoded text look like one? */
function readable(text: string): boolean {
  if (text.length < 2) return false
  let good = 0
  let plain = 0
  let all = 0
  for (const c of text) {
    all++
    if (isPrintable(c)) good++
    if (/[a-z0-9 .,:/'"]/i.test(c)) plain++
  }
  return good >= 0.95 * all && plain >= 0.6 * all
}

const utf8 = new TextDecoder('utf-8')
const textOf = (bytes: readonly number[]): string => utf8.decode(Uint8Array.from(bytes)).replace(/\0+$/, '')

const flag = 0x1f3f4
/** A flag of a region (England, Texas): a black flag, at most six tags, the tag that ends them. */
const regionFlag = /^[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{1,6}\u{E007F}/u

/** Text in tag characters. Three or more outside of flags are certain; fewer are strays. */
export function tagHits(text: string): Hit[] {
  let start = -1
  let end = -1
  let decoded = ''
  for (let i = 0; i < text.length; ) {
    const cp = text.codePointAt(i) as number
    const next = i + (cp > 0xffff ? 2 : 1)
    if (cp === flag) {
      const tags = regionFlag.exec(text.slice(next, next + 14))
      i = next + (tags?.[0].length ?? 0)
      continue
    }
    if (isTag(cp)) {
      if (start < 0) start = i
      end = next
      if (cp >= 0xe0020 && cp < 0xe007f) decoded += String.fromCharCode(cp - 0xe0000)
    }
    i = next
  }
  if (start < 0) return []
  const count = [...text.slice(start, end)].filter((c) => isTag(c.codePointAt(0) as number)).length
  return [hitAt(count >= 3 ? 'tag characters' : 'stray invisible characters', text, start, end, decoded || null)]
}

const leastSelectors = 4
const leastCarriers = 8

/** Bytes in variation selectors: a run of four or more, or one after each of many Latin letters. */
export function selectorHits(text: string): Hit[] {
  const bytes: number[] = []
  let run: number[] = []
  let longest = 0
  let afterLetters = 0
  let start = -1
  let end = -1
  let previous = 0
  let runFrom = 0
  const close = (at: number): void => {
    const onLetter = (previous >= 65 && previous <= 90) || (previous >= 97 && previous <= 122) || previous === 32
    if (run.length > 0 && (run.length > 1 || onLetter)) {
      if (onLetter) afterLetters++
      if (start < 0) start = runFrom
      end = at
      for (const cp of run) bytes.push(cp < 0xe0100 ? cp - 0xfe00 : cp - 0xe0100 + 16)
    }
    longest = Math.max(longest, run.length)
    run = []
  }
  for (let i = 0; i < text.length; ) {
    const cp = text.codePointAt(i) as number
    if (isSelector(cp)) {
      if (run.length === 0) runFrom = i
      run.push(cp)
    } else {
      close(i)
      previous = cp
    }
    i += cp > 0xffff ? 2 : 1
  }
  close(text.length)
  if (longest < leastSelectors && afterLetters < leastCarriers) return []
  const whole = textOf(bytes)
  const nibbles = textOf(
    Array.from({ length: bytes.length >> 1 }, (_, k) => ((bytes[2 * k] as number) << 4) | (bytes[2 * k + 1] as number)),
  )
  const decoded = [whole, nibbles].find(readable) ?? null
  return [hitAt('variation selectors', text, Math.max(start, 0), Math.max(end, 0), decoded)]
}

/** Scripts and emoji in which joiners, marks and zero-width spaces are ordinary. */
const needsJoiners =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Mongolian}\p{Script=Khmer}\p{Script=Thai}\p{Script=Lao}\p{Script=Myanmar}\p{Script=Tibetan}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Extended_Pictographic}\p{Emoji_Modifier}\u2640\u2642\u{1F1E6}-\u{1F1FF}]|\ufe0f/u

interface Cluster {
  readonly start: number
  end: number
  readonly symbols: number[]
}

/** Zero-width characters where the script needs none, gathered while at most `gap` characters lie between two. */
function clustersOf(text: string, gap: number): Cluster[] {
  const clusters: Cluster[] = []
  let open: Cluster | null = null
  let before = ''
  let between = 0
  for (let i = 0; i < text.length; ) {
    const cp = text.codePointAt(i) as number
    const next = i + (cp > 0xffff ? 2 : 1)
    if (!isZeroWidth(cp)) {
      before = String.fromCodePoint(cp)
      between++
    } else if (!(i === 0 && cp === 0xfeff) && !(before !== '' && needsJoiners.test(before))) {
      if (open && between <= gap) {
        open.symbols.push(cp)
        open.end = next
      } else {
        open = { start: i, end: next, symbols: [cp] }
        clusters.push(open)
      }
      between = 0
    }
    i = next
  }
  return clusters
}

const longestPeriod = 8

/** Fillers of mails and web pages repeat a short pattern; a message does not. */
function repeats(symbols: readonly number[]): boolean {
  for (let p = 1; p <= longestPeriod; p++) {
    let same = 0
    for (let i = p; i < symbols.length; i++) if (symbols[i] === symbols[i - p]) same++
    if (same >= 0.9 * (symbols.length - p)) return true
  }
  return false
}

const chunked = (digits: readonly number[], base: number, size: number): string => {
  const out: number[] = []
  for (let i = 0; i + size <= digits.length; i += size) out.push(digits.slice(i, i + size).reduce((n, d) => n * base + d, 0))
  return size * Math.log2(base) === 8 ? textOf(out) : out.map((n) => String.fromCharCode(n & 0xffff)).join('')
}

/** What the symbols spell as bits, with separators or without, or as digits of a larger base; null where it is no text. */
function decode(symbols: readonly number[]): string | null {
  const counts = new Map<number, number>()
  for (const s of symbols) counts.set(s, (counts.get(s) ?? 0) + 1)
  const alphabet = [...counts.keys()].sort((a, b) => a - b)
  const frequent = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([s]) => s)
  const tries: string[] = []
  const [one, two] = frequent as [number, number]
  for (const [zero, unit] of [
    [one, two],
    [two, one],
  ] as const) {
    const bits = symbols.filter((s) => s === zero || s === unit).map((s) => (s === unit ? 1 : 0))
    for (const size of [8, 7, 16]) tries.push(chunked(bits, 2, size))
    if (alphabet.length < 3) continue
    const groups: number[][] = [[]]
    for (const s of symbols) {
      if (s === zero || s === unit) groups.at(-1)?.push(s === unit ? 1 : 0)
      else if (groups.at(-1)?.length) groups.push([])
    }
    tries.push(groups.map((g) => (g.length > 0 && g.length <= 16 ? String.fromCharCode(g.reduce((n, d) => 2 * n + d, 0)) : '')).join(''))
  }
  if (alphabet.length >= 3 && alphabet.length <= 4) {
    const digits = symbols.map((s) => alphabet.indexOf(s))
    for (const size of [4, 8]) tries.push(chunked(digits, 4, size))
  }
  return tries.find(readable) ?? null
}

const leastSymbols = 16

/** Bits in zero-width characters: long, of at least two kinds, and no repeated filler. */
export function zeroWidthHits(text: string): Hit[] {
  const spelt = (c: Cluster): boolean => {
    if (c.symbols.length < leastSymbols || repeats(c.symbols)) return false
    const kinds = new Set(c.symbols)
    const most = Math.max(...[...kinds].map((k) => c.symbols.filter((s) => s === k).length))
    return kinds.size >= 2 && most <= 0.9 * c.symbols.length
  }
  const close = clustersOf(text, 2).find(spelt)
  if (close) return [hitAt('zero-width code', text, close.start, close.end, decode(close.symbols))]
  // Further apart, as one in each word, only what can be read is certain.
  for (const wide of clustersOf(text, 24)) {
    const decoded = spelt(wide) ? decode(wide.symbols) : null
    if (decoded) return [hitAt('zero-width code', text, wide.start, wide.end, decoded)]
  }
  return strays(text)
}

const leastStrays = 4

/** Zero-width characters between two Latin letters, where they serve nobody. */
function strays(text: string): Hit[] {
  const inside = /[A-Za-z][\u200b-\u200f\u2060-\u2064\ufeff]{1,8}(?=[A-Za-z])/g
  let count = 0
  let first = -1
  for (let m = inside.exec(text); m && count < leastStrays; m = inside.exec(text)) {
    if (first < 0) first = m.index
    count++
  }
  return count >= leastStrays ? [hitAt('stray invisible characters', text, first, inside.lastIndex)] : []
}

const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u
/** Each is looked at with the line that follows it. */
const mostControls = 2000
const latinWord = /[A-Za-z](?:[^A-Za-z\n]{0,3}[A-Za-z]){2}/

/**
 * Controls that show Latin text in another order than it is stored (Boucher and Anderson 2021, Trojan Source): an override to the
 * right around Latin letters, one to the left around letters of the other direction in a text that is not theirs, or embeddings
 * within an embedding to the right that holds no letter of that direction.
 */
export function bidiHits(text: string): Hit[] {
  const own = rightToLeft.test(text)
  let looked = 0
  for (let i = 0; i < text.length && looked < mostControls; i++) {
    const c = text.charCodeAt(i)
    if (!isBidiControl(c)) continue
    looked++
    const line = text.indexOf('\n', i)
    const scope = text.slice(i + 1, Math.min(line < 0 ? text.length : line, i + 2000))
    const closing = scope.search(/[\u202c\u2069]/)
    const inside = closing < 0 ? scope : scope.slice(0, closing)
    const end = i + 1 + inside.length
    if (c === 0x202e && latinWord.test(inside)) return [hitAt('bidirectional override', text, i, end)]
    const nests = (c === 0x202b || c === 0x2067) && /[\u202a\u202d\u202e\u2066]/.test(inside)
    if (nests && !own && latinWord.test(scope)) return [hitAt('bidirectional override', text, i, end)]
    if ((c === 0x202b || c === 0x2067) && !own && latinWord.test(inside)) return [hitAt('stray invisible characters', text, i, end)]
  }
  return []
}
