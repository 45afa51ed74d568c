import { cumulativeStdNormalProbability, probit } from 'simple-statistics'
import { binomialUpper } from '../../math/tests.ts'

/** Counts of disagreements by cell (given x K + predicted) and least depth. */
export interface DepthCells {
  readonly classes: number
  /** One [K, K] table for each of `depthSteps`. */
  readonly atLeast: readonly Float64Array[]
}
export const depthSteps = [0, 0.25, 0.5, 0.625, 0.75] as const
export const at = { all: 0, quarter: 1, half: 2, fiveEighths: 3, threeQuarters: 4 } as const

export const depthCells = (classes: number): DepthCells => ({ classes, atLeast: depthSteps.map(() => new Float64Array(classes * classes)) })

export function addDisagreement(cells: DepthCells, cell: number, depth: number): void {
  for (let s = 0; s < depthSteps.length && depth >= (depthSteps[s] as number); s++) {
    const table = cells.atLeast[s] as Float64Array
    table[cell] = (table[cell] as number) + 1
  }
}

/**
 * Windows of depth (from, middle): of the disagreements at least `from` deep, how many are at least `middle` deep?
 * Hard records with the right label are mistaken near the border of the predicted class: where their density falls and is
 * convex, at most a quarter of them lies beyond the middle. Flipped records are spread evenly: half of them does.
 */
type Window = readonly [from: number, middle: number]
const cellWindows: readonly Window[] = [
  [at.all, at.half],
  [at.quarter, at.fiveEighths],
]
const pooledWindows: readonly Window[] = [...cellWindows, [at.half, at.threeQuarters]]
const convexShare = 0.25
/** Of classes that overlap: margins have heavier tails than normal ones, and kinds of records of their own. */
const overlapShare = 0.3
const slack = 1.25
const clearlyTold = 0.7
/** Of fewer disagreements no share so close to a quarter is told from it. */
export const fewDisagreements = 300

/**
 * Share of a window's hard records that lie beyond its middle, at most. Classes that overlap much have hard records deep inside: of two
 * normal classes with equal variances, by the share that a model tells beyond a guess (`told`, 0..1).
 */
function hardShare([from, middle]: Window, told: number): number {
  if (told > clearlyTold) return convexShare
  const right = 0.5 + Math.max(0.01, told) / 2
  const half = probit(right)
  const beyond = (depth: number): number => 1 - cumulativeStdNormalProbability(2 * half + probit(1 - right * (1 - depth)))
  return Math.max(overlapShare, (slack * beyond(depthSteps[middle] as number)) / beyond(depthSteps[from] as number))
}

export interface DeepTest {
  readonly p: number
  readonly count: number
  readonly deep: number
}

type Counts = readonly number[]

/** One-sided exact binomial test of the deep share against the larger of that of hard records and `others`' share, Bonferroni over windows. */
function deepTest(counts: Counts, others: Counts | null, windows: readonly Window[], told: number): number {
  let least = 1
  for (const window of windows) {
    const [from, middle] = window
    const n = counts[from] as number
    const d = counts[middle] as number
    const share = others && (others[from] as number) > 0 ? (others[middle] as number) / (others[from] as number) : 0
    if (n > 0) least = Math.min(least, binomialUpper(d, n, Math.max(n < fewDisagreements ? convexShare : hardShare(window, told), share)))
  }
  return Math.min(1, least * windows.length)
}

const countsOf = (cells: DepthCells, cell: number): Counts => cells.atLeast.map((table) => table[cell] as number)
const totals = (cells: DepthCells): Counts => cells.atLeast.map((table) => table.reduce((sum, n) => sum + n, 0))

/** Without the disagreements of some cells. */
export const withoutCells = (cells: DepthCells, left: readonly number[]): DepthCells => ({
  ...cells,
  atLeast: cells.atLeast.map((table) => table.map((n, cell) => (left.includes(cell) ? 0 : n))),
})

/** Are the data's disagreements as a whole deeper than hard records alone would be? `told` as for `cellTests`. */
export const pooledTest = (cells: DepthCells, told: number): number => deepTest(totals(cells), null, pooledWindows, told)

export interface CellTest extends DeepTest {
  readonly given: number
  readonly predicted: number
}

/** Cells with fewer disagreements cannot be significant and are not tested. */
export const leastDisagreements = 5

/**
 * Each cell against hard records and against all other cells; `p` before any correction over cells.
 * @param told what the predictions tell of the labels beyond a guess, 0..1
 */
export function cellTests(cells: DepthCells, told: number): CellTest[] {
  const k = cells.classes
  const all = totals(cells)
  const out: CellTest[] = []
  for (let given = 0; given < k; given++) {
    for (let predicted = 0; predicted < k; predicted++) {
      if (given === predicted) continue
      const counts = countsOf(cells, given * k + predicted)
      if ((counts[at.all] as number) < leastDisagreements) continue
      const others = all.map((n, i) => n - (counts[i] as number))
      out.push({
        given,
        predicted,
        p: deepTest(counts, others, cellWindows, told),
        count: counts[at.all] as number,
        deep: counts[at.half] as number,
      })
    }
  }
  return out
}

/** Cells this likely (after Bonferroni over cells) raise the score of their records. */
const raisedBelow = 0.2
const prior = 1

/**
 * [K, K] factors on the odds that a disagreement is a flip: for suspicious cells, how many deep disagreements they hold
 * against their share by the predicted class's size; 1 for all others.
 */
export function cellFactors(cells: DepthCells, agreeing: Float64Array, classes: number): Float64Array {
  const deep = cells.atLeast[at.half] as Float64Array
  const total = deep.reduce((sum, n) => sum + n, 0)
  const size = agreeing.reduce((sum, n) => sum + n, 0) * (classes - 1)
  const out = new Float64Array(classes * classes).fill(1)
  const tests = cellTests(cells, 1)
  for (const t of tests) {
    if (t.p * tests.length >= raisedBelow) continue
    const expected = size > 0 ? (total * (agreeing[t.predicted] as number)) / size : 0
    out[t.given * classes + t.predicted] = Math.max(1, (t.deep + prior) / (expected + prior))
  }
  return out
}
