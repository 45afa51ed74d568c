/** What a compressed frame says of itself, before any decoder sees it. Null: no header was found. */
export interface CodestreamSize {
  readonly rows: number
  readonly columns: number
  readonly components: number
  readonly bits: number
}

const be16 = (b: Uint8Array, at: number): number => ((b[at] as number) << 8) | (b[at + 1] as number)
const be32 = (b: Uint8Array, at: number): number => be16(b, at) * 65_536 + be16(b, at + 2)

/** The frame header of JPEG (ITU-T T.81, B.2.2) and of JPEG-LS (T.87). */
export function jpegSize(b: Uint8Array): CodestreamSize | null {
  let at = 2
  if (b[0] !== 0xff || b[1] !== 0xd8) return null
  while (at + 10 <= b.length) {
    if (b[at] !== 0xff) return null
    const marker = b[at + 1] as number
    if (marker === 0xff) {
      at++
      continue
    }
    const frame = (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) || marker === 0xf7
    if (frame) return { bits: b[at + 4] as number, rows: be16(b, at + 5), columns: be16(b, at + 7), components: b[at + 9] as number }
    if (marker === 0xda || marker === 0xd9) return null
    at += 2 + (marker >= 0xd0 && marker <= 0xd8 ? 0 : be16(b, at + 2))
  }
  return null
}

const boxes = 4096

/** The SIZ segment of JPEG 2000 (T.800, A.5.1), behind the boxes of a JP2 file where there are some. */
export function jpeg2000Size(b: Uint8Array): CodestreamSize | null {
  const last = Math.min(b.length - 48, boxes)
  for (let at = 0; at <= last; at++) {
    if (b[at] !== 0xff || b[at + 1] !== 0x4f || b[at + 2] !== 0xff || b[at + 3] !== 0x51) continue
    const siz = at + 4
    return {
      columns: be32(b, siz + 4) - be32(b, siz + 12),
      rows: be32(b, siz + 8) - be32(b, siz + 16),
      components: be16(b, siz + 36),
      bits: ((b[siz + 38] as number) & 127) + 1,
    }
  }
  return null
}
