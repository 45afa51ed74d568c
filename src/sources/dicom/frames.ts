import type { Attributes } from './attributes.ts'
import { fragmentsFrom, headerAt, viewOf } from './elements.ts'
import type { DicomFile } from './file.ts'
import { DicomProblem } from './problem.ts'

/** The encoded bytes of frames. */
export interface Frames {
  readonly encapsulated: boolean
  /** @throws DicomProblem */
  at(frame: number): Uint8Array
}

const bitsOfFrame = (a: Attributes): number => {
  const cells = a.rows * a.columns
  if (a.photometric === 'YBR_FULL_422' || a.photometric === 'YBR_PARTIAL_422') return cells * 2 * a.allocated
  return cells * a.samples * a.allocated
}

/** Pixel data of a file that was read up to it. @throws DicomProblem */
export function framesIn({ view, next, dataSet }: DicomFile, a: Attributes): Frames {
  const end = view.byteLength
  const h = headerAt(view, next, end, dataSet.encoding)
  if (!h) throw new DicomProblem('DICOM that ends before its pixels')
  if (h.length !== null) {
    const pixels = new Uint8Array(view.buffer, view.byteOffset + h.start, Math.min(h.length, end - h.start))
    // Bytes in words of the other order.
    const swapped = h.vr === 'OW' && !dataSet.encoding.little && a.allocated <= 8
    return native(swapped ? Buffer.from(pixels.subarray(0, pixels.length & ~1)).swap16() : pixels, a)
  }
  return encapsulated(fragmentsFrom(view, h.start, end), a)
}

/** One frame behind the other; frames of single bits are not padded to bytes. */
function native(pixels: Uint8Array, a: Attributes): Frames {
  const bits = bitsOfFrame(a)
  return {
    encapsulated: false,
    at(frame) {
      const first = frame * bits
      const last = first + bits
      if (Math.ceil(last / 8) > pixels.length) throw new DicomProblem(`pixel data that ends before frame ${frame + 1} does`)
      if (first % 8 === 0) return pixels.subarray(first / 8, Math.ceil(last / 8))
      const out = new Uint8Array(Math.ceil(bits / 8))
      for (let i = 0; i < bits; i++) {
        const at = first + i
        if (((pixels[at >> 3] as number) >> (at & 7)) & 1) out[i >> 3] = (out[i >> 3] as number) | (1 << (i & 7))
      }
      return out
    },
  }
}

const startsCodestream = (b: Uint8Array): boolean => b[0] === 0xff && (b[1] === 0xd8 || b[1] === 0x4f)

/** Which fragments make up a frame: by the offset tables, else one each, else by the marks at which a codestream begins. */
function encapsulated([table, ...fragments]: readonly Uint8Array[], a: Attributes): Frames {
  if (!table || fragments.length === 0) throw new DicomProblem('encapsulated pixel data without fragments')
  const groups = groupsOf(table, fragments, a)
  return {
    encapsulated: true,
    at(frame) {
      const parts = groups[frame]
      if (!parts || parts.length === 0) throw new DicomProblem(`pixel data that ends before frame ${frame + 1} does`)
      return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
    },
  }
}

function groupsOf(table: Uint8Array, fragments: readonly Uint8Array[], a: Attributes): Uint8Array[][] {
  if (a.frames === 1) return [[...fragments]]
  const view = viewOf(table)
  const basic = Array.from({ length: table.length >> 2 }, (_, i) => view.getUint32(4 * i, true))
  const offsets = a.offsets ?? (basic.length > 1 ? basic : null)
  if (!offsets && fragments.length === a.frames) return fragments.map((f) => [f])
  // Offsets count from the first item behind the table; every item has 8 bytes before its value.
  const starts = new Set(offsets ?? [])
  const groups: Uint8Array[][] = []
  let position = 0
  for (const fragment of fragments) {
    if (groups.length === 0 || (offsets ? starts.has(position) : startsCodestream(fragment))) groups.push([])
    groups.at(-1)?.push(fragment)
    position += 8 + fragment.length
  }
  if (!offsets && groups.length !== a.frames)
    throw new DicomProblem(`${a.frames} frames in ${fragments.length} fragments that no table assigns to them`)
  return groups
}
