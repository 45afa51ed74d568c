import type { Attributes, Lut, Shading, Window } from './attributes.ts'
import { DicomProblem } from './problem.ts'
import type { Samples } from './samples.ts'

/** rows x columns x channels, row-major, 0..255 or 0..65535 by its type. */
export interface Picture {
  readonly data: Uint8Array | Uint16Array
  readonly rows: number
  readonly columns: number
  readonly channels: 1 | 3
}

const full = 65_535

/**
 * Stored values as they are meant to be seen (PS3.3, C.7.6.3, C.11; PS3.4, N.2): modality values, then the first window or value-of-interest table
 * of the file, then black on white turned around. Without window or table: 8 bits and less by their range, more from the smallest to
 * the largest value of the frame. @throws DicomProblem
 */
export function pictureFrom({ data, photometric }: Samples, a: Attributes, frame: number): Picture {
  const { rows, columns } = a
  if (photometric === 'MONOCHROME1' || photometric === 'MONOCHROME2') {
    if (a.samples !== 1) throw new DicomProblem(`${photometric} of ${a.samples} channels`)
    return { data: shades(data, a, a.shading(frame), photometric === 'MONOCHROME1'), rows, columns, channels: 1 }
  }
  if (photometric === 'PALETTE COLOR') return { data: coloured(data, a), rows, columns, channels: 3 }
  if (a.samples !== 3) throw new DicomProblem(`photometric interpretation ${known(photometric)} of ${a.samples} channels`)
  if (photometric === 'RGB') return { data: scaled(data, a.stored), rows, columns, channels: 3 }
  if (photometric === 'YBR_FULL' || photometric === 'YBR_FULL_422')
    return { data: fromYbr(scaled(data, a.stored)), rows, columns, channels: 3 }
  throw new DicomProblem(`photometric interpretation ${known(photometric)}`)
}

/** It is text of the file's: only defined terms are repeated. */
const known = (term: string): string =>
  /^(YBR_[A-Z0-9_]{1,12}|HSV|ARGB|CMYK|RGB|XYB)$/.test(term) ? term : term === '' ? 'none' : 'of no known name'

function shades(data: Samples['data'], a: Attributes, s: Shading, inverted: boolean): Uint8Array | Uint16Array {
  const plain = s.modality === null && s.window === null && s.voi === null
  if (plain && a.stored <= 8) {
    const [low, range] = a.signed ? [-(2 ** (a.stored - 1)), 2 ** a.stored - 1] : [0, 2 ** a.stored - 1]
    return Uint8Array.from(data, (v: number) => {
      const shade = ((v - low) * 255) / range
      return Math.round(inverted ? 255 - shade : shade)
    })
  }
  const modality = s.modality ? (v: number) => look(s.modality as Lut, v) : (v: number) => v * s.slope + s.intercept
  const shade = s.voi && !s.window ? byTable(s.voi) : s.window ? byWindow(s.window) : byRange(data, a, modality)
  const out = new Uint16Array(data.length)
  for (let i = 0; i < out.length; i++) {
    const v = shade(modality(data[i] as number))
    out[i] = Math.round(full * (inverted ? 1 - v : v))
  }
  return out
}

const clamp = (v: number): number => Math.min(Math.max(v, 0), 1)

const look = ({ first, entries }: Lut, v: number): number =>
  entries[Math.min(Math.max(Math.round(v) - first, 0), entries.length - 1)] as number

const byTable = (lut: Lut) => {
  const range = 2 ** lut.bits - 1
  return (v: number): number => clamp(look(lut, v) / range)
}

const byWindow = ({ centre, width, shape }: Window): ((v: number) => number) => {
  if (shape === 'sigmoid') return (v) => 1 / (1 + Math.exp((-4 * (v - centre)) / width))
  if (shape === 'exact') return (v) => clamp((v - centre) / width + 0.5)
  if (width === 1) return (v) => (v <= centre - 0.5 ? 0 : 1)
  return (v) => clamp((v - (centre - 0.5)) / (width - 1) + 0.5)
}

function byRange(data: Samples['data'], { padding }: Attributes, modality: (v: number) => number): (v: number) => number {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = 0; i < data.length; i++) {
    const stored = data[i] as number
    if (padding && stored >= padding[0] && stored <= padding[1]) continue
    const v = modality(stored)
    if (v < low) low = v
    if (v > high) high = v
  }
  const range = high - low
  return range > 0 ? (v) => clamp((v - low) / range) : () => 0
}

/** Colours of more than 8 bits become 16. */
function scaled(data: Samples['data'], stored: number): Uint8Array | Uint16Array {
  if (stored === 8) return data instanceof Uint8Array ? data : Uint8Array.from(data)
  const range = 2 ** stored - 1
  const [out, most] = stored < 8 ? [new Uint8Array(data.length), 255] : [new Uint16Array(data.length), full]
  for (let i = 0; i < out.length; i++) out[i] = Math.round(((data[i] as number) * most) / range)
  return out
}

/** BT.601, full range (PS3.3, C.7.6.3.1.2). */
function fromYbr(data: Uint8Array | Uint16Array): Uint8Array | Uint16Array {
  const most = data instanceof Uint8Array ? 255 : full
  const middle = (most + 1) / 2
  const out = data instanceof Uint8Array ? new Uint8ClampedArray(data.length) : new Uint16Array(data.length)
  const put = (i: number, v: number): void => {
    out[i] = Math.min(Math.max(Math.round(v), 0), most)
  }
  for (let i = 0; i < data.length; i += 3) {
    const y = data[i] as number
    const cb = (data[i + 1] as number) - middle
    const cr = (data[i + 2] as number) - middle
    put(i, y + 1.402 * cr)
    put(i + 1, y - (0.114 * 1.772 * cb + 0.299 * 1.402 * cr) / 0.587)
    put(i + 2, y + 1.772 * cb)
  }
  return out instanceof Uint8ClampedArray ? new Uint8Array(out.buffer) : out
}

/** 8 bits a channel; tables of 16 bits that only use the lower byte are taken at their word. */
function coloured(data: Samples['data'], a: Attributes): Uint8Array {
  if (!a.palette) throw new DicomProblem(a.segmentedPalette ? 'a segmented palette' : 'PALETTE COLOR without its palette')
  const wide = a.palette.some((l) => Array.prototype.some.call(l.entries, (v: number) => v > 255))
  const out = new Uint8Array(data.length * 3)
  for (const [c, lut] of a.palette.entries())
    for (let i = 0; i < data.length; i++) {
      const v = look(lut, data[i] as number)
      out[3 * i + c] = wide ? v >> 8 : v
    }
  return out
}
