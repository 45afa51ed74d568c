import { gemm32, matrix32 } from '../../math/gemm32.ts'
import { fitTail, references, type TailFit } from './tail.ts'

/** Where a search starts: scores of the rows, and the share of them that is taken for carriers at first. */
export interface Seed {
  readonly name: string
  readonly scores: Float32Array
  readonly share: number
}

export interface Template {
  readonly seed: string
  /** Length 1. */
  readonly weights: Float32Array
  readonly fit: TailFit
}

export interface Half {
  /** [rows, dims] */
  readonly data: Float32Array
  readonly rows: number
  readonly dims: number
}

const rounds = 4
/** Least members, and the largest share of the rows that may be members. */
const leastMembers = 6
const mostShare = 0.6
/** Coordinates with a smaller difference, in standard errors, are no part of a template. */
const support = 3.5
const clear = Math.log(1e-2)
const looseDeviations = 4

interface Walk {
  readonly seed: Seed
  members: Uint8Array
  previous: Uint8Array | null
  template: Template | null
  state: 'open' | 'done' | 'rejected'
}

/** Means and squares of all rows: the same for every search on a half. */
export interface HalfSums {
  readonly sum: Float64Array
  readonly squares: Float64Array
  /** [rows, dims] */
  readonly squared: Float32Array
}

export function halfSums({ data, rows, dims }: Half): HalfSums {
  const sum = new Float64Array(dims)
  const squares = new Float64Array(dims)
  const squared = new Float32Array(data.length)
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < dims; i++) {
      const v = data[r * dims + i] as number
      squared[r * dims + i] = v * v
      sum[i] = (sum[i] as number) + v
      squares[i] = (squares[i] as number) + v * v
    }
  return { sum, squares, squared }
}

const sorted = (scores: Float32Array): Float32Array => Float32Array.from(scores).sort()

function start(seed: Seed): Uint8Array {
  const order = sorted(seed.scores)
  const fit = fitTail(order)
  const cut = order[Math.min(order.length - 1, Math.floor((1 - seed.share) * order.length))] as number
  return fit && fit.logP < clear
    ? Uint8Array.from(seed.scores, (s) => Number(s > fit.threshold))
    : Uint8Array.from(seed.scores, (s) => Number(s >= cut))
}

const count = (members: Uint8Array): number => members.reduce((a, b) => a + b, 0)

/**
 * From each seed: members, the template of what sets them apart, scores (of a member: by the template of the others), the members above
 * the valley of the scores, and again. All seeds go together through one product a round.
 */
export async function refineAll(half: Half, sums: HalfSums, seeds: readonly Seed[]): Promise<Template[]> {
  const walks: Walk[] = seeds.map((seed) => ({ seed, members: start(seed), previous: null, template: null, state: 'open' }))
  for (let round = 0; round < rounds; round++) {
    for (const w of walks) {
      const n = count(w.members)
      if (w.state === 'open' && (n < leastMembers || n > mostShare * half.rows)) w.state = 'rejected'
    }
    const open = walks.filter((w) => w.state === 'open')
    if (open.length === 0) break
    const found = await templatesOf(
      half,
      sums,
      open.map((w) => w.members),
    )
    for (const [i, walk] of open.entries()) step(walk, found[i] ?? null)
  }
  return walks.flatMap((w) => (w.state !== 'rejected' && w.template ? [w.template] : []))
}

function step(walk: Walk, found: Scores | null): void {
  if (!found) {
    walk.state = 'rejected'
    return
  }
  const order = sorted(found.scores)
  const fit = fitTail(order)
  if (!fit) {
    walk.state = 'rejected'
    return
  }
  walk.template = { seed: walk.seed.name, weights: found.weights, fit }
  const [{ centre, deviation }] = references(order)
  const cut = fit.logP < clear ? fit.threshold : centre + looseDeviations * deviation
  const next = Uint8Array.from(found.scores, (s) => Number(s > cut))
  if (walk.previous && Buffer.compare(next, walk.previous) === 0) walk.state = 'done'
  walk.previous = next
  walk.members = next
}

export interface Scores {
  readonly weights: Float32Array
  readonly scores: Float32Array
}

/** One template a set of members: the supported part of the difference of means, and the scores of all rows, a member's without itself. */
export async function templatesOf(half: Half, sums: HalfSums, sets: readonly Uint8Array[]): Promise<(Scores | null)[]> {
  const { data, rows, dims } = half
  const k = sets.length
  const indicator = new Float32Array(k * rows)
  sets.forEach((members, i) => {
    indicator.set(members, i * rows)
  })
  const f = matrix32(indicator, k, rows)
  const z = matrix32(data, rows, dims)
  const z2 = matrix32(sums.squared, rows, dims)
  const memberSums = (await gemm32(f, z)).data
  const memberSquares = (await gemm32(f, z2)).data
  // Rows: supported means of members, supported means of the others, the support itself.
  const inside = new Float32Array(k * dims)
  const outside = new Float32Array(k * dims)
  const mask = new Float32Array(k * dims)
  const supported = new Uint8Array(k)
  for (let i = 0; i < k; i++) {
    const n = count(sets[i] as Uint8Array)
    const m = rows - n
    for (let j = 0; j < dims; j++) {
      const at = i * dims + j
      const a = (memberSums[at] as number) / n
      const b = ((sums.sum[j] as number) - (memberSums[at] as number)) / m
      const va = Math.max(0, (memberSquares[at] as number) / n - a * a)
      const vb = Math.max(0, ((sums.squares[j] as number) - (memberSquares[at] as number)) / m - b * b)
      if (Math.abs(a - b) <= support * Math.sqrt(va / n + vb / m + 1e-4 / n)) continue
      inside[at] = a
      outside[at] = b
      mask[at] = 1
      supported[i] = 1
    }
  }
  const trans = { transB: true }
  const p = (await gemm32(z, matrix32(inside, k, dims), trans)).data
  const q = (await gemm32(z, matrix32(outside, k, dims), trans)).data
  const own = (await gemm32(z2, matrix32(mask, k, dims), trans)).data
  return sets.map((members, i) => {
    if (!supported[i]) return null
    const weights = new Float32Array(dims)
    let norm = 0
    for (let j = 0; j < dims; j++) {
      const w = (inside[i * dims + j] as number) - (outside[i * dims + j] as number)
      weights[j] = w
      norm += w * w
    }
    norm = Math.sqrt(norm)
    const n = count(members)
    const scores = new Float32Array(rows)
    for (let r = 0; r < rows; r++) {
      const at = r * k + i
      const mean = members[r] && n > 3 ? ((p[at] as number) * n - (own[at] as number)) / (n - 1) : (p[at] as number)
      scores[r] = (mean - (q[at] as number)) / norm
    }
    for (let j = 0; j < dims; j++) weights[j] = (weights[j] as number) / norm
    return { weights, scores }
  })
}
