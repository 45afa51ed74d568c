/** The numbers of the column `noise`, in their order: what kind of file a picture came from, and logarithms of energies. */
export const noiseParts = ['code', 'high', 'middle', 'quiet', 'chroma'] as const

/** Files whose noise may be compared. `quality` and `sampling` of JPEG only: 0 where unknown. */
export interface NoiseKind {
  readonly codec: 'raw' | 'PNG' | 'TIFF' | 'WebP' | 'JPEG'
  /** 1..100, as the quantisation tables say. */
  readonly quality: number
  readonly sampling: '' | '4:4:4' | '4:2:2' | '4:2:0' | 'other'
  readonly colour: boolean
  /** The power of two at or below the shorter side. */
  readonly side: number
}

const codecs = ['raw', 'PNG', 'TIFF', 'WebP', 'JPEG'] as const
const samplings = ['', '4:4:4', '4:2:2', '4:2:0', 'other'] as const

/** An integer below 2^24, so that a Float32 holds it. */
export const noiseCode = (k: NoiseKind): number =>
  (((codecs.indexOf(k.codec) * 128 + k.quality) * 8 + samplings.indexOf(k.sampling)) * 32 + Math.floor(Math.log2(Math.max(k.side, 1)))) *
    2 +
  Number(k.colour)

export function noiseKind(code: number): NoiseKind {
  const side = Math.floor(code / 2) % 32
  const sampling = Math.floor(code / 64) % 8
  const quality = Math.floor(code / 512) % 128
  return {
    codec: codecs[Math.floor(code / 65_536)] ?? 'raw',
    quality,
    sampling: samplings[sampling] ?? 'other',
    colour: code % 2 === 1,
    side: 2 ** side,
  }
}

/** "JPEG 75, 4:2:0, colour, 256 pixels and more" */
export function noiseKindName(code: number): string {
  const k = noiseKind(code)
  const codec = k.codec === 'JPEG' && k.quality > 0 ? `JPEG ${k.quality}` : k.codec
  return [codec, k.sampling, k.colour ? 'colour' : 'grey', `from ${k.side} pixels`].filter((s) => s !== '').join(', ')
}
