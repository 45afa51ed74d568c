import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import { addDisagreement, type DepthCells, depthCells } from '../../statistics/label-model/cells.ts'

export type Mode = 'own predictions' | 'reference' | 'no model'

/** A record's log odds of the suggested against the given label, S; its score is 1 / (1 + exp(-S)). */
export const scoreOf = (s: number): number => 1 / (1 + Math.exp(-s))
export const evidenceOf = (score: number): number => Math.log(score / (1 - score))

/** What the label-flip scorers say of a batch beyond its scores. Codes of classes, -1 where the record has no label. */
export interface Judgement extends Scored {
  readonly mode: Mode
  /** Size of the calibration set; p-values are multiples of 1 / (calibration + 1). 0 without a reference. */
  readonly calibration: number
  readonly given: Int32Array
  readonly predicted: Int32Array
  readonly depth: Float64Array
  readonly classes: readonly string[]
}

/** Histogram of S over [-20, 20); the last bin takes what lies above. */
export const evidenceBins = 8192
export const evidenceLimit = 20
export const binOf = (s: number): number =>
  Math.min(evidenceBins - 1, Math.max(0, Math.floor(((s + evidenceLimit) / (2 * evidenceLimit)) * evidenceBins)))
export const edgeOf = (bin: number): number => (bin / evidenceBins) * 2 * evidenceLimit - evidenceLimit

/** Cells have thresholds of their own up to this many classes. */
export const maxCellClasses = 64
export const cellBins = 128
const cellLimit = 16
const cellBinOf = (s: number): number => Math.min(cellBins - 1, Math.max(0, Math.floor((s / cellLimit) * cellBins)))
export const cellName = (given: string, predicted: string): string => `${given} \u2192 ${predicted}`
export const cellEdgeOf = (bin: number): number => (bin / cellBins) * cellLimit

/** Disagreements at least as deep as each of these are counted. */
export const depths = [0.5, 0.6, 0.7, 0.8, 0.9] as const

/** One entry a source, sorted by name in a sealed state. */
export interface SourceCounts {
  names: string[]
  /** [K] records with each label. */
  given: Float64Array[]
  /** [K] records predicted as each class. */
  predicted: Float64Array[]
  /** [K, K] given by predicted: disagreements at least `sourceDepth` deep. Shallower ones are noise of the model. */
  deep: Float64Array[]
}
const sourceDepth = 0.1

interface State {
  mode: Mode | null
  classes: readonly string[]
  /** Records with p-value (r + 1) / length. */
  ranks: Float64Array
  /** Labelled records that were scored. */
  rows: number
  /** S of disagreeing records. */
  evidence: Float64Array
  deep: Float64Array
  /** [K, K] given by predicted: all records; and the disagreements among them by depth. */
  cells: Float64Array
  disagreements: DepthCells
  /** [K, K, 128] histograms of S in 0..16 for disagreements; null where there are more than 64 classes. */
  cellEvidence: Float64Array | null
  sources: SourceCounts | null
  tooManySources: boolean
}

/** Sources x K x K counts beyond this are not kept: the source test is then not run. */
const maxSourceCells = 20_000_000

export interface LabelTally {
  readonly mode: Mode | null
  readonly ranks: Float64Array
  readonly classes: readonly string[]
  readonly rows: number
  readonly evidence: Float64Array
  readonly deep: Float64Array
  readonly cells: Float64Array
  readonly disagreements: DepthCells
  readonly cellEvidence: Float64Array | null
  readonly sources: SourceCounts | null
  readonly tooManySources: boolean
}

function start(state: State, from: Pick<State, 'mode' | 'classes'>, ranks: number, hasSources: boolean): void {
  if (state.classes.length > 0) return
  const k = from.classes.length
  state.mode = from.mode
  state.classes = from.classes
  state.ranks = new Float64Array(ranks)
  state.cells = new Float64Array(k * k)
  state.disagreements = depthCells(k)
  state.cellEvidence = k <= maxCellClasses ? new Float64Array(k * k * cellBins) : null
  if (hasSources) state.sources = { names: [], given: [], predicted: [], deep: [] }
}

