import type { ChangeKind, Concentration, ConcentrationAxis } from '../../contracts/snapshot.ts'
import { logBinomialUpper, logHypergeometricUpper } from '../../math/tests.ts'

/**
 * Called concentrated at most this often where corrections fall on records at random: over everything that one comparison
 * tests. A nightly job that gates on it then raises one false alarm in three years.
 */
export const falseAlarmRate = 0.001

/** Fewer touched records than this say nothing of an intention, however rare their class. */
export const leastChanged = 5

export interface AxisCell {
  readonly name: string
  readonly changed: number
  /** Records of the cell, touched or not. */
  readonly records: number
  /**
   * Probability that a random correction falls into the cell, where that is more than records / all: for pairs of classes,
   * of which the second is nobody's record.
   */
  readonly probability?: number
}

export interface AxisCounts {
  readonly kind: ChangeKind
  readonly axis: ConcentrationAxis
  readonly within: string | null
  readonly allChanged: number
  readonly allRecords: number
  readonly cells: readonly AxisCell[]
  /** Cells that could have been touched, where `cells` lists fewer. */
  readonly possible?: number
}

export type RawConcentration = Omit<Concentration, 'adjusted' | 'concentrated'>

const methods: { readonly [A in 'hypergeometric' | 'binomial']: string } = {
  hypergeometric: 'one-sided exact hypergeometric test of the strongest cell, Bonferroni over the cells',
  binomial: 'one-sided exact binomial test of the strongest cell, Bonferroni over the cells',
}

const where = (within: string | null): string => (within === null ? '' : `, in ${within}`)

/**
 * The cell that is touched more often than corrections would touch it that fall on records at random (without replacement).
 * Null where there is nothing to compare: no change, or a single cell.
 */
export function testAxis(counts: AxisCounts): RawConcentration | null {
  const { kind, axis, within, allChanged, allRecords } = counts
  const cells = counts.cells.filter((c) => c.records > 0 || c.changed > 0)
  const hypotheses = counts.possible ?? cells.length
  if (allChanged === 0 || hypotheses < 2) return null
  let best: { readonly cell: AxisCell; readonly log: number } | null = null
  for (const cell of cells) {
    if (cell.changed === 0) continue
    const log =
      cell.probability === undefined
        ? logHypergeometricUpper(cell.changed, allRecords, cell.records, allChanged)
        : logBinomialUpper(cell.changed, allChanged, Math.min(1, cell.probability))
    if (best === null || log < best.log || (log === best.log && cell.changed > best.cell.changed)) best = { cell, log }
  }
  if (best === null) return null
  const log10P = Math.min(0, (best.log + Math.log(hypotheses)) / Math.LN10)
  return {
    kind,
    axis,
    within,
    cell: best.cell.name,
    changed: best.cell.changed,
    cellRecords: best.cell.records,
    allChanged,
    allRecords,
    test: {
      id: `provenance/${kind}: by ${axis}${where(within)}`,
      method: best.cell.probability === undefined ? methods.hypergeometric : methods.binomial,
      p: 10 ** log10P,
    },
    log10P,
  }
}

/** What changed is tested apart from where: a hundred windows in time do not hide that only one class was touched. */
const familyOf = (axis: ConcentrationAxis | 'copies'): 'what' | 'where' | 'how often' =>
  axis === 'copies' ? 'how often' : axis === 'class' || axis === 'class-pair' ? 'what' : 'where'

interface Tested {
  readonly axis: ConcentrationAxis | 'copies'
  readonly log10P: number
  readonly changed: number
}

/**
 * Bonferroni's correction over all tests of one comparison, each family of axes with an equal share of the false alarms:
 * the adjusted p-values, and whether random corrections are ruled out.
 */
export function correctAll(tests: readonly Tested[]): readonly { readonly adjusted: number; readonly concentrated: boolean }[] {
  const sizes = new Map<string, number>()
  for (const { axis } of tests) sizes.set(familyOf(axis), (sizes.get(familyOf(axis)) ?? 0) + 1)
  return tests.map(({ axis, log10P, changed }) => {
    const log = log10P + Math.log10(sizes.size * (sizes.get(familyOf(axis)) as number))
    return { adjusted: Math.min(1, 10 ** log), concentrated: log <= Math.log10(falseAlarmRate) && changed >= leastChanged }
  })
}
