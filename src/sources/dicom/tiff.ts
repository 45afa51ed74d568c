import type { Picture } from './picture.ts'

const stripBytes = 1 << 20
const short = 3
const long = 4

/** A picture as an uncompressed TIFF of strips, little endian: nothing of another file comes along, and every decoder reads it. */
export function tiffOf({ data, rows, columns, channels }: Picture): Uint8Array {
  const depth = data.BYTES_PER_ELEMENT
  const rowBytes = columns * channels * depth
  const rowsPerStrip = Math.max(1, Math.min(rows, Math.floor(stripBytes / rowBytes)))
  const strips = Math.ceil(rows / rowsPerStrip)
  const entries = 10
  const header = 8 + 2 + entries * 12 + 4
  const bitsAt = header
  const offsetsAt = bitsAt + 8
  const countsAt = offsetsAt + 4 * strips
  const pixelsAt = countsAt + 4 * strips
  const out = new Uint8Array(pixelsAt + data.byteLength)
  const view = new DataView(out.buffer)
  view.setUint16(0, 0x4949, true)
  view.setUint16(2, 42, true)
  view.setUint32(4, 8, true)
  view.setUint16(8, entries, true)
  let at = 10
  const entry = (tag: number, type: number, count: number, value: number): void => {
    view.setUint16(at, tag, true)
    view.setUint16(at + 2, type, true)
    view.setUint32(at + 4, count, true)
    if (type === short && count === 1) view.setUint16(at + 8, value, true)
    else view.setUint32(at + 8, value, true)
    at += 12
  }
  entry(256, long, 1, columns)
  entry(257, long, 1, rows)
  entry(258, short, channels, channels === 1 ? 8 * depth : bitsAt)
  entry(259, short, 1, 1)
  entry(262, short, 1, channels === 1 ? 1 : 2)
  entry(273, long, strips, strips === 1 ? pixelsAt : offsetsAt)
  entry(277, short, 1, channels)
  entry(278, long, 1, rowsPerStrip)
  entry(279, long, strips, strips === 1 ? data.byteLength : countsAt)
  entry(284, short, 1, 1)
  for (let c = 0; c < channels; c++) view.setUint16(bitsAt + 2 * c, 8 * depth, true)
  for (let s = 0; s < strips; s++) {
    const from = s * rowsPerStrip * rowBytes
    view.setUint32(offsetsAt + 4 * s, pixelsAt + from, true)
    view.setUint32(countsAt + 4 * s, Math.min(rowsPerStrip * rowBytes, data.byteLength - from), true)
  }
  if (data instanceof Uint8Array) out.set(data, pixelsAt)
  else for (let i = 0; i < data.length; i++) view.setUint16(pixelsAt + 2 * i, data[i] as number, true)
  return out
}
