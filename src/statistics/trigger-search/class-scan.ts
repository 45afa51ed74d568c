import { gemm32, matrix32 } from '../../math/gemm32.ts'
import type { Random } from '../../math/rng.ts'
import { logHypergeometricUpper } from '../../math/tests.ts'
import type { BasisName, InBases } from './bases.ts'
import { type Bins, binRows, without } from './bins.ts'
import { logOfOtherClasses } from './other-classes.ts'
import type { PlaneShape } from './planes.ts'
import { type Half, halfSums, refineAll, type Template } from './refine.ts'
import { basisSeeds, type RestMoments, sharedSeeds, signSeeds } from './seeds.ts'
import { fitTail, logBeside, lowerBound, references, type TailFit, testTail } from './tail.ts'
import { isOneWave } from './waves.ts'
import { type Whitening, whitened } from './whiten.ts'

/** Records of all classes, those of a class in a row: what the records of one class are compared with. */
export interface Pool {
  /** Of the bases that are searched. */
  readonly names: readonly BasisName[]
  readonly planes: PlaneShape
  readonly rows: number
  readonly dims: number
  readonly bases: InBases
  readonly bins: Readonly<Record<BasisName, Bins>>
  /** First row of each class, and the number of rows behind the last. */
  readonly starts: readonly number[]
}

/** One direction that was tested for a class. */
export interface Candidate {
  readonly basis: BasisName
  readonly template: Template
  /** Natural logarithms: the mode and the association in the half that did not choose the template. */
  readonly logMode: number
  readonly logAssociation: number
  /** Carriers differ among themselves as other classes do: asked only of the basis `white`, -Infinity elsewhere. */
  readonly logMixture: number
  /** Share of carriers in the class against the rest. */
  readonly ratio: number
  /** Carriers in the fresh half, and its rows; carriers in the rest, and its rows. */
  readonly fresh: readonly [number, number]
  readonly rest: readonly [number, number]
  /** How far the threshold lies from the centre of the fresh scores, in deviations. */
  readonly isolation: number
  /** Corrected over directions and halves, 0..1. */
  readonly logP: number
}

/** Directions that are tested of the first three bases, of `white` and of `waves`: none takes another's place. */
const groups: readonly { readonly of: readonly BasisName[]; readonly tested: number }[] = [
  { of: ['dct', 'pix', 'raw'], tested: 4 },
  { of: ['white'], tested: 2 },
  { of: ['waves'], tested: 2 },
]
const tested = groups.reduce((sum, g) => sum + g.tested, 0)
const halves = 2
/** One frequency, which legs and fences have too, is told from a mark by how few records of other classes have it. */
const leastRatio = (basis: BasisName): number => (basis === 'waves' ? 10 : 3)
/** On a constant background marks stand tens of deviations out: what begins nearer in `raw` are styles, such as short sleeves. */
const leastRaw = 5
const isFar = (basis: BasisName, { z }: TailFit): boolean => basis !== 'raw' || z >= leastRaw
const leastHalf = 30
const sameDirection = 0.95

/** Half of the records of a class, every second one. */
export interface HalfBases {
  readonly rows: number
  readonly bases: InBases
}

/** A class with fewer records is not searched. */
export const leastRows = halves * leastHalf

/**
 * Template pursuit for one class. On one half: directions in which some records stand apart, refined until the members stay. The best four
 * are tested on the other half: do its scores have a mode of their own there, and is it the class alone that has it? Then the halves change
 * places. Classes differ, so association alone is worth nothing; and so is a mode that all classes have.
 */
