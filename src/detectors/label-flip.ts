import { codesOf } from '../contracts/batch.ts'
import type { Batch, Column } from '../contracts/data.ts'
import type { Conclusion, Detector, Flagged, Setup, Threshold } from '../contracts/detector.ts'
import type { Test } from '../contracts/finding.ts'
import type { Context } from '../contracts/statistic.ts'
import { type ClassThresholds, classThresholds } from '../statistics/class-thresholds.ts'
import { labelColumns } from '../statistics/label-columns.ts'
import { labelMargins } from '../statistics/label-margins.ts'
import type { DepthQuantiles } from '../statistics/label-model/depth.ts'
import type { FittedModel } from '../statistics/label-model/fit.ts'
import { labelModel, labelModelId } from '../statistics/label-model.ts'
import { type ModelChoice, modelChoice, modelChoiceId } from '../statistics/model-choice.ts'
import { tellsClassesApart } from './label-flip/agreement.ts'
import { filterFor, filterStatistics, flaggedByFilter } from './label-flip/cleanlab-filters.ts'
import { type FlipTable, flipTable } from './label-flip/evidence.ts'
import { type LabelFlipOptions, labelFlipOptions } from './label-flip/options.ts'
import { judgePredictions, scoreAtRatio } from './label-flip/own-predictions.ts'
import { testPairs } from './label-flip/pair-test.ts'
import { recordFinding } from './label-flip/record-finding.ts'
import { testSources } from './label-flip/source-test.ts'
import { cellName, type Judgement, type LabelTally, labelTally, type Mode, scoreOf } from './label-flip/tally.ts'
import { cellCuts, cutFor, discover, flipsToFlag } from './label-flip/threshold.ts'
import { judgeByModel } from './label-flip/with-model.ts'

const vectorRole = (roles: readonly Column[]): 'embedding' | 'features' | null =>
  roles.includes('embedding') ? 'embedding' : roles.includes('features') ? 'features' : null

function modeOf(setup: Setup): Mode | null {
  if (!setup.subject.includes('label')) return null
  if (setup.subject.includes('predictions')) return 'own predictions'
  const vectors = vectorRole(setup.subject)
  if (!vectors) return null
  return setup.reference?.includes('label') && setup.reference.includes(vectors) ? 'reference' : 'no model'
}

const samplePart = (options: LabelFlipOptions, mode: Mode) => ({
  over: mode === 'reference' ? ('reference' as const) : ('subject' as const),
  size: options.sample,
})
const ownOptions = (options: LabelFlipOptions, setup: Setup) => ({ filter: options.filter, classes: options.classes ?? setup.classes })

const leastReference = 20

const modelOf = (c: Context<LabelFlipOptions>, mode: Mode): FittedModel | null =>
  c.summaries.get<FittedModel | null>(labelModelId(samplePart(c.options, mode)))

/** Of the records' own model; other predictions come without what the records look like. */
const kindsOf = (c: Context<LabelFlipOptions>, { mode }: LabelTally): readonly number[] =>
  (mode === 'no model' ? modelOf(c, mode)?.kinds : null) ?? []

/** Class codes of a batch's labels; -1 where there is none, or where the model never saw the class. */
function codesIn(classes: readonly string[], batch: Batch): Int32Array {
  const label = codesOf(batch, 'label')
  if (!label) return new Int32Array(batch.numRows).fill(-1)
  const code = new Map(classes.map((name, i) => [name, i]))
  const map = label.values.map((v) => code.get(v) ?? -1)
  return label.codes.map((c) => (c < 0 ? -1 : (map[c] as number)))
}

/**
 * Records whose label was changed. With the user's out-of-sample predictions: confident learning (Northcutt et al. 2021) and the
 * ratio rule. Without: closed-form k-fold models whose Gram matrices add up. With a reference: conformal p-values.
 */
