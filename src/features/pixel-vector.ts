/** Plain data, part of the plan. */
export interface PixelParameters {
  /** Size of the grey picture. */
  readonly height: number
  readonly width: number
  /** Side of the two colour pictures; 0: none. */
  readonly chroma: number
}

export interface Pixels {
  /** height x width x channels, row-major, 0..`max`. */
  readonly data: Uint8Array | Uint16Array
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly max: number
}

export const pixelDims = (p: PixelParameters): number => p.height * p.width + 2 * p.chroma ** 2

interface Axis {
  /** Per target cell: its first source cell and the weights of that and the following ones, which sum to 1. */
  readonly first: Int32Array
  readonly weights: readonly Float64Array[]
}

/** Each target cell is the mean of what it covers of the source (area resampling). */
function axis(from: number, to: number): Axis {
  const first = new Int32Array(to)
  const weights: Float64Array[] = []
  for (let t = 0; t < to; t++) {
    const low = (t * from) / to
    const high = ((t + 1) * from) / to
    const start = Math.floor(low)
    const end = Math.min(Math.ceil(high), from)
    first[t] = start
    weights.push(
      Float64Array.from({ length: end - start }, (_, i) => (Math.min(high, start + i + 1) - Math.max(low, start + i)) / (high - low)),
    )
  }
  return { first, weights }
}

const maxAxes = 256
const axes = new Map<number, Axis>()

function axisOf(from: number, to: number): Axis {
  const key = from * 4096 + to
  let found = axes.get(key)
  if (!found) {
    if (axes.size >= maxAxes) axes.clear()
    found = axis(from, to)
    axes.set(key, found)
  }
  return found
}

/** `plane` is height x width; `into` gets rows x columns values times `scale`, plus `shift`. */
function resample(
  plane: Float64Array,
  height: number,
  width: number,
  into: Float32Array,
  rows: number,
  columns: number,
  scale: number,
  shift: number,
): void {
  const across = axisOf(width, columns)
  const down = axisOf(height, rows)
  const narrow = new Float64Array(height * columns)
  for (let y = 0; y < height; y++) {
    for (let c = 0; c < columns; c++) {
      const weights = across.weights[c] as Float64Array
      const start = y * width + (across.first[c] as number)
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += (weights[i] as number) * (plane[start + i] as number)
      narrow[y * columns + c] = sum
    }
  }
  for (let r = 0; r < rows; r++) {
    const weights = down.weights[r] as Float64Array
    const start = down.first[r] as number
    for (let c = 0; c < columns; c++) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += (weights[i] as number) * (narrow[(start + i) * columns + c] as number)
      into[r * columns + c] = sum * scale + shift
    }
  }
}

/** Exact for equal channels: 299 + 587 + 114 = 1000 (BT.601 luma, in thousandths). */
function lumaOf(p: Pixels): Float64Array {
  const plane = new Float64Array(p.height * p.width)
  const { data, channels } = p
  for (let i = 0, j = 0; i < plane.length; i++, j += channels) {
    if (channels === 3 || channels === 4)
      plane[i] = (299 * (data[j] as number) + 587 * (data[j + 1] as number) + 114 * (data[j + 2] as number)) / 1000
    else if (channels <= 2) plane[i] = data[j] as number
    else {
      let sum = 0
      for (let c = 0; c < channels; c++) sum += data[j + c] as number
      plane[i] = sum / channels
    }
  }
  return plane
}

/**
 * A picture as a vector in 0..1: grey pixels, area-resampled to the parameters' size (unchanged where they have it already), then
 * blue and red difference (BT.601 Cb and Cr, .5 is no colour) at `chroma` x `chroma`. One and two channels are grey (and alpha),
 * three and four are RGB (and alpha), more are averaged to grey. Alpha is not used.
 *
 * @param into `pixelDims(p)` floats
 */
export function pixelVector(p: PixelParameters, pixels: Pixels, into: Float32Array): void {
  const { height, width, channels, data, max } = pixels
  const size = p.height * p.width
  if (channels === 1 && height === p.height && width === p.width) {
    for (let i = 0; i < size; i++) into[i] = (data[i] as number) / max
    into.fill(0.5, size)
    return
  }
  const luma = lumaOf(pixels)
  if (height === p.height && width === p.width) for (let i = 0; i < size; i++) into[i] = (luma[i] as number) / max
  else resample(luma, height, width, into, p.height, p.width, 1 / max, 0)
  if (p.chroma === 0) return
  if (channels !== 3 && channels !== 4) {
    into.fill(0.5, size)
    return
  }
  const difference = new Float64Array(height * width)
  for (const [k, channel, range] of [
    [0, 2, 1.772],
    [1, 0, 1.402],
  ] as const) {
    for (let i = 0; i < difference.length; i++) difference[i] = (data[i * channels + channel] as number) - (luma[i] as number)
    const at = size + k * p.chroma ** 2
    resample(difference, height, width, into.subarray(at, at + p.chroma ** 2), p.chroma, p.chroma, 1 / (range * max), 0.5)
  }
}
