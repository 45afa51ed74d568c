import type { PixelShape } from '../../contracts/statistic.ts'
import { gemm32, matrix32 } from '../../math/gemm32.ts'
import { dctMatrix, type PlaneShape, planeLength, planeShape, toOpponent, toPlanes } from './planes.ts'
import { toWaves } from './waves.ts'
import { addSpread, noSpread, type Whitener, whiten, whitenerOf } from './whitener.ts'

/**
 * `dct`: coefficients in standard deviations; `pix`: their inverse transform, where natural pictures are nearly white and a fixed pattern
 * stays a peak; `raw`: pixels in standard deviations, for aligned pictures on a constant background; `white`: pixels whitened within
 * classes, where faint patterns stand out that pictures do not vary by, and styles of a class as well; `waves`: the Fourier transform of
 * these, where faint stripes are a peak.
 */
export const basisNames = ['dct', 'pix', 'raw', 'white', 'waves'] as const
export type BasisName = (typeof basisNames)[number]

/**
 * Values beyond this are cut, so that few records decide no template; of frequencies they grow as their logarithm instead, because in those
 * that compression leaves in few pictures, all of these would pile up at the limit and be a mode.
 */
export const clips: Readonly<Record<BasisName, number>> = { dct: 8, pix: 4, raw: 8, white: 8, waves: 8 }

/** Least standard deviations, in grey levels: what varies less is no more telling. */
const leastDct = 1
const leastRaw = 4

/** What turns pixels into the bases: plain data, `mean` and `deviation` of length `planeLength`. */
export interface Bases {
  readonly shape: PixelShape
  readonly dct: { readonly mean: Float32Array; readonly deviation: Float32Array }
  readonly raw: { readonly mean: Float32Array; readonly deviation: Float32Array }
  readonly whitener: Whitener
  /** Of the bases that can be searched. */
  readonly names: readonly BasisName[]
}

export type InBases = Readonly<Record<BasisName, Float32Array>>

const blockRows = 1000
/** Classes: what is found in `white` has to differ as two others do, at least. */
const leastWhite = 3

let matrices: { readonly key: string; readonly matrix: Float32Array } | null = null

function matrixOf(s: PlaneShape): Float32Array {
  const key = `${s.height} ${s.width}`
  if (matrices?.key !== key) matrices = { key, matrix: dctMatrix(s) }
  return matrices.matrix
}

/** [rows, planes, coefficients] of rows of planes. */
async function dct(planes: Float32Array, rows: number, s: PlaneShape, inverse = false): Promise<Float32Array> {
  const size = s.height * s.width
  const matrix = matrix32(matrixOf(s), size, size)
  return (await gemm32(matrix32(planes, rows * s.planes, size), matrix, { transB: !inverse })).data
}

/** Means, deviations and covariances over rows of pixels that stand for all the data, a block a class. */
export async function fitBases(
  shape: PixelShape,
  blocks: Iterable<{ readonly pixels: Uint8Array; readonly rows: number }>,
): Promise<Bases> {
  const s = planeShape(shape)
  const length = planeLength(s)
  const sums = { dct: moments(length), raw: moments(length) }
  const parts = [...blocks]
  const spread = noSpread(s)
  for (const { pixels, rows } of parts) {
    const planes = toPlanes(pixels, rows, shape)
    addMoments(sums.raw, planes, length)
    const colours = toOpponent(planes, rows, s)
    addMoments(sums.dct, await dct(colours, rows, s), length)
    await addSpread(spread, colours, rows)
  }
  return {
    shape,
    dct: finishMoments(sums.dct, leastDct),
    raw: finishMoments(sums.raw, leastRaw),
    whitener: await whitenerOf(spread),
    names: parts.length >= leastWhite ? basisNames : basisNames.filter((name) => name !== 'white'),
  }
}

const moments = (length: number) => ({ rows: 0, sum: new Float64Array(length), squares: new Float64Array(length) })

function addMoments(into: ReturnType<typeof moments>, data: Float32Array, length: number): void {
  into.rows += data.length / length
  for (let at = 0; at < data.length; at += length)
    for (let i = 0; i < length; i++) {
      const v = data[at + i] as number
      into.sum[i] = (into.sum[i] as number) + v
      into.squares[i] = (into.squares[i] as number) + v * v
    }
}

function finishMoments(m: ReturnType<typeof moments>, least: number) {
  const n = Math.max(1, m.rows)
  const mean = Float32Array.from(m.sum, (v) => v / n)
  const deviation = Float32Array.from(m.squares, (v, i) => Math.max(least, Math.sqrt(Math.max(0, v / n - ((m.sum[i] as number) / n) ** 2))))
  return { mean, deviation }
}

/** Rows of pixels in the bases asked for, each [rows, planeLength]. */
export async function inBases(b: Bases, pixels: Uint8Array, rows: number, names: readonly BasisName[] = basisNames): Promise<InBases> {
  const s = planeShape(b.shape)
  const length = planeLength(s)
  const each = b.shape.height * b.shape.width * b.shape.channels
  const out = Object.fromEntries(names.map((name) => [name, new Float32Array(rows * length)])) as Record<BasisName, Float32Array>
  for (let from = 0; from < rows; from += blockRows) {
    const count = Math.min(blockRows, rows - from)
    const planes = toPlanes(pixels.subarray(from * each, (from + count) * each), count, b.shape)
    const put = (name: BasisName, data: Float32Array): void => {
      const limit = clips[name]
      const grows = name === 'dct' || name === 'waves'
      const into = out[name].subarray(from * length)
      for (let i = 0; i < data.length; i++) {
        const v = data[i] as number
        const size = Math.abs(v)
        into[i] = size <= limit ? v : Math.sign(v) * limit * (1 + (grows ? Math.log(size / limit) : 0))
      }
    }
    if (names.includes('raw')) put('raw', standardise(planes, b.raw, length))
    const colours = toOpponent(planes, count, s)
    if (names.includes('white') || names.includes('waves')) {
      const white = await whiten(b.whitener, colours, count)
      if (names.includes('white')) put('white', white)
      if (names.includes('waves')) put('waves', await toWaves(white, count, s))
    }
    if (!names.includes('dct') && !names.includes('pix')) continue
    const z = standardise(await dct(colours, count, s), b.dct, length)
    if (names.includes('dct')) put('dct', z)
    if (names.includes('pix')) put('pix', await dct(z, count, s, true))
  }
  return out
}

function standardise(data: Float32Array, { mean, deviation }: Bases['dct'], length: number): Float32Array {
  const out = new Float32Array(data.length)
  for (let at = 0; at < data.length; at += length)
    for (let i = 0; i < length; i++) out[at + i] = ((data[at + i] as number) - (mean[i] as number)) / (deviation[i] as number)
  return out
}

/** Positions in the basis `dct` of the frequencies below `side` on both axes; of the colour planes, below half of it. */
export function lowFrequencies(shape: PixelShape, side: number): Int32Array {
  const s = planeShape(shape)
  const out: number[] = []
  for (let k = 0; k < s.planes; k++) {
    const most = k === 0 ? side : side / 2
    for (let u = 0; u < Math.min(most, s.height); u++)
      for (let v = 0; v < Math.min(most, s.width); v++) out.push((k * s.height + u) * s.width + v)
  }
  return Int32Array.from(out)
}
