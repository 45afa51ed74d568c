import { foreignLetters, greekLetters, isBidiControl, isIgnorable, isMark, isSelector, isStyled, isTag, isZeroWidth } from './folding.ts'
import { begins, bucketAt, buckets, hashOf, type Root } from './roots.ts'

/** Counts over one text, by what a closer look needs to know. */
export const seen = {
  zeroWidth: 0,
  ignorable: 1,
  bidi: 2,
  selectors: 3,
  tags: 4,
  styled: 5,
  marks: 6,
  /** Words of Latin and look-alike letters. */
  mixed: 7,
  /** Tags, comments and LaTeX colours. */
  markup: 8,
  /** Runs long enough to hold an encoded sentence. */
  runs: 9,
  /** Escapes: `%41`, `\x41`, `&#65;`. */
  escapes: 10,
  /** Words of one or two letters in a row, the longest run. */
  spaced: 11,
  /** Words that only a disguised instruction has: rot13, reversed, with digits for letters. */
  ciphers: 12,
  /** Words that instructions have. */
  roots: 13,
} as const
const slots = 14

export interface Screening {
  readonly counts: Int32Array
  /** Byte offsets of `roots`, from the start of the text, ascending. */
  readonly roots: number[]
}

export const newScreening = (): Screening => ({ counts: new Int32Array(slots), roots: [] })

// Classes of ASCII: a letter or digit, a character of base64, one that begins markup or an escape.
const word = 1
const base64 = 2
const opener = 4
const ascii = new Uint8Array(256)
for (let c = 0; c < 128; c++) {
  const alnum = (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122)
  if (alnum) ascii[c] = word | base64
}
for (const c of '+/-_=') ascii[c.charCodeAt(0)] = (ascii[c.charCodeAt(0)] as number) | base64
for (const c of '<[\\%&!#') ascii[c.charCodeAt(0)] = (ascii[c.charCodeAt(0)] as number) | opener

const other = 0
const letter = 1
const foreign = 2
const greekLetter = 3
/** 忽: the beginning of an override in Chinese. */
const rootLetter = 4
const counted = 5

function classOf(cp: number): number {
  if (isZeroWidth(cp)) return counted + seen.zeroWidth
  if (isIgnorable(cp)) return counted + seen.ignorable
  if (isBidiControl(cp)) return counted + seen.bidi
  if (isSelector(cp)) return counted + seen.selectors
  if (isTag(cp)) return counted + seen.tags
  if (isMark(cp)) return counted + seen.marks
  if (isStyled(cp)) return counted + seen.styled
  if (foreignLetters.has(cp)) return foreign
  if (greekLetters.has(cp)) return greekLetter
  if (cp === 0x5ffd || cp === 0x7121 || cp === 0x65e0) return rootLetter
  return cp >= 0xc0 && cp < 0x250 ? letter : other
}

const basic = new Uint8Array(65_536)
for (let cp = 0x80; cp < 0x10000; cp++) basic[cp] = classOf(cp)

const leastRun = 24
const leastSpaced = 8

/**
 * One pass over the UTF-8 of a text: which closer looks does it need? It allocates nothing but the places of root words, so that
 * ordinary text costs little more than its bytes.
 */
