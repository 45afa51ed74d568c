import type { PixelShape } from '../../contracts/statistic.ts'
import { gemm32, matrix32 } from '../../math/gemm32.ts'
import type { PlaneShape } from './planes.ts'

/** So many periods downwards and across a picture, the latter -width / 2 to width / 2. */
export interface Wave {
  readonly down: number
  readonly across: number
}

/** Fewer periods over a picture are shapes and shades. */
const leastPeriods = 3
const leastShare = 0.5

const signed = (frequency: number, n: number): number => (2 * frequency > n ? frequency - n : frequency)

interface Part extends Wave {
  readonly sine: boolean
}
type Size = Pick<PlaneShape, 'height' | 'width'>

/** The waves of a plane, each with its cosine and, where that is not zero everywhere, its sine. */
function* partsOf({ height, width }: Size): Generator<Part> {
  for (let down = 0; 2 * down <= height; down++)
    for (let v = 0; v < width; v++) {
      const across = signed(v, width)
      const own = (f: number, n: number): boolean => f === 0 || 2 * f === n
      // Of a wave and the one that runs the other way, which is the same, one is taken.
      if (own(down, height) && across < 0) continue
      const single = own(down, height) && own(across, width)
      yield { down, across, sine: false }
      if (!single) yield { down, across, sine: true }
    }
}

/** [height x width], of length 1. */
function drawn({ down, across, sine }: Part, { height, width }: Size): Float64Array {
  const out = Float64Array.from({ length: height * width }, (_, i) => {
    const angle = 2 * Math.PI * ((down * Math.floor(i / width)) / height + (across * (i % width)) / width)
    return sine ? Math.sin(angle) : Math.cos(angle)
  })
  const length = Math.sqrt(out.reduce((sum, v) => sum + v * v, 0))
  return out.map((v) => v / length)
}

/** The orthonormal real 2-D Fourier transform of a plane, [wave, pixel]. */
export function waveMatrix(s: PlaneShape): Float32Array {
  const size = s.height * s.width
  const out = new Float32Array(size * size)
  let at = 0
  for (const part of partsOf(s)) out.set(drawn(part, s), size * at++)
  return out
}

interface PlaneWave extends Wave {
  readonly plane: number
}

let last: { readonly key: string; readonly matrix: Float32Array; readonly waves: readonly PlaneWave[] } | null = null

function of(s: PlaneShape) {
  const key = `${s.height} ${s.width} ${s.planes}`
  if (last?.key !== key) {
    const one = [...partsOf(s)]
    last = { key, matrix: waveMatrix(s), waves: Array.from({ length: s.planes }, (_, plane) => one.map((w) => ({ ...w, plane }))).flat() }
  }
  return last
}

/** Planes as waves: [rows, planes, height x width], of which every plane is transformed alone. */
export async function toWaves(planes: Float32Array, rows: number, s: PlaneShape): Promise<Float32Array> {
  const size = s.height * s.width
  return (await gemm32(matrix32(planes, rows * s.planes, size), matrix32(of(s).matrix, size, size), { transB: true })).data
}

/** The wave that has the largest part in a template. */
export function strongestWave(weights: Float32Array, s: PlaneShape): PlaneWave {
  const energy = weights.map((w) => w * w)
  return of(s).waves[energy.indexOf(energy.reduce((a, b) => Math.max(a, b)))] as PlaneWave
}

/** Whether waves are equal or nearest neighbours; a wave is the same as the one that runs the other way. */
const isNear = (a: Wave, b: Wave): boolean =>
  [1, -1].some((way) => Math.abs(a.down - way * b.down) <= 1 && Math.abs(a.across - way * b.across) <= 1)

/**
 * Whether half of the energy of a template in waves, or more, lies in one wave and its nearest neighbours, between which a wave falls
 * whose periods do not fit: a sinusoid, or stripes of one width and phase.
 */
export function isOneWave(weights: Float32Array, s: PlaneShape): boolean {
  const strongest = strongestWave(weights, s)
  if (Math.max(strongest.down, Math.abs(strongest.across)) < leastPeriods) return false
  let [own, all] = [0, 0]
  for (const [i, w] of of(s).waves.entries()) {
    const energy = (weights[i] as number) ** 2
    all += energy
    if (w.plane === strongest.plane && isNear(w, strongest)) own += energy
  }
  return own >= leastShare * all
}

/** The part of a picture [height x width x channels] that a wave and its nearest neighbours have. */
export function partOfWave(picture: ArrayLike<number>, shape: PixelShape, wave: Wave): Float32Array {
  const { height, width, channels } = shape
  const out = new Float32Array(height * width * channels)
  for (const part of partsOf(shape)) {
    if (!isNear(part, wave)) continue
    const values = drawn(part, shape)
    for (let c = 0; c < channels; c++) {
      const along = values.reduce((sum, v, i) => sum + v * (picture[i * channels + c] as number), 0)
      for (const [i, v] of values.entries()) out[i * channels + c] = (out[i * channels + c] as number) + along * v
    }
  }
  return out
}
