import { isUtf8 } from 'node:buffer'
import { type Hit, hitAt } from './kinds.ts'
import { instructs, phrasesIn } from './phrases.ts'

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** Character references of HTML, decoded. */
export const plainEntities = (text: string): string =>
  text.includes('&')
    ? text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(amp|lt|gt|quot|apos|nbsp));?/gi, (whole, d?: string, x?: string, n?: string) => {
        if (n) return named[n.toLowerCase()] ?? whole
        const cp = d ? Number(d) : Number.parseInt(x ?? '', 16)
        return cp > 0 && cp <= 0x10ffff ? String.fromCodePoint(cp) : whole
      })
    : text

const longest = 65_536
const deepest = 2

/** Bytes in UTF-8, without a byte order mark; null where they are not. Asked of every long word: it must not throw. */
const asUtf8 = (bytes: Buffer): string | null => (isUtf8(bytes) ? bytes.toString('utf8').replace(/^\ufeff/, '') : null)

const isControl = (code: number): boolean => code < 32 && code !== 9 && code !== 10 && code !== 13

/** Bytes as text; null where they are none. */
function asText(bytes: Buffer): string | null {
  if (bytes.length < 8) return null
  let zeros = 0
  for (let i = 1; i < bytes.length; i += 2) if (bytes[i] === 0) zeros++
  const wide = bytes.length % 2 === 0 && zeros > 0.4 * bytes.length
  const text = wide ? bytes.toString('utf16le') : asUtf8(bytes)
  if (text === null) return null
  let odd = 0
  for (let i = 0; i < text.length; i++) if (isControl(text.charCodeAt(i))) odd++
  return odd <= 0.02 * text.length ? text : null
}

type Decoder = (encoded: string) => string | null

const fromBase64: Decoder = (encoded) => {
  const joined = encoded.replace(/\s+/g, '')
  // A cut or an odd start costs at most three characters at the end.
  return asText(Buffer.from(joined.slice(0, joined.length - (joined.replace(/=+$/, '').length % 4 === 1 ? 1 : 0)), 'base64'))
}
const fromHex: Decoder = (encoded) => {
  const joined = encoded.replace(/\\x|0x|[\s,:]/gi, '')
  return asText(Buffer.from(joined.slice(0, joined.length & ~1), 'hex'))
}
const fromEscapes: Decoder = (encoded) => {
  const text = plainEntities(encoded)
    .replace(/\\u\{?([0-9a-f]{4,6})\}?/gi, (whole, x: string) => {
      const cp = Number.parseInt(x, 16)
      return cp <= 0x10ffff ? String.fromCodePoint(cp) : whole
    })
    .replace(/\\x([0-9a-f]{2})/gi, (_, x: string) => String.fromCharCode(Number.parseInt(x, 16)))
    .replace(/((?:%[0-9a-f]{2}){1,4000})/gi, (run: string) => asUtf8(Buffer.from(run.replaceAll('%', ''), 'hex')) ?? run)
  return text === encoded ? null : text
}
const classOf = (pattern: RegExp): Uint8Array =>
  Uint8Array.from({ length: 128 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0))
const base64Class = classOf(/[A-Za-z0-9+/_-]/)
const hexClass = classOf(/[0-9a-fA-Fx :,]/)
const leastBase64 = 24
const leastHex = 32

/** Runs of at least `least` characters of a class, as long as they go on: looks at every `least`-th character as long as there are none. */
function* runsOf(text: string, of: Uint8Array, least: number): Generator<readonly [number, number]> {
  const isIn = (i: number): boolean => of[text.charCodeAt(i)] === 1
  for (let from = 0; from + least <= text.length; ) {
    let start = from + least - 1
    while (start >= from && isIn(start)) start--
    if (start >= from) {
      from = start + 1
      continue
    }
    let end = from + least
    while (end < text.length && isIn(end)) end++
    yield [from, end]
    from = end + 1
  }
}