export function screen(values: Uint8Array, from: number, to: number, into: Screening): void {
  const { counts, roots } = into
  counts.fill(0)
  roots.length = 0
  let wordFrom = -1
  let run = 0
  let singles = 0
  // Of the current word: 1 Latin, 2 look-alike; 4 a Greek letter after a lower-case Latin one, 8 the same before another.
  let scripts = 0
  for (let i = from; i < to; ) {
    const b = values[i] as number
    if (b < 0x80) {
      const c = ascii[b] as number
      if (c & word) {
        if (wordFrom < 0) {
          wordFrom = i
          scripts = 0
          if (i + 4 <= to) {
            const bucket = bucketAt[
              hashOf(b | 0x20, (values[i + 1] as number) | 0x20, (values[i + 2] as number) | 0x20, (values[i + 3] as number) | 0x20)
            ] as number
            if (bucket) noteRoots(values, i, from, to, buckets[bucket - 1] as Root[], into)
          }
        }
        if (scripts & 4 && b >= 97) scripts |= 8
        scripts = (scripts & ~4) | 1
        const first = i++
        while (i < to && (ascii[values[i] as number] as number) & word) i++
        run += i - first
        continue
      }
      if (c & base64) run++
      else {
        if (run >= leastRun) counts[seen.runs] = (counts[seen.runs] as number) + 1
        run = 0
      }
      if (wordFrom >= 0) {
        singles = i - wordFrom <= 2 ? singles + 1 : 0
        if (singles > (counts[seen.spaced] as number)) counts[seen.spaced] = singles
        if ((scripts & 3) === 3 || scripts & 8) counts[seen.mixed] = (counts[seen.mixed] as number) + 1
        wordFrom = -1
      }
      if (c & opener) noteOpener(values, i, to, into, from)
      i++
      continue
    }
    if (run >= leastRun) counts[seen.runs] = (counts[seen.runs] as number) + 1
    run = 0
    let cp: number
    const start = i
    if (b < 0xe0) {
      cp = ((b & 31) << 6) | ((values[i + 1] as number) & 63)
      i += 2
    } else if (b < 0xf0) {
      cp = ((b & 15) << 12) | (((values[i + 1] as number) & 63) << 6) | ((values[i + 2] as number) & 63)
      i += 3
    } else {
      cp =
        ((b & 7) << 18) |
        (((values[i + 1] as number) & 63) << 12) |
        (((values[i + 2] as number) & 63) << 6) |
        ((values[i + 3] as number) & 63)
      i += 4
    }
    const c = cp < 0x10000 ? (basic[cp] as number) : classOf(cp)
    if (c >= counted) counts[c - counted] = (counts[c - counted] as number) + 1
    else if (c === other || c === rootLetter) {
      if (wordFrom >= 0 && ((scripts & 3) === 3 || scripts & 8)) counts[seen.mixed] = (counts[seen.mixed] as number) + 1
      wordFrom = -1
      singles = 0
      if (c === rootLetter && i < to) roots.push(start - from)
    } else {
      if (wordFrom < 0) {
        wordFrom = start
        scripts = 0
      }
      if (c === foreign) scripts |= 2
      else if (c === greekLetter) scripts = scripts & 1 && lowerBefore(values, start, from) ? scripts | 4 : scripts & ~4
      else scripts = (scripts & ~4) | 1
    }
  }
  if (run >= leastRun) counts[seen.runs] = (counts[seen.runs] as number) + 1
  if (wordFrom >= 0 && ((scripts & 3) === 3 || scripts & 8)) counts[seen.mixed] = (counts[seen.mixed] as number) + 1
  if ((counts[seen.spaced] as number) < leastSpaced) counts[seen.spaced] = 0
  counts[seen.roots] = roots.length
}

const lowerBefore = (values: Uint8Array, at: number, from: number): boolean => {
  const b = at > from ? (values[at - 1] as number) : 0
  return b >= 97 && b <= 122
}

function noteRoots(values: Uint8Array, at: number, from: number, to: number, bucket: readonly Root[], into: Screening): void {
  for (const root of bucket) {
    if (!begins(values, at, to, root.word)) continue
    if (root.cipher) into.counts[seen.ciphers] = (into.counts[seen.ciphers] as number) + 1
    else into.roots.push(at - from)
    return
  }
}

const code = (c: string): number => c.charCodeAt(0)
const bracket = code('<')
const square = code('[')
const back = code('\\')
const percent = code('%')
const ampersand = code('&')
const exclamation = code('!')

function noteOpener(values: Uint8Array, i: number, to: number, into: Screening, from: number): void {
  const { counts, roots } = into
  const b = values[i] as number
  const next = i + 1 < to ? (values[i + 1] as number) : 0
  if (b === bracket) {
    if ((next | 0x20) >= 97 || next === exclamation) counts[seen.markup] = (counts[seen.markup] as number) + 1
  } else if (b === square) {
    // [//]: # (a comment), [comment]: <> (a comment)
    if (next === code('/') || (next | 0x20) === code('c')) counts[seen.markup] = (counts[seen.markup] as number) + 1
  } else if (b === exclamation) {
    if (next === square) roots.push(i - from)
  } else if (b === back) {
    // \x41, \u0041, \color{white}, \textcolor{white}, \fontsize{0}
    if (next === code('x') || next === code('u')) counts[seen.escapes] = (counts[seen.escapes] as number) + 1
    else if (next === code('c') || next === code('t') || next === code('f')) counts[seen.markup] = (counts[seen.markup] as number) + 1
  } else if (b === percent) {
    if (next >= 48 && next <= 55) counts[seen.escapes] = (counts[seen.escapes] as number) + 1
  } else if (b === ampersand && next === code('#')) counts[seen.escapes] = (counts[seen.escapes] as number) + 1
}
