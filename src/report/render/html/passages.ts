import { hexOf, hiddenPieces } from '../../escape.ts'
import { plural } from '../../format.ts'
import type { Of } from './chart.ts'
import { html, type Safe } from './tag.ts'

type Passage = Of<'passages'>['items'][number]

/** Characters of a passage that are shown: all of a short one, else so many on both sides of each mark. */
const maxWhole = 320
const around = 120
const maxShown = 900
const maxNamed = 6

interface Part {
  readonly text: string
  readonly kind: 'plain' | 'marked' | 'gap'
}

const isTag = (code: number): boolean => code >= 0xe0020 && code <= 0xe007e

/** A run of characters that nobody sees, said: tag characters spell text, the others are named. */
function hiddenRun(codes: readonly number[]): string {
  if (codes.length > 1 && codes.every(isTag)) {
    const spelled = String.fromCharCode(...codes.slice(0, 200).map((c) => c - 0xe0000))
    return `\u27e8${plural(codes.length, 'tag character')}: ${spelled}${codes.length > 200 ? '\u2026' : ''}\u27e9`
  }
  const [first] = codes
  if (codes.length > 3 && codes.every((c) => c === first)) return `\u27e8${hexOf(first as number)} \u00d7 ${codes.length}\u27e9`
  const rest = codes.length - maxNamed
  return `${codes
    .slice(0, maxNamed)
    .map((c) => `\u27e8${hexOf(c)}\u27e9`)
    .join('')}${rest > 0 ? `\u27e8and ${rest} more\u27e9` : ''}`
}

/** Text with line breaks and hidden characters as signs that can be told from the text itself. */
const shown = (text: string): readonly Safe[] =>
  hiddenPieces(text).map((piece) => {
    if ('codes' in piece) return html`<i class="hidden">${hiddenRun(piece.codes)}</i>`
    const lines = piece.text.split(/\r\n|[\r\n]/)
    return html`${lines.map((line, at) => html`${at > 0 && html`<i class="break" aria-hidden="true">\u21b5</i> `}${line}`)}`
  })

/** The text in parts: marked, plain, and gaps between what surrounds the marks. */
export function partsOf({ text, marks }: Pick<Passage, 'text' | 'marks'>): readonly Part[] {
  const parts: Part[] = []
  const add = (from: number, to: number, kind: Part['kind']): void => {
    if (to > from) parts.push({ text: text.slice(from, to), kind })
  }
  const windows = text.length <= maxWhole ? [[0, text.length] as const] : windowsOf(text, marks)
  let at = 0
  for (const [from, to] of windows) {
    add(at, from, 'gap')
    at = from
    for (const [start, end] of marks) {
      if (end <= at || start >= to) continue
      add(at, start, 'plain')
      add(Math.max(at, start), Math.min(end, to), 'marked')
      at = Math.min(end, to)
    }
    add(at, to, 'plain')
    at = to
  }
  add(at, text.length, 'gap')
  return parts
}

/** Ranges around the marks, joined where they meet, between words where one is near; the beginning where nothing is marked. */
function windowsOf(text: string, marks: Passage['marks']): readonly (readonly [number, number])[] {
  if (marks.length === 0) return [[0, wordEdge(text, maxWhole, -1)]]
  const out: [number, number][] = []
  let used = 0
  for (const [start, end] of marks) {
    const last = out.at(-1)
    const from = wordEdge(text, Math.max(0, start - around), 1, start)
    const to = wordEdge(text, Math.min(text.length, Math.min(end, start + maxShown) + around), -1, Math.min(end, start + maxShown))
    const joins = last && from <= last[1]
    used += to - (joins ? last[1] : from)
    if (out.length > 0 && used > maxShown) break
    if (joins) last[1] = Math.max(last[1], to)
    else out.push([from, to])
  }
  return out
}

/** The nearest break between words within 20 characters of `at`, inwards, not beyond `stop`; never half a character. */
function wordEdge(text: string, at: number, step: 1 | -1, stop = step > 0 ? text.length : 0): number {
  if (at <= 0 || at >= text.length) return at
  for (let i = 0; i < 20; i++) {
    const here = at + i * step
    if ((here - stop) * step > 0) break
    if (/\s/.test(text[here] ?? '')) return step > 0 ? here + 1 : here
  }
  return /[\udc00-\udfff]/.test(text[at] as string) ? at + (step > 0 && at < stop ? 1 : -1) : at
}

const passage = (p: Passage): Safe => html`<li><div class="of"><bdi>${p.where}</bdi>${
  p.label !== null && html`<span>label <bdi>${p.label}</bdi></span>`
}</div>
<blockquote><bdi>${partsOf(p).map((part) =>
  part.kind === 'gap'
    ? html`<i class="gap">\u2026</i>`
    : part.kind === 'marked'
      ? html`<mark>${shown(part.text)}</mark>`
      : html`${shown(part.text)}`,
)}</bdi></blockquote></li>
`

/** Text of records with the part that matters marked, and what nobody sees made visible. */
export const passages = (e: Of<'passages'>): Safe =>
  html`<figure class="wide"><figcaption>${e.title}</figcaption><ol class="passages">
${e.items.map(passage)}</ol></figure>`
