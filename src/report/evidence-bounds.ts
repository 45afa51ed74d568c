import type { Evidence, Passage } from '../contracts/finding.ts'
import { clip } from './escape.ts'
import { formatCount } from './format.ts'
import type { ReportFinding } from './schema.ts'
import { maxPngLength } from './schema-parts.ts'

type Of<K extends Evidence['kind']> = Extract<Evidence, { kind: K }>
type Reported<K extends Evidence['kind']> = Extract<ReportFinding['evidence'][number], { kind: K }>

/** Bounds of what a report keeps of evidence: content of data is hostile, and a report must open. */
export const limits = {
  name: 300,
  message: 2_000,
  excerpt: 2_000,
  matrix: 40,
  items: 200,
  records: 200,
  bins: 500,
  pictures: 24,
  /** Characters of the data URIs of one piece of evidence, and of a whole report. */
  pictureLength: 800_000,
  allPictures: 3_000_000,
  series: 8,
  points: 2_000,
  passages: 20,
  marks: 100,
} as const

export const name = (text: string): string => clip(text, limits.name)

export const isPng = (uri: string): boolean => uri.length <= maxPngLength && /^data:image\/png;base64,[A-Za-z0-9+/]+={0,2}$/.test(uri)

/** The first pictures that fit; the title says of how many. */
function fitting<P extends { readonly items: readonly { readonly png: string }[]; readonly title: string }>(e: P, room: number): P {
  let used = 0
  let count = 0
  for (const { png } of e.items) {
    used += png.length
    if (used > room) break
    count++
  }
  return count === e.items.length
    ? e
    : { ...e, title: `${e.title} (the first ${count} of ${formatCount(e.items.length)})`, items: e.items.slice(0, count) }
}

const side = (n: number): number => Math.max(1, Math.min(65_535, Math.round(n) || 1))

/** Within the picture, or none. */
function outlineOf(outline: readonly number[] | null, width: number, height: number): [number, number, number, number] | null {
  if (!outline?.every(Number.isFinite)) return null
  const [left, top, across, down] = outline.map(Math.round) as [number, number, number, number]
  const [x, y] = [Math.max(0, left), Math.max(0, top)]
  const [w, h] = [Math.min(width, left + across) - x, Math.min(height, top + down) - y]
  return w > 0 && h > 0 ? [x, y, w, h] : null
}

export function boundPictures(evidence: Of<'pictures'>): Reported<'pictures'> {
  const items = evidence.items
    .filter((item) => isPng(item.png))
    .map(({ caption, png, width, height, outline }) => {
      const [w, h] = [side(width), side(height)]
      return { caption: name(caption), png, width: w, height: h, outline: outlineOf(outline, w, h) }
    })
  const all = { kind: 'pictures' as const, title: name(evidence.title), ofRecords: evidence.ofRecords, items }
  const bounded = fitting(all, limits.pictureLength)
  return bounded.items.length <= limits.pictures
    ? bounded
    : {
        ...bounded,
        title: `${all.title} (the first ${limits.pictures} of ${formatCount(items.length)})`,
        items: bounded.items.slice(0, limits.pictures),
      }
}

/** Leaves out pictures once the report holds as many as it may; the gravest findings come first. */
export function boundAllPictures(findings: readonly Pick<ReportFinding, 'evidence'>[]): void {
  let room: number = limits.allPictures
  for (const finding of findings) {
    finding.evidence = finding.evidence.map((e) => {
      if (e.kind !== 'pictures') return e
      const kept = fitting(e, room)
      room -= kept.items.reduce((sum, { png }) => sum + png.length, 0)
      return kept
    })
  }
}

const isLow = (text: string, at: number): boolean => /[\udc00-\udfff]/.test(text[at] ?? '') && /[\ud800-\udbff]/.test(text[at - 1] ?? '')

/** Ascending, apart, inside the text, around whole characters. */
function cleanMarks(text: string, marks: Passage['marks']): readonly (readonly [number, number])[] {
  const out: [number, number][] = []
  const whole = marks
    .filter((m) => m.every(Number.isInteger))
    .map(([from, to]) => [Math.max(0, from), Math.min(text.length, to)] as const)
    .filter(([from, to]) => from < to)
    .map(([from, to]) => [isLow(text, from) ? from - 1 : from, isLow(text, to) ? to + 1 : to] as const)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
  for (const [from, to] of whole) {
    const last = out.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else out.push([from, to])
  }
  return out
}

/** A long text is cut around its first mark, which keeps a quarter of the room before it; an ellipsis stands where something is missing. */
export function boundPassage({ where, label, text, marks }: Passage): Reported<'passages'>['items'][number] {
  const clean = cleanMarks(text, marks)
  const base = { where: name(where), label: label === null ? null : name(label) }
  const max = limits.excerpt
  const kept = (from: number, to: number, shift: number): [number, number][] =>
    clean
      .flatMap(([a, b]): [number, number][] =>
        Math.max(a, from) < Math.min(b, to) ? [[Math.max(a, from) - from + shift, Math.min(b, to) - from + shift]] : [],
      )
      .slice(0, limits.marks)
  if (text.length <= max) return { ...base, text, marks: kept(0, text.length, 0) }
  const first = clean[0] ?? [0, 0]
  let from = first[1] <= max - 1 ? 0 : Math.min(first[0] - Math.floor(max / 4), text.length - max + 1)
  if (isLow(text, from)) from++
  const before = from > 0 ? 1 : 0
  const after = from + max - before < text.length ? 1 : 0
  let to = Math.min(text.length, from + max - before - after)
  if (isLow(text, to)) to--
  return {
    ...base,
    text: `${before ? '\u2026' : ''}${text.slice(from, to)}${after ? '\u2026' : ''}`,
    marks: kept(from, to, before),
  }
}
