import { disguisedHits } from './disguised.ts'
import { cipherHits, encodedHits } from './encoded.ts'
import { bidiHits, selectorHits, tagHits, zeroWidthHits } from './invisible.ts'
import { type Hit, hitAt, kindNumber } from './kinds.ts'
import { markupHits } from './markup.ts'
import { phrasesIn } from './phrases.ts'
import { newScreening, screen, seen } from './screen.ts'

export interface Scan {
  /** Bit k: kind k of `kinds.ts` was found. */
  readonly mask: number
  readonly hits: readonly Hit[]
  /** Places that markup hides, with an instruction or without. */
  readonly hidden: number
}

const screening = newScreening()
const decode = (values: Uint8Array, from: number, to: number): string =>
  Buffer.from(values.buffer, values.byteOffset + from, to - from).toString('utf8')
const nothing: Scan = { mask: 0, hits: [], hidden: 0 }

const before = 200
const after = 500
const leastStyled = 4
const leastMarks = 6

/**
 * Scans one text given in UTF-8. A pass over the bytes decides which closer looks it needs; each of them takes time in proportion
 * to the text.
 */
export function scanText(values: Uint8Array, from: number, to: number): Scan {
  screen(values, from, to, screening)
  const { counts, roots } = screening
  const n = (what: number): number => counts[what] as number
  const odd = n(seen.zeroWidth) + n(seen.ignorable) + n(seen.bidi) + n(seen.selectors) + n(seen.tags)
  const letters = n(seen.mixed) > 0 || n(seen.styled) >= leastStyled || n(seen.marks) >= leastMarks
  const whole = odd > 0 || letters || n(seen.markup) + n(seen.runs) + n(seen.escapes) + n(seen.spaced) + n(seen.ciphers) > 0
  if (!whole && roots.length === 0) return nothing
  const hits: Hit[] = []
  let hidden = 0
  if (roots.length > 0) hits.push(...phraseHits(values, from, to, roots))
  if (whole) {
    const text = decode(values, from, to)
    if (n(seen.tags) > 0) hits.push(...tagHits(text))
    if (n(seen.selectors) > 3) hits.push(...selectorHits(text))
    if (n(seen.zeroWidth) > 3) hits.push(...zeroWidthHits(text))
    if (n(seen.bidi) > 0) hits.push(...bidiHits(text))
    if (odd > 0 || letters) hits.push(...disguisedHits(text, n(seen.mixed)))
    if (n(seen.markup) > 0) {
      const markup = markupHits(text)
      hits.push(...markup.hits)
      hidden = markup.hidden
    }
    const runs = n(seen.runs) + n(seen.spaced) > 0
    if (runs || n(seen.escapes) > 3) hits.push(...encodedHits(text, { runs, escapes: n(seen.escapes) > 3 }))
    if (n(seen.ciphers) > 0 || n(seen.spaced) > 0)
      hits.push(...cipherHits(text, { ciphers: n(seen.ciphers) > 0, spaced: n(seen.spaced) > 0 }))
  }
  if (hits.length === 0 && hidden === 0) return nothing
  return { mask: hits.reduce((mask, h) => mask | (1 << kindNumber(h.kind)), 0), hits, hidden }
}

/** Phrases around their root words, in windows that are put together where they overlap. */
function phraseHits(values: Uint8Array, from: number, to: number, roots: readonly number[]): Hit[] {
  const hits: Hit[] = []
  for (let k = 0; k < roots.length; ) {
    const start = (roots[k] as number) + from
    let end = start
    while (k < roots.length && (roots[k] as number) + from - end <= after) end = (roots[k++] as number) + from
    const text = decode(values, boundary(values, Math.max(from, start - before), from), boundary(values, Math.min(to, end + after), from))
    for (const p of phrasesIn(text)) hits.push(hitAt(p.kind, text, p.start, p.end))
  }
  return hits
}

/** The first byte of the character that `at` lies in. */
function boundary(values: Uint8Array, at: number, from: number): number {
  let i = at
  while (i > from && i < values.length && ((values[i] as number) & 0xc0) === 0x80) i--
  return i
}
