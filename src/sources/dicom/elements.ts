import { DicomProblem } from './problem.ts'

/**
 * DICOM data sets (PS3.5, sections 6 and 7) as bytes. Only what is asked for by tag is ever read: names, dates and numbers of patients
 * are skipped by their length. Nothing recurses, so that nesting costs a counter and not the stack.
 */

export interface Encoding {
  readonly explicit: boolean
  readonly little: boolean
}

/** Where the value of an element lies; `length` null: undefined, up to a delimiter. */
interface Header {
  readonly tag: number
  readonly start: number
  readonly length: number | null
  /** Empty where it is implicit. */
  readonly vr: string
}

export interface DataSet {
  readonly encoding: Encoding
  /** Values by tag, in the file's byte order. */
  readonly values: ReadonlyMap<number, Uint8Array>
  /** Sequences that were asked for: a data set an item. */
  readonly sequences: ReadonlyMap<number, readonly DataSet[]>
}

/** What to keep of a data set. Sequences not named are skipped. */
export interface Wanted {
  readonly tags: ReadonlySet<number>
  readonly sequences: ReadonlyMap<number, Wanted>
}

const item = 0xfffee000
const itemEnd = 0xfffee00d
const sequenceEnd = 0xfffee0dd
const undefinedLength = 0xffffffff
const maxDepth = 64
const maxItems = 65_536

const longForms = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])
const capital = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a

export const viewOf = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength)

/** The header at `at`; null where fewer bytes are left than it needs. An element without a VR is read as implicit. */
export function headerAt(view: DataView, at: number, end: number, { explicit, little }: Encoding): Header | null {
  if (at + 8 > end) return null
  const tag = view.getUint16(at, little) * 0x10000 + view.getUint16(at + 2, little)
  const [first, second] = [view.getUint8(at + 4), view.getUint8(at + 5)]
  if (!explicit || tag >= item || !capital(first) || !capital(second)) {
    const length = view.getUint32(at + 4, little)
    return { tag, start: at + 8, length: length === undefinedLength ? null : length, vr: '' }
  }
  const vr = String.fromCharCode(first, second)
  if (!longForms.has(vr)) return { tag, start: at + 8, length: view.getUint16(at + 6, little), vr }
  if (at + 12 > end) return null
  const length = view.getUint32(at + 8, little)
  return { tag, start: at + 12, length: length === undefinedLength ? null : length, vr }
}

/** The position behind a value of undefined length that starts at `at`. */
function endOfUndefined(view: DataView, at: number, end: number, encoding: Encoding): number {
  let depth = 1
  let position = at
  while (depth > 0) {
    const h = headerAt(view, position, end, encoding)
    if (!h) throw new DicomProblem('DICOM that ends within a sequence')
    position = h.start
    if (h.tag === itemEnd || h.tag === sequenceEnd) depth--
    else if (h.length === null) depth++
    else position += h.length
    if (depth > maxDepth) throw new DicomProblem(`DICOM nested deeper than ${maxDepth} levels`)
    if (position > end) throw new DicomProblem('DICOM that ends within a sequence')
  }
  return position
}

/** The items of the sequence that lies between `from` and `to`. */
function itemsOf(view: DataView, from: number, to: number, encoding: Encoding, wanted: Wanted): DataSet[] {
  const items: DataSet[] = []
  let at = from
  for (;;) {
    const h = headerAt(view, at, to, encoding)
    if (!h || h.tag !== item) return items
    if (items.length === maxItems) throw new DicomProblem(`a sequence of more than ${maxItems} items`)
    const end = h.length === null ? endOfUndefined(view, h.start, to, encoding) : Math.min(h.start + h.length, to)
    items.push(readDataSet(view, h.start, end, encoding, wanted).dataSet)
    at = end
  }
}

/**
 * Reads from `from` up to the first element of group `until` or later, or to the end. The depth is that of `wanted`: what is not wanted
 * is skipped. `next` is where it stopped.
 */
export function readDataSet(
  view: DataView,
  from: number,
  to: number,
  encoding: Encoding,
  wanted: Wanted,
  until: (tag: number) => boolean = () => false,
): { readonly dataSet: DataSet; readonly next: number; readonly cut: boolean } {
  const values = new Map<number, Uint8Array>()
  const sequences = new Map<number, readonly DataSet[]>()
  const done = (next: number, cut: boolean) => ({ dataSet: { encoding, values, sequences }, next, cut })
  let at = from
  for (;;) {
    const h = headerAt(view, at, to, encoding)
    if (!h) return done(at, at < to)
    if (h.tag === itemEnd || h.tag === sequenceEnd) return done(at, false)
    if (until(h.tag)) return done(at, false)
    const end = h.length === null ? endOfUndefined(view, h.start, to, encoding) : h.start + h.length
    if (end > to) return done(at, true)
    const inside = wanted.sequences.get(h.tag)
    if (inside && (h.vr === 'SQ' || h.length === null || !encoding.explicit))
      sequences.set(h.tag, itemsOf(view, h.start, end, encoding, inside))
    else if (wanted.tags.has(h.tag) && h.length !== null)
      values.set(h.tag, new Uint8Array(view.buffer, view.byteOffset + h.start, h.length))
    at = end
  }
}

/** Fragments of an encapsulated value that starts at `at`: the offset table comes first (PS3.5, A.4). A last one that is cut short counts. */
export function fragmentsFrom(view: DataView, at: number, end: number): readonly Uint8Array[] {
  const encoding: Encoding = { explicit: true, little: true }
  const fragments: Uint8Array[] = []
  let position = at
  for (;;) {
    const h = headerAt(view, position, end, encoding)
    if (!h || h.tag !== item || h.length === null) return fragments
    if (fragments.length > maxItems) throw new DicomProblem(`pixel data in more than ${maxItems} fragments`)
    const stop = Math.min(h.start + h.length, end)
    fragments.push(new Uint8Array(view.buffer, view.byteOffset + h.start, stop - h.start))
    position = stop
  }
}