export async function scanClass(
  parts: readonly [HalfBases, HalfBases],
  code: number,
  pool: Pool,
  whitening: Whitening,
  random: Random,
): Promise<Candidate[]> {
  const out: Candidate[] = []
  const rest = restMoments(pool, code)
  for (const h of [0, 1]) {
    const chosen = await chooseOn(parts[h] as HalfBases, pool, code, rest, whitening, random)
    for (const { basis, template } of chosen) out.push(await testOn(parts[1 - h] as HalfBases, basis, template, pool, code))
  }
  return out.sort((a, b) => a.logP - b.logP || a.template.fit.logP - b.template.fit.logP || b.ratio - a.ratio)
}

function restMoments(pool: Pool, code: number): Readonly<Record<BasisName, RestMoments>> {
  const isOwn = ownRow(pool, code)
  return Object.fromEntries(
    pool.names.map((basis) => {
      const data = pool.bases[basis]
      const { dims } = pool
      const mean = new Float64Array(dims)
      const squares = new Float64Array(dims)
      let n = 0
      for (let r = 0; r < pool.rows; r++) {
        if (isOwn(r)) continue
        n++
        for (let j = 0; j < dims; j++) {
          const v = data[r * dims + j] as number
          mean[j] = (mean[j] as number) + v
          squares[j] = (squares[j] as number) + v * v
        }
      }
      for (let j = 0; j < dims; j++) mean[j] = (mean[j] as number) / n
      const variance = squares.map((s, j) => Math.max(0, s / n - (mean[j] as number) ** 2))
      return [basis, { mean, variance, bins: without(pool.bins[basis], binRows(data, dims, isOwn)) }]
    }),
  ) as unknown as Readonly<Record<BasisName, RestMoments>>
}

function ownRow(pool: Pool, code: number): (row: number) => boolean {
  const from = pool.starts[code] as number
  const to = pool.starts[code + 1] as number
  return (r) => r >= from && r < to
}

async function chooseOn(
  half: HalfBases,
  pool: Pool,
  code: number,
  rest: Readonly<Record<BasisName, RestMoments>>,
  whitening: Whitening,
  random: Random,
): Promise<{ basis: BasisName; template: Template }[]> {
  const { dims } = pool
  const shared = [
    ...(await sharedSeeds(await whitened(half.bases.dct, dims, whitening), random)),
    // Waves are a rotation of whitened pixels, which there are for two classes too.
    ...(await signSeeds(half.bases.waves, half.rows, dims, random)),
  ]
  const found: { basis: BasisName; template: Template; ratio: number; logMode: number }[] = []
  for (const basis of pool.names) {
    const data: Half = { data: half.bases[basis], rows: half.rows, dims }
    const sums = halfSums(data)
    const mean = sums.sum.map((s) => s / half.rows)
    const own = await basisSeeds(data, mean, rest[basis], basis)
    const refined = distinct(await refineAll(data, sums, basis === 'waves' ? own : [...shared, ...own]))
    const templates = refined.filter((t) => isFar(basis, t.fit) && (basis !== 'waves' || isOneWave(t.weights, pool.planes)))
    if (templates.length === 0) continue
    const elsewhere = await scoresElsewhere(pool, code, basis, templates)
    templates.forEach((template, i) => {
      const others = elsewhere[i] as Float32Array
      const ratio = template.fit.count / half.rows / ((countAbove(others, template.fit.threshold) + 1) / (others.length + 1))
      found.push({ basis, template, ratio, logMode: logBeside(template.fit, others) })
    })
  }
  const rank = (f: (typeof found)[number]): number => (f.ratio >= leastRatio(f.basis) ? f.logMode : 1 + f.logMode * 1e-9)
  const order = found.sort((a, b) => rank(a) - rank(b) || b.ratio - a.ratio)
  return groups.flatMap((g) => order.filter((f) => g.of.includes(f.basis)).slice(0, g.tested))
}

function distinct(templates: readonly Template[]): Template[] {
  const kept: Template[] = []
  for (const t of templates) {
    const again = kept.some((k) => {
      let dot = 0
      for (let j = 0; j < t.weights.length; j++) dot += (t.weights[j] as number) * (k.weights[j] as number)
      return Math.abs(dot) > sameDirection
    })
    if (!again) kept.push(t)
  }
  return kept
}

