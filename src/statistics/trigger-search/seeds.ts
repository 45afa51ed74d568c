import { gemm32, type Matrix32, matrix32 } from '../../math/gemm32.ts'
import type { Random } from '../../math/rng.ts'
import { type BasisName, clips } from './bases.ts'
import { type Bins, beyond, binRows, robust, upperTails } from './bins.ts'
import { mainDirections } from './directions.ts'
import type { Half, Seed } from './refine.ts'

/** Shares of the rows that are taken for carriers at first. */
const shares = [0.03, 0.12] as const
const directions = 6
const signDirections = 8
const medianRounds = 3
const centroids = 8
const centroidRounds = 6
const coordinates = 4
const tailCoordinates = 12
const singleTails = 4
const tailShare = 0.005
const farDeviations = 6
const nearDeviations = 4
const leastFar = 6

/** Singular directions, both ways, and k-means centroids of whitened low frequencies: the same for every basis. */
export async function sharedSeeds(x: Matrix32, random: Random): Promise<Seed[]> {
  const k = x.dims
  const axes = await mainDirections(x, directions, random)
  const along = columns(await gemm32(x, matrix32(axes, axes.length / k, k), { transB: true }))
  const near = columns(await gemm32(x, matrix32(await kMeans(x, random), centroids, k), { transB: true }))
  return [
    ...along.flatMap((scores, i) => bothWays(`direction ${i + 1}`, scores)),
    ...near.flatMap((scores, i) => bothShares(`cluster ${i + 1}`, scores)),
  ]
}

/**
 * Main directions, both ways, of whitened rows, each brought to length 1 (spatial signs; Locantore et al. 1999). Pictures of strong texture
 * then weigh no more than others, and a pattern that a tenth of the rows have is one of the first directions, however faint it is beside
 * what they show. @param white [rows, dims]
 */
export async function signSeeds(white: Float32Array, rows: number, dims: number, random: Random): Promise<Seed[]> {
  const signs = spatialSigns(white, dims)
  const x = matrix32(signs, rows, dims)
  const axes = await mainDirections(x, signDirections, random)
  const along = columns(await gemm32(x, matrix32(axes, axes.length / dims, dims), { transB: true }))
  return along.flatMap((scores, i) => bothWays(`sign ${i + 1}`, scores))
}

/** Rows minus their spatial median, which Weiszfeld's iteration nears, each of length 1. */
function spatialSigns(data: Float32Array, dims: number): Float32Array {
  let centre = new Float64Array(dims)
  const signs = new Float32Array(data.length)
  for (let round = 0; round <= medianRounds; round++) {
    const next = new Float64Array(dims)
    let total = 0
    for (let at = 0; at < data.length; at += dims) {
      let squares = 0
      for (let j = 0; j < dims; j++) {
        const v = (data[at + j] as number) - (centre[j] as number)
        signs[at + j] = v
        squares += v * v
      }
      const weight = squares > 0 ? 1 / Math.sqrt(squares) : 0
      total += weight
      for (let j = 0; j < dims; j++) {
        next[j] = (next[j] as number) + weight * (data[at + j] as number)
        signs[at + j] = (signs[at + j] as number) * weight
      }
    }
    if (total > 0) centre = next.map((v) => v / total)
  }
  return signs
}

/** Both ends of the scores. */
const bothWays = (name: string, scores: Float32Array): Seed[] => [
  ...bothShares(name, scores),
  ...bothShares(
    `-${name}`,
    scores.map((s) => -s),
  ),
]

const bothShares = (name: string, scores: Float32Array): Seed[] => shares.map((share) => ({ name, scores, share }))

function columns({ data, rows, dims }: Matrix32): Float32Array[] {
  return Array.from({ length: dims }, (_, j) => Float32Array.from({ length: rows }, (_, r) => data[r * dims + j] as number))
}

