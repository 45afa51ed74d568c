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

const strict = new TextDecoder('utf-8', { fatal: true })
const longest = 65_536
const deepest = 2

/** Bytes as text; null where they are none. */
function asText(bytes: Uint8Array): string | null {
  if (bytes.length < 8) return null
  const wide = bytes.length % 2 === 0 && bytes.filter((b, i) => i % 2 === 1 && b === 0).length > 0.4 * bytes.length
  try {
    const text = wide ? Buffer.from(bytes).toString('utf16le') : strict.decode(bytes)
    let odd = 0
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 32 && !/[\t\n\r]/.test(text[i] as string)) odd++
    return odd <= 0.02 * text.length ? text : null
  } catch {
    return null
  }
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
    .replace(/((?:%[0-9a-f]{2}){1,4000})/gi, (run: string) => asTextShort(Buffer.from(run.replaceAll('%', ''), 'hex')) ?? run)
  return text === encoded ? null : text
}
const asTextShort = (bytes: Uint8Array): string | null => {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

// Lines of a mail's or a certificate's base64 belong together. No repetition nests in another over the same characters.
const runs: readonly (readonly [RegExp, Decoder])[] = [
  [/(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}={0,2}(?:\r?\n[A-Za-z0-9+/_-]{8,}={0,2})*/g, fromBase64],
  [/(?<![0-9a-zA-Z])(?:(?:0x)?[0-9a-fA-F]{2}[ :,]{0,2}){16,}/g, fromHex],
]
const escaped = /(?:(?:%[0-7][0-9a-f]|\\x[0-7][0-9a-f]|\\u\{?00[0-7][0-9a-f]\}?|&#(?:\d{2,3}|x[0-7][0-9a-f]);?)[a-z ,]{0,12}){4,}/gi

const mostRuns = 2000

/** Encoded passages whose content addresses a model. An encoding within an encoding is followed once. */
export function encodedHits(text: string, what: { readonly runs: boolean; readonly escapes: boolean }, depth = 0): Hit[] {
  // A mail says how its body is encoded: that conceals nothing.
  const concealment = /content-transfer-encoding/i.test(text) ? 'ordinary' : 'deliberate'
  const searches = [...(what.runs ? runs : []), ...(what.escapes ? ([[escaped, fromEscapes]] as const) : [])]
  for (const [pattern, decoder] of searches) {
    const search = new RegExp(pattern.source, pattern.flags)
    for (let k = 0, m = search.exec(text); m && k < mostRuns; k++, m = search.exec(text)) {
      const decoded = decoder(m[0].slice(0, longest))
      if (!decoded || decoded === m[0]) continue
      const inner = depth + 1 < deepest ? encodedHits(decoded, { runs: true, escapes: true }, depth + 1)[0] : undefined
      if (instructs(decoded, concealment)) return [hitAt('encoded instruction', text, m.index, m.index + m[0].length, decoded)]
      if (inner) return [hitAt('encoded instruction', text, m.index, m.index + m[0].length, inner.decoded)]
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