// Lines of a mail's or a certificate's base64 belong together. No repetition nests in another over the same characters.
const base64 = /[A-Za-z0-9+/_-]{24,}={0,2}(?:\r?\n[A-Za-z0-9+/_-]{8,}={0,2})*/y
const hex = /(?<![0-9a-zA-Z])(?:(?:0x)?[0-9a-fA-F]{2}[ :,]{0,2}){16,}/g
const escaped = /(?:(?:%[0-7][0-9a-f]|\\x[0-7][0-9a-f]|\\u\{?00[0-7][0-9a-f]\}?|&#(?:\d{2,3}|x[0-7][0-9a-f]);?)[a-z ,]{0,12}){4,}/gi

const mostRuns = 2000

interface Passage {
  readonly start: number
  readonly encoded: string
  readonly decode: Decoder
}

function* base64In(text: string): Generator<Passage> {
  let after = 0
  for (const [start] of runsOf(text, base64Class, leastBase64)) {
    if (start < after) continue
    base64.lastIndex = start
    const encoded = (base64.exec(text) as RegExpExecArray)[0]
    after = start + encoded.length
    yield { start, encoded, decode: fromBase64 }
  }
}

function* hexIn(text: string): Generator<Passage> {
  for (const [from, to] of runsOf(text, hexClass, leastHex)) {
    // With the character before, which may be a letter that it is a part of.
    const first = Math.max(0, from - 1)
    for (const m of text.slice(first, to).matchAll(hex)) yield { start: first + m.index, encoded: m[0], decode: fromHex }
  }
}

function* escapesIn(text: string): Generator<Passage> {
  for (const m of text.matchAll(escaped)) yield { start: m.index, encoded: m[0], decode: fromEscapes }
}

/** Encoded passages whose content addresses a model. An encoding within an encoding is followed once. */
export function encodedHits(text: string, what: { readonly runs: boolean; readonly escapes: boolean }, depth = 0): Hit[] {
  // A mail says how its body is encoded: that conceals nothing.
  const concealment = /content-transfer-encoding/i.test(text) ? 'ordinary' : 'deliberate'
  for (const passages of [...(what.runs ? [base64In, hexIn] : []), ...(what.escapes ? [escapesIn] : [])]) {
    let looked = 0
    for (const { start, encoded, decode } of passages(text)) {
      if (looked++ === mostRuns) break
      const decoded = decode(encoded.slice(0, longest))
      if (!decoded || decoded === encoded) continue
      const inner = depth + 1 < deepest ? encodedHits(decoded, { runs: true, escapes: true }, depth + 1)[0] : undefined
      if (instructs(decoded, concealment)) return [hitAt('encoded instruction', text, start, start + encoded.length, decoded)]
      if (inner) return [hitAt('encoded instruction', text, start, start + encoded.length, inner.decoded)]
    }
  }
  return []
}

const rot13 = (text: string): string =>
  text.replace(/[a-z]/gi, (c) => String.fromCharCode((((c.charCodeAt(0) & 31) + 12) % 26) + (c <= 'Z' ? 65 : 97)))
const digits: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' }

/** Instructions in rot13, reversed, with digits for letters, or with a gap after each letter. */
export function cipherHits(text: string, what: { readonly ciphers: boolean; readonly spaced: boolean }): Hit[] {
  const tries: (() => Hit | undefined)[] = []
  if (what.ciphers) {
    tries.push(
      () => first(text, rot13(text), (at) => at),
      () => first(text, [...text].length === text.length ? text.split('').reverse().join('') : '', (at) => text.length - at, true),
      () =>
        first(
          text,
          text.replace(/[013457@$!]/g, (c) => digits[c] as string),
          (at) => at,
        ),
    )
  }
  if (what.spaced) tries.push(() => spacedOut(text))
  for (const attempt of tries) {
    const hit = attempt()
    if (hit) return [hit]
  }
  return []
}

function first(text: string, changed: string, place: (at: number) => number, backwards = false): Hit | undefined {
  const found = phrasesIn(changed).find((p) => p.kind !== 'role marker')
  if (!found) {
    if (!changed || text.length > longest || !instructs(changed, 'deliberate') || instructs(text, 'deliberate')) return undefined
    return hitAt('encoded instruction', text, 0, text.length, changed)
  }
  const [a, b] = [place(found.start), place(found.end)]
  const [start, end] = backwards ? [b, a] : [a, b]
  const decoded = changed.slice(found.start, found.end)
  // The same words may also stand there undisguised.
  if (text.slice(start, end).toLowerCase() === decoded.toLowerCase()) return undefined
  return hitAt('encoded instruction', text, start, end, decoded)
}

const gap = /[ .\-_*|\u00b7]{1,4}/g

/** "i g n o r e   a l l", "i-g-n-o-r-e a-l-l": the gap that is most frequent parts letters, any other parts words. */
function spacedOut(text: string): Hit | undefined {
  for (const m of text.matchAll(/(?<![A-Za-z0-9])(?:[A-Za-z][ .\-_*|\u00b7]{1,4}){8,}[A-Za-z](?![A-Za-z0-9])/g)) {
    const run = m[0].slice(0, 4000)
    const counts = new Map<string, number>()
    for (const [g] of run.matchAll(gap)) counts.set(g, (counts.get(g) ?? 0) + 1)
    const usual = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
    const words = run.replace(gap, (g) => (g === usual ? '' : ' '))
    const whole = run.replace(gap, '')
    const joined =
      /(?:ignore|disregard|forget|override|bypass)(?:all|any|the|your|these|those|my){0,3}(?:previous|prior|above|earlier|system|preceding)?(?:the)?(?:instructions?|prompts?|rules|guidelines|directives)/i.test(
        whole,
      )
    if (joined || instructs(words, 'deliberate')) return hitAt('encoded instruction', text, m.index, m.index + m[0].length, words)
  }
  return undefined
}
