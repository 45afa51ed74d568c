import { type NoiseKind, noiseCode } from '../contracts/noise.ts'

/** The luma table of Annex K of ITU-T T.81 adds up to this at quality 50. */
const standard = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22,
  37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]

const sums = Array.from({ length: 101 }, (_, q) => {
  const scale = q < 50 ? 5000 / Math.max(q, 1) : 200 - 2 * q
  return standard.reduce((sum, v) => sum + Math.min(Math.max(Math.floor((v * scale + 50) / 100), 1), 255), 0)
})

/** The quality, as libjpeg counts it, whose luma table has the nearest sum. */
function qualityOf(sum: number): number {
  let best = 1
  for (let q = 1; q <= 100; q++) if (Math.abs((sums[q] as number) - sum) < Math.abs((sums[best] as number) - sum)) best = q
  return best
}

const samplingOf = (factors: number): NoiseKind['sampling'] =>
  factors === 0x11 ? '4:4:4' : factors === 0x21 ? '4:2:2' : factors === 0x22 ? '4:2:0' : 'other'

/** Quantisation and sampling as the header of a JPEG gives them. */
function jpegKind(b: Uint8Array): Pick<NoiseKind, 'quality' | 'sampling'> {
  let at = 2
  let quality = 0
  while (at + 4 <= b.length && b[at] === 0xff) {
    const marker = b[at + 1] as number
    const length = ((b[at + 2] as number) << 8) | (b[at + 3] as number)
    if (marker === 0xdb && (b[at + 4] as number) % 16 === 0 && quality === 0) {
      const wide = (b[at + 4] as number) >> 4 !== 0
      let sum = 0
      for (let i = 0; i < 64; i++)
        sum += wide ? ((b[at + 5 + 2 * i] as number) << 8) | (b[at + 6 + 2 * i] as number) : (b[at + 5 + i] as number)
      if (Number.isFinite(sum)) quality = qualityOf(sum)
    }
    if (marker >= 0xc0 && marker <= 0xc2) return { quality, sampling: (b[at + 9] as number) < 3 ? '' : samplingOf(b[at + 11] as number) }
    if (marker === 0xda || length < 2) break
    at += 2 + length
  }
  return { quality, sampling: '' }
}

/** The code of an encoded picture, or of raw pixels where `bytes` is null. */
export function codecCode(bytes: Uint8Array | null, side: number, colour: boolean): number {
  const base = { quality: 0, sampling: '', colour, side } as const
  if (!bytes) return noiseCode({ ...base, codec: 'raw' })
  if (bytes[0] === 0xff) return noiseCode({ ...base, codec: 'JPEG', ...jpegKind(bytes) })
  return noiseCode({ ...base, codec: bytes[0] === 0x89 ? 'PNG' : bytes[0] === 0x52 ? 'WebP' : 'TIFF' })
}