/** Place of the source, which is added when it is new; -1 where sources are not counted. */
function sourceIndex(state: State, name: string): number {
  if (!state.sources) return -1
  const at = state.sources.names.indexOf(name)
  if (at >= 0) return at
  const k = state.classes.length
  if ((state.sources.names.length + 1) * k * k > maxSourceCells) {
    state.sources = null
    state.tooManySources = true
    return -1
  }
  state.sources.given.push(new Float64Array(k))
  state.sources.predicted.push(new Float64Array(k))
  state.sources.deep.push(new Float64Array(k * k))
  return state.sources.names.push(name) - 1
}

const bump = (counts: Float64Array | undefined, at: number): void => {
  if (counts) counts[at] = (counts[at] as number) + 1
}

const add = (into: Float64Array, from: Float64Array): void => {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (from[i] as number)
}

/** Flip tables and score histograms: all integers, so that every order of merging gives the same. */
export const labelTally: Tally<State, LabelTally> = {
  init: () => ({
    mode: null,
    classes: [],
    ranks: new Float64Array(0),
    rows: 0,
    evidence: new Float64Array(evidenceBins),
    deep: new Float64Array(depths.length),
    cells: new Float64Array(0),
    disagreements: depthCells(0),
    cellEvidence: null,
    sources: null,
    tooManySources: false,
  }),
  update(_: Context, state: State, batch: Batch, scored: Scored) {
    const { given, predicted, depth, classes, score, mode, calibration, pValue } = scored as Judgement
    const source = codesOf(batch, 'source')
    start(state, { mode, classes }, calibration + 1, source !== null)
    const k = classes.length
    const places = (source?.values ?? []).map((name) => sourceIndex(state, name))
    for (let i = 0; i < given.length; i++) {
      const g = given[i] as number
      if (g < 0 || Number.isNaN(score[i])) continue
      state.rows++
      if (pValue) bump(state.ranks, Math.round((pValue[i] as number) * (calibration + 1)) - 1)
      const cell = g * k + (predicted[i] as number)
      bump(state.cells, cell)
      const place = source ? (places[source.codes[i] as number] ?? -1) : -1
      bump(state.sources?.given[place], g)
      bump(state.sources?.predicted[place], predicted[i] as number)
      if (g === predicted[i]) continue
      bump(state.evidence, binOf(evidenceOf(score[i] as number)))
      const d = depth[i] as number
      if (d >= sourceDepth) bump(state.sources?.deep[place], cell)
      for (let l = 0; l < depths.length && d >= (depths[l] as number); l++) bump(state.deep, l)
      addDisagreement(state.disagreements, cell, d)
      if (state.cellEvidence) bump(state.cellEvidence, cell * cellBins + cellBinOf(evidenceOf(score[i] as number)))
    }
  },
  seal(_: Context, state: State) {
    if (!state.sources) return
    const { names, given, predicted, deep } = state.sources
    const order = names.map((_, i) => i).sort((a, b) => ((names[a] as string) < (names[b] as string) ? -1 : 1))
    const sorted = <T>(list: readonly T[]): T[] => order.map((i) => list[i] as T)
    state.sources = { names: sorted(names), given: sorted(given), predicted: sorted(predicted), deep: sorted(deep) }
  },
  merge(into: State, from: State) {
    if (from.classes.length === 0) return
    start(into, from, from.ranks.length, from.sources !== null)
    add(into.ranks, from.ranks)
    into.rows += from.rows
    add(into.evidence, from.evidence)
    add(into.deep, from.deep)
    add(into.cells, from.cells)
    from.disagreements.atLeast.forEach((table, i) => {
      add(into.disagreements.atLeast[i] as Float64Array, table)
    })
    if (into.cellEvidence && from.cellEvidence) add(into.cellEvidence, from.cellEvidence)
    if (from.tooManySources) Object.assign(into, { sources: null, tooManySources: true })
    from.sources?.names.forEach((name, i) => {
      const place = sourceIndex(into, name)
      if (place < 0 || !into.sources || !from.sources) return
      add(into.sources.given[place] as Float64Array, from.sources.given[i] as Float64Array)
      add(into.sources.predicted[place] as Float64Array, from.sources.predicted[i] as Float64Array)
      add(into.sources.deep[place] as Float64Array, from.sources.deep[i] as Float64Array)
    })
    this.seal?.({} as Context, into)
  },
  finish: (_: Context, state: State) => state,
}