export const labelFlip: Detector<LabelFlipOptions, LabelTally, FlipTable> = {
  id: 'label-flip',
  version: 1,
  title: 'Label flips',
  rules: [
    { id: 'label-flip/record', title: 'Record that looks like another class than its label says', family: 'label-flip' },
    { id: 'label-flip/class-pair', title: 'Class pair with labels changed from one to the other', family: 'label-flip' },
    { id: 'label-flip/source', title: 'Source that labels one class as another more often than all others', family: 'label-flip' },
  ],
  options: labelFlipOptions,
  missing(setup) {
    if (modeOf(setup)) return null
    if (!setup.subject.includes('label')) return 'no column has the role label'
    return 'there are neither predictions nor vectors: no column has the role predictions, embedding, features, text or image'
  },
  mode(options, setup) {
    const mode = modeOf(setup)
    if (mode === 'own predictions') return `your own predictions, filter ${options.filter}`
    if (mode === 'reference') return 'k-fold models of the reference records, conformal p-values'
    return 'no model given: k-fold models of the records themselves'
  },
  reads(_, setup) {
    const mode = modeOf(setup)
    if (mode === 'own predictions') return ['label', 'source', 'predictions']
    return ['label', 'source', vectorRole(setup.subject) ?? 'embedding']
  },
  statistics(options, setup) {
    const mode = modeOf(setup)
    if (mode === null) return []
    if (mode === 'own predictions') {
      const own = ownOptions(options, setup)
      return [classThresholds(own), labelMargins(own), ...filterStatistics(own)]
    }
    const part = samplePart(options, mode)
    return [modelChoice(part), labelModel(part)]
  },
  async scorer(c, setup) {
    const mode = modeOf(setup) ?? 'no model'
    if (mode === 'own predictions') {
      const options = ownOptions(c.options, setup)
      const { classes, thresholds } = c.summaries.get<ClassThresholds>(classThresholds(options).id)
      const { depth } = c.summaries.get<{ depth: DepthQuantiles }>(labelMargins(options).id)
      const own = { classes, thresholds, depth, given: labelColumns(options.classes) }
      const filter = filterFor(c, options)
      return (batch) => filter(judgePredictions(own, batch), batch)
    }
    const model = modelOf(c, mode)
    if (!model) return (batch) => unscored(batch, mode)
    return (batch) => judgeByModel(model, codesIn(model.classes, batch), batch, mode === 'reference')
  },
  tally: labelTally,
  decide(c, tally) {
    const at = (atLeast: number, group: string | null = null): Threshold => ({ rule: 'label-flip/record', group, atLeast })
    if (tally.mode === null) return []
    if (tally.mode === 'own predictions')
      return [at(c.options.filter === 'ratio' ? aboveScore(scoreAtRatio(c.options.ratio)) : flaggedByFilter)]
    if (tally.mode === 'reference') {
      const { cut } = discover(tally.ranks, c.options.fdr)
      return cut > 0 ? [at(scoreOf(calibrationCut(modelOf(c, 'reference'), cut)))] : []
    }
    const everywhere = cutFor(tally, flipsToFlag(tally, kindsOf(c, tally)))
    const cells = cellCuts(tally, kindsOf(c, tally)).map(({ cell, cut }) => {
      const k = tally.classes.length
      return at(scoreOf(cut), cellName(tally.classes[Math.floor(cell / k)] as string, tally.classes[cell % k] as string))
    })
    return [...(Number.isFinite(everywhere) ? [at(Math.max(scoreOf(everywhere), aboveScore(0.5)))] : []), ...cells]
  },
  evidence: flipTable,
  conclude: (c, tally, table, flagged) => conclude(c, tally, table ?? { pairs: [] }, flagged),
}

/** The next number above a score: thresholds are `at least`, the rules `more than`. */
const aboveScore = (score: number): number => score + 2 ** -52

/** The S at which the conformal p-value becomes at most `cut`. */
function calibrationCut(model: FittedModel | null, cut: number): number {
  const scores = model?.sampleScores ?? new Float64Array(0)
  const rank = Math.round(cut * (scores.length + 1))
  // p <= rank / (n + 1) where fewer than `rank` calibration scores are at least s: s lies above the rank-th largest.
  const bound = scores[scores.length - rank] ?? Number.NEGATIVE_INFINITY
  return bound + Math.max(1, Math.abs(bound)) * 2 ** -50
}

