import { at, fewDisagreements, pooledTest, withoutCells } from '../../statistics/label-model/cells.ts'
import { pairsTested, tellsClassesApart, toldBeyondGuess } from './agreement.ts'
import { suspiciousCells } from './source-test.ts'
import { cellBins, cellEdgeOf, depths, edgeOf, evidenceBins, type LabelTally } from './tally.ts'

/** The share of all records that may be flagged while nothing shows that labels were flipped. */
const quietShare = 0.01
const level = 0.05

/**
 * How many disagreements to flag. A flipped record is a typical member of its true class, so flips are spread evenly over the
 * depths 0..1, while hard records with the right label pile up near 0. Where the disagreements are deeper than hard records
 * alone would be (`pooledTest`, without cells that are kinds of records of their own), there are about twice as many flips as deep disagreements; else the smallest of Storey's
 * (2002) estimates count(depth >= l) / (1 - l) over l, and at most 1 % of the records.
 */
export function flipsToFlag(tally: LabelTally, kinds: readonly number[]): number {
  const counted = withoutCells(tally.disagreements, kinds)
  const estimates = depths.map((l, i) => (tally.deep[i] as number) / (1 - l))
  // Flips among many are sure beyond any level; what no model of hard records quite says is not.
  const all = tally.evidence.reduce((sum, n) => sum + n, 0)
  const sure = level * Math.min(1, fewDisagreements / Math.max(1, all))
  if (tellsClassesApart(tally) && pooledTest(counted, toldBeyondGuess(tally)) < sure)
    return Math.round(2 * (counted.atLeast[at.half] as Float64Array).reduce((sum, n) => sum + n, 0))
  return Math.floor(Math.min(...estimates, quietShare * tally.rows))
}

/**
 * Thresholds of single cells: where the cell's own test is significant after Bonferroni over cells, above the S of about twice
 * its deep records; where a source stands out in it, above that of its disagreements.
 */
export function cellCuts(tally: LabelTally, kinds: readonly number[]): { readonly cell: number; readonly cut: number }[] {
  const { cellEvidence } = tally
  if (!cellEvidence) return []
  const tests = pairsTested(tally, kinds)
  const wanted = new Map(suspiciousCells(tally).map(({ cell, count }) => [cell, count]))
  for (const t of tests) {
    const cell = t.given * tally.classes.length + t.predicted
    if (t.p * tests.length < level) wanted.set(cell, Math.max(2 * t.deep, wanted.get(cell) ?? 0))
  }
  return [...wanted].map(([cell, count]) => ({ cell, cut: cellCut(cellEvidence.subarray(cell * cellBins, (cell + 1) * cellBins), count) }))
}

function cellCut(histogram: Float64Array, count: number): number {
  let above = 0
  let bin = cellBins - 1
  for (; bin >= 0; bin--) {
    above += histogram[bin] as number
    if (above > count) break
  }
  return cellEdgeOf(bin + 1)
}

/** The smallest S such that at most `count` disagreeing records lie at or above it; infinite when none should be flagged. */
export function cutFor(tally: LabelTally, count: number): number {
  let above = 0
  for (let bin = evidenceBins - 1; bin >= 0; bin--) {
    above += tally.evidence[bin] as number
    if (above > count) return bin === evidenceBins - 1 ? Number.POSITIVE_INFINITY : edgeOf(bin + 1)
    if (edgeOf(bin) <= 0) return edgeOf(bin)
  }
  return edgeOf(0)
}

/** Adaptive Benjamini-Hochberg (Storey 2002 for the share of nulls) over the ranks of conformal p-values. */
export interface Discovery {
  /** Flag where p is at most this; 0 when nothing is. */
  readonly cut: number
  /** Simes' p-value of "no record of the subject is flipped". */
  readonly global: number
  readonly nullShare: number
}

/** `ranks[r]` records have the p-value (r + 1) / ranks.length. */
export function discover(ranks: Float64Array, fdr: number): Discovery {
  const m = ranks.length
  const n = ranks.reduce((sum, c) => sum + c, 0)
  if (n === 0) return { cut: 0, global: 1, nullShare: 1 }
  let upper = 0
  for (let r = 0; r < m; r++) if ((r + 1) / m > 0.5) upper += ranks[r] as number
  const nullShare = Math.min(1, (1 + upper) / (0.5 * n))
  let cut = 0
  let global = 1
  let seen = 0
  for (let r = 0; r < m; r++) {
    seen += ranks[r] as number
    if (seen === 0) continue
    const adjusted = (nullShare * n * (r + 1)) / m / seen
    global = Math.min(global, adjusted)
    if (adjusted <= fdr) cut = (r + 1) / m
  }
  return { cut, global, nullShare }
}
