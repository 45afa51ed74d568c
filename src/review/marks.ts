import { clip, hexOf, hiddenPieces, visible } from '../report/escape.ts'

/** A piece of a text as it is shown: plain, marked because a finding speaks of it, or a name for what cannot be seen. */
export interface Piece {
  readonly kind: 'text' | 'mark' | 'hidden'
  readonly text: string
}

const maxShown = 20_000
const maxMarks = 500
const shortest = 3

/** Ranges of `text` that equal one of the needles but for case, ascending, apart. Overlaps go to the one that begins first. */
function rangesOf(text: string, needles: readonly string[]): readonly (readonly [number, number])[] {
  const lower = text.toLowerCase()
  // Where lower case has another length, positions would not fit.
  const hay = lower.length === text.length ? lower : text
  const found: (readonly [number, number])[] = []
  for (const needle of new Set(needles.map((n) => (hay === lower ? n.toLowerCase() : n)))) {
    if (needle.length < shortest) continue
    for (let at = hay.indexOf(needle); at >= 0 && found.length < maxMarks; at = hay.indexOf(needle, at + needle.length))
      found.push([at, at + needle.length])
  }
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1])
  const apart: (readonly [number, number])[] = []
  for (const range of found) if (range[0] >= (apart.at(-1)?.[1] ?? 0)) apart.push(range)
  return apart
}

const said = (codes: readonly number[]): string => {
  const [first] = codes as [number, ...number[]]
  const shown = codes.slice(0, 8).map(hexOf).join(' ')
  return codes.every((c) => c === first)
    ? `${hexOf(first)}${codes.length > 1 ? ` \u00d7 ${codes.length}` : ''}`
    : `${shown}${codes.length > 8 ? ` \u2026 ${codes.length} in all` : ''}`
}

/** Keeps new lines, which a reader needs; nothing else that cannot be seen stays as it is. */
const plain = (text: string): string =>
  text
    .split(/\r\n|\r|\n/)
    .map(visible)
    .join('\n')

const pieces = (text: string, kind: 'text' | 'mark'): readonly Piece[] =>
  hiddenPieces(text).map((p) => ('text' in p ? { kind, text: plain(p.text) } : { kind: 'hidden', text: said(p.codes) }))

export interface Marked {
  readonly pieces: readonly Piece[]
  /** UTF-16 units that are not shown. */
  readonly left: number
}

/** A text of a record, ready to be shown: what the needles name is marked, what hides is named, what is too long is cut. */
export function marked(text: string, needles: readonly string[]): Marked {
  const shown = clip(text, maxShown)
  const out: Piece[] = []
  let at = 0
  for (const [from, to] of rangesOf(shown, needles)) {
    out.push(...pieces(shown.slice(at, from), 'text'), ...pieces(shown.slice(from, to), 'mark'))
    at = to
  }
  out.push(...pieces(shown.slice(at), 'text'))
  return { pieces: out, left: Math.max(0, text.length - shown.length) }
}