function unscored(batch: Batch, mode: Mode): Judgement {
  const n = batch.numRows
  const none = () => new Int32Array(n).fill(-1)
  return {
    mode,
    calibration: 0,
    score: new Float64Array(n).fill(Number.NaN),
    suggested: { codes: none(), values: [] },
    given: none(),
    predicted: none(),
    depth: new Float64Array(n),
    classes: [],
  }
}

function conclude(c: Context<LabelFlipOptions>, tally: LabelTally, table: FlipTable, flagged: Flagged): Conclusion {
  if (tally.mode === null || tally.classes.length < 2) {
    return {
      findings: [],
      tests: [],
      notes: ['Fewer than two classes have labelled records, or all records have the same content: there is nothing to compare.'],
    }
  }
  const pairs = testPairs(tally, kindsOf(c, tally), flagged.top)
  const sources = testSources(tally, flagged.top)
  const tests: Test[] = [...pairs.tests, ...sources.tests]
  let recordTest: Test | null = null
  if (tally.mode === 'reference' && tally.ranks.length > leastReference) {
    const { global } = discover(tally.ranks, c.options.fdr)
    recordTest = {
      id: 'label-flip/record: no record of the subject is flipped',
      method: 'Simes test of the conformal p-values, adapted to the share of nulls',
      p: Math.min(1, global),
    }
    tests.push(recordTest)
  }
  const cut = flagged.count > 0 && tally.mode === 'no model' ? cutFor(tally, flipsToFlag(tally, kindsOf(c, tally))) : null
  const records = flagged.count > 0 ? [recordFinding(tally, table, flagged, cut, recordTest?.id ?? null)] : []
  return { findings: [...sources.findings, ...pairs.findings, ...records], tests, notes: [...notes(c, tally), ...sources.notes] }
}

const weakModel = 0.85

function notes(c: Context<LabelFlipOptions>, tally: LabelTally): string[] {
  if (tally.mode === 'own predictions') return [`Rule: ${c.options.filter}.`]
  const mode = tally.mode ?? 'no model'
  const model = modelOf(c, mode)
  const choice = c.summaries.get<ModelChoice | null>(modelChoiceId(samplePart(c.options, mode)))
  if (!model || !choice) return []
  const out = [
    `Model: ${model.name}, the best of ${choice.trials.length} by five-fold accuracy (${(100 * model.accuracy).toFixed(1)} %) on a sample of ${model.sampleRows} records.`,
  ]
  if (model.accuracy < weakModel)
    out.push(
      'The classes overlap in these features (accuracy below 85 %): hard records can look like flips; predictions of your own model would be sharper.',
    )
  if (!tellsClassesApart(tally))
    out.push(
      'The model barely tells the classes apart: no class pair was tested, sources are for review only, and at most 1 % of the records are listed. Give predictions or embeddings of a model that knows the task.',
    )
  const { kinds } = model
  if (mode === 'no model' && kinds.length > 0) out.push(kindsNote(tally.classes, kinds))
  if (mode === 'reference') {
    const smallest = 1 / (model.sampleScores.length + 1)
    const needed = Math.ceil((tally.rows * smallest) / c.options.fdr)
    out.push(
      `Calibrated on ${model.sampleScores.length} reference records: the smallest possible p-value is ${smallest.toExponential(1)}, so that about ${needed} flips at that level are needed before any is flagged; the scores rank all records regardless.`,
    )
  }
  return out
}

const mostPairs = 8

function kindsNote(classes: readonly string[], cells: readonly number[]): string {
  const k = classes.length
  const pair = (cell: number): string =>
    `${JSON.stringify(classes[Math.floor(cell / k)])} that look like ${JSON.stringify(classes[cell % k])}`
  const more = cells.length > mostPairs ? ` and ${cells.length - mostPairs} pairs more` : ''
  return `Records labelled ${cells.slice(0, mostPairs).map(pair).join(', ')}${more} are kinds of their own, not a random part of that class: hard records, or labels changed in one group of records. These pairs are not accused.`
}