/** For each template, the scores of the pool's rows of other classes, ascending. */
async function scoresElsewhere(pool: Pool, code: number, basis: BasisName, templates: readonly Template[]): Promise<Float32Array[]> {
  const { rows, dims } = pool
  const k = templates.length
  const weights = new Float32Array(k * dims)
  templates.forEach((t, i) => {
    weights.set(t.weights, i * dims)
  })
  const { data } = await gemm32(matrix32(pool.bases[basis], rows, dims), matrix32(weights, k, dims), { transB: true })
  const isOwn = ownRow(pool, code)
  const others = Int32Array.from({ length: rows }, (_, r) => r).filter((r) => !isOwn(r))
  return templates.map((_, i) => Float32Array.from(others, (r) => data[r * k + i] as number).sort())
}

/** Of ascending scores. */
const countAbove = (sorted: Float32Array, threshold: number): number => sorted.length - lowerBound(sorted, threshold)

/** Two tests of the fresh half: for a mode where the other half had it, and for one where this half has it. */
const tests = 2

async function testOn(half: HalfBases, basis: BasisName, template: Template, pool: Pool, code: number): Promise<Candidate> {
  const { dims } = pool
  const product = await gemm32(matrix32(half.bases[basis], half.rows, dims), matrix32(template.weights, 1, dims), { transB: true })
  const scores = Float32Array.from(product.data).sort()
  const [others] = (await scoresElsewhere(pool, code, basis, [template])) as [Float32Array]
  const anew = fitTail(scores)
  const modes = [
    { fit: template.fit, logMode: testTail(scores, template.fit, others) },
    ...(anew ? [{ fit: anew, logMode: logBeside(anew, others) }] : []),
  ]
  const [{ centre, deviation }] = references(scores)
  const candidates = modes.map(async ({ fit, logMode }) => {
    const inside = countAbove(scores, fit.threshold)
    const [outside, total] = [countAbove(others, fit.threshold), others.length]
    const logAssociation = logHypergeometricUpper(inside, scores.length + total, inside + outside, scores.length)
    const ratio = inside / scores.length / ((outside + 1) / (total + 1))
    const carries = Uint8Array.from(product.data, (s) => Number(s > fit.threshold))
    const logMixture = basis === 'white' ? await mixtureOf(half, carries, pool, code) : Number.NEGATIVE_INFINITY
    const corrections = Math.log(tested * halves * tests)
    return {
      basis,
      template: { ...template, fit },
      logMode,
      logAssociation,
      logMixture,
      ratio,
      fresh: [inside, scores.length] as const,
      rest: [outside, total] as const,
      isolation: (fit.threshold - centre) / deviation,
      logP: ratio >= leastRatio(basis) && isFar(basis, fit) ? Math.min(0, Math.max(logMode, logAssociation, logMixture) + corrections) : 0,
    }
  })
  const [first, second] = await Promise.all(candidates)
  return second && second.logP < (first as Candidate).logP ? second : (first as Candidate)
}

function mixtureOf(half: HalfBases, carries: Uint8Array, { bases, starts, dims }: Pool, code: number): Promise<number> {
  const rowsWhere = (value: number) => {
    const rows = Array.from(carries.keys()).filter((r) => carries[r] === value)
    const data = new Float32Array(rows.length * dims)
    rows.forEach((r, i) => {
      data.set(half.bases.white.subarray(r * dims, (r + 1) * dims), i * dims)
    })
    return { data, rows: rows.length }
  }
  const others = starts.slice(1).flatMap((to, c) => {
    const from = starts[c] as number
    return c === code || to === from ? [] : [{ data: bases.white.subarray(from * dims, to * dims), rows: to - from }]
  })
  return logOfOtherClasses(rowsWhere(1), rowsWhere(0), others, dims)
}
