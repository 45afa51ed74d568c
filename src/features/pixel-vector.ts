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
  /** It is smaller than its file. */
  readonly scaled?: boolean
}

export const pixelDims = (p: PixelParameters): number => p.height * p.width + 2 * p.chroma ** 2

interface Axis {
  /** Per target cell t: its first source cell, and where its weights begin; they sum to 1 and end where those of t + 1 begin. */
  readonly first: Int32Array
  readonly start: Int32Array
  readonly weights: Float64Array
}

/** Each target cell is the mean of what it covers of the source (area resampling). */
function axis(from: number, to: number): Axis {
  const first = new Int32Array(to)
  const start = new Int32Array(to + 1)
  const weights: number[] = []
  for (let t = 0; t < to; t++) {
    const low = (t * from) / to
    const high = ((t + 1) * from) / to
    const begin = Math.floor(low)
    first[t] = begin
    for (let i = begin; i < Math.min(Math.ceil(high), from); i++) weights.push((Math.min(high, i + 1) - Math.max(low, i)) / (high - low))
    start[t + 1] = weights.length
  }
  return { first, start, weights: Float64Array.from(weights) }
}

const maxAxes = 256
const axes = new Map<string, Axis>()

function axisOf(from: number, to: number): Axis {
  const key = `${from} ${to}`
  let found = axes.get(key)
  if (!found) {
    if (axes.size >= maxAxes) axes.clear()
    found = axis(from, to)
    axes.set(key, found)
  }
  return found
}

const spare: Float64Array[] = []
/** Buffer `k` of at least `length` numbers, used again by the next picture. What is in it is whatever was. */
function scratch(k: number, length: number): Float64Array {
  const found = spare[k]
  if (found && found.length >= length) return found
  const grown = new Float64Array(length)
  spare[k] = grown
  return grown
}

interface Target {
  readonly into: Float32Array
  readonly rows: number
  readonly columns: number
}

/** `plane` is height x width; the target gets its values times `scale`, plus `shift`. */
export function resample(
  plane: Float64Array,
  height: number,
  width: number,
  { into, rows, columns }: Target,
  scale: number,
  shift: number,
): void {
  const across = axisOf(width, columns)
  const down = axisOf(height, rows)
  const narrow = scratch(2, height * columns)
  for (let c = 0; c < columns; c++) {
    const begin = across.start[c] as number
    const end = across.start[c + 1] as number
    const offset = (across.first[c] as number) - begin
    for (let y = 0; y < height; y++) {
      let sum = 0
      for (let i = begin; i < end; i++) sum += (across.weights[i] as number) * (plane[y * width + offset + i] as number)
      narrow[y * columns + c] = sum
    }
  }
  for (let r = 0; r < rows; r++) {
    const begin = down.start[r] as number
    const end = down.start[r + 1] as number
    const offset = (down.first[r] as number) - begin
    for (let c = 0; c < columns; c++) {
      let sum = 0
      for (let i = begin; i < end; i++) sum += (down.weights[i] as number) * (narrow[(offset + i) * columns + c] as number)
      into[r * columns + c] = sum * scale + shift
    }
  }
}

/** A plane that the next call writes over. Exact for equal channels: 299 + 587 + 114 = 1000 (BT.601 luma, in thousandths). */
export function lumaOf({ data, channels, height, width }: Pixels): Float64Array {
  const cells = height * width
  const plane = scratch(0, cells)
  if (channels === 3 || channels === 4) {
    for (let i = 0, j = 0; i < cells; i++, j += channels)
      plane[i] = (299 * (data[j] as number) + 587 * (data[j + 1] as number) + 114 * (data[j + 2] as number)) / 1000
  } else if (channels <= 2) {
    for (let i = 0; i < cells; i++) plane[i] = data[i * channels] as number
  } else {
    for (let i = 0; i < cells; i++) {
      let sum = 0
      for (let c = 0; c < channels; c++) sum += data[i * channels + c] as number
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
  else resample(luma, height, width, { into, rows: p.height, columns: p.width }, 1 / max, 0)
  if (p.chroma === 0) return
  if (channels !== 3 && channels !== 4) {
    into.fill(0.5, size)
    return
  }
  const cells = height * width
  const difference = scratch(1, cells)
  for (const [k, channel, range] of [
    [0, 2, 1.772],
    [1, 0, 1.402],
  ] as const) {
    for (let i = 0; i < cells; i++) difference[i] = (data[i * channels + channel] as number) - (luma[i] as number)
    const at = size + k * p.chroma ** 2
    const target = { into: into.subarray(at, at + p.chroma ** 2), rows: p.chroma, columns: p.chroma }
    resample(difference, height, width, target, 1 / (range * max), 0.5)
  }
}