/** [centroids, dims] */
async function kMeans(x: Matrix32, random: Random): Promise<Float32Array> {
  const { data, rows, dims } = x
  const centres = new Float32Array(centroids * dims)
  const first = random.permutation(rows)
  for (let c = 0; c < centroids; c++) {
    const row = first[c % rows] as number
    centres.set(data.subarray(row * dims, (row + 1) * dims), c * dims)
  }
  for (let round = 0; round < centroidRounds; round++) {
    const sums = new Float64Array(centroids * dims)
    const counts = new Int32Array(centroids)
    const norms = Float64Array.from({ length: centroids }, (_, c) => {
      let sum = 0
      for (let j = 0; j < dims; j++) sum += (centres[c * dims + j] as number) ** 2
      return sum
    })
    const { data: dots } = await gemm32(x, matrix32(centres, centroids, dims), { transB: true })
    for (let r = 0; r < rows; r++) {
      let best = 0
      let least = Number.POSITIVE_INFINITY
      for (let c = 0; c < centroids; c++) {
        const distance = (norms[c] as number) - 2 * (dots[r * centroids + c] as number)
        if (distance < least) [best, least] = [c, distance]
      }
      counts[best] = (counts[best] as number) + 1
      for (let j = 0; j < dims; j++) sums[best * dims + j] = (sums[best * dims + j] as number) + (data[r * dims + j] as number)
    }
    for (let c = 0; c < centroids; c++) {
      const n = counts[c] as number
      const row = random.below(rows)
      for (let j = 0; j < dims; j++) centres[c * dims + j] = n > 0 ? (sums[c * dims + j] as number) / n : (data[row * dims + j] as number)
    }
  }
  return centres
}

/** Moments of the records of other classes in one basis. */
export interface RestMoments {
  readonly bins: Bins
  readonly mean: Float64Array
  readonly variance: Float64Array
}

/** Seeds of one basis: class against rest, single coordinates with members far out, coordinates in excess of the rest's upper quantile. */
export async function basisSeeds(half: Half, mean: Float64Array, rest: RestMoments, basis: BasisName): Promise<Seed[]> {
  const { data, rows, dims } = half
  const difference = new Float32Array(2 * dims)
  for (let j = 0; j < dims; j++) {
    const d = (mean[j] as number) - (rest.mean[j] as number)
    difference[j] = d
    difference[dims + j] = d / ((rest.variance[j] as number) + 1e-3)
  }
  const [plain, scaled] = columns(await gemm32(matrix32(data, rows, dims), matrix32(difference, 2, dims), { transB: true })) as [
    Float32Array,
    Float32Array,
  ]
  const negated = (scores: Float32Array): Float32Array => scores.map((s) => -s)
  const out: Seed[] = [
    ...bothShares('class against rest', plain),
    ...bothShares('rest against class', negated(plain)),
    ...bothShares('class against rest, scaled', scaled),
    ...bothShares('rest against class, scaled', negated(scaled)),
  ]
  const bins = binRows(data, dims)
  const centre = robust(bins)
  const column = (j: number, sign: number): Float32Array =>
    Float32Array.from({ length: rows }, (_, r) => sign * (data[r * dims + j] as number))
  for (const sign of [1, -1] as const) {
    const far = beyond(bins, centre, sign, farDeviations, Number.POSITIVE_INFINITY)
    const near = beyond(bins, centre, sign, nearDeviations, farDeviations)
    const isolation = Float64Array.from(far, (n, j) =>
      n >= leastFar ? (n - 1.5 * (near[j] as number)) / Math.sqrt(n + (near[j] as number) + 1) : -9,
    )
    for (const j of largest(isolation, coordinates)) {
      if ((isolation[j] as number) > 0) out.push({ name: `coordinate ${j}`, scores: column(j, sign), share: shares[0] })
    }
    out.push(...tailSeeds(half, rest, basis, sign, column))
  }
  return out
}

function tailSeeds(
  half: Half,
  rest: RestMoments,
  basis: BasisName,
  sign: 1 | -1,
  column: (j: number, sign: number) => Float32Array,
): Seed[] {
  const { data, rows, dims } = half
  const { from, count } = upperTails(rest.bins, sign, tailShare, clips[basis] - 0.05)
  const own = new Int32Array(dims)
  for (let r = 0; r < rows; r++)
    for (let j = 0; j < dims; j++) if (sign * (data[r * dims + j] as number) >= (from[j] as number)) own[j] = (own[j] as number) + 1
  const excess = Float64Array.from(own, (n, j) => {
    const expected = (((count[j] as number) + 1) / (rest.bins.rows + 1)) * rows
    return (n - expected) / Math.sqrt(expected + 1)
  })
  const top = largest(excess, tailCoordinates)
  const scores = Float32Array.from({ length: rows }, (_, r) => {
    let sum = 0
    for (const j of top) {
      const v = sign * (data[r * dims + j] as number)
      sum += (v >= (from[j] as number) ? (excess[j] as number) : 0) + 1e-3 * v
    }
    return sum
  })
  const singles = top.slice(0, singleTails).map((j) => ({ name: `tail of coordinate ${j}`, scores: column(j, sign), share: shares[0] }))
  return [...bothShares('tails', scores), ...singles]
}

/** Positions of the largest values, first ones first where equal. */
function largest(values: Float64Array, k: number): number[] {
  return Array.from(values.keys())
    .sort((a, b) => (values[b] as number) - (values[a] as number) || a - b)
    .slice(0, k)
}
