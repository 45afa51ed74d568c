import type { Role } from '../contracts/data.ts'
import type { Conclusion, Detector, Flagged, Setup, Threshold } from '../contracts/detector.ts'
import type { Test } from '../contracts/finding.ts'
import type { Context } from '../contracts/statistic.ts'
import { classThresholds, type ClassThresholds } from '../statistics/class-thresholds.ts'
import { labelColumns } from '../statistics/label-columns.ts'
import { labelMargins } from '../statistics/label-margins.ts'
import { labelModel, labelModelId } from '../statistics/label-model.ts'
import type { DepthQuantiles } from '../statistics/label-model/depth.ts'
import type { FittedModel } from '../statistics/label-model/fit.ts'
import { modelChoice, modelChoiceId, type ModelChoice } from '../statistics/model-choice.ts'
import { flipTable, type FlipTable } from './label-flip/evidence.ts'
import { type LabelFlipOptions, labelFlipOptions } from './label-flip/options.ts'
import { judgePredictions, scoreAtRatio } from './label-flip/own-predictions.ts'
import { testPairs } from './label-flip/pair-test.ts'
import { recordFinding } from './label-flip/record-finding.ts'
import { testSources } from './label-flip/source-test.ts'
import { cellName, labelTally, type LabelTally, scoreOf } from './label-flip/tally.ts'
import { cellCuts, cutFor, discover, flipsToFlag } from './label-flip/threshold.ts'
import { judgeByModel } from './label-flip/with-model.ts'
import { codesOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'

type Mode = 'own predictions' | 'reference' | 'no model'

const vectorRole = (roles: readonly Role[]): Role | null => (roles.includes('embedding') ? 'embedding' : roles.includes('features') ? 'features' : null)

function modeOf(setup: Setup): Mode | null {
  if (!setup.subject.includes('label')) return null
  if (setup.subject.includes('predictions')) return 'own predictions'
  const vectors = vectorRole(setup.subject)
  if (!vectors) return null
  return setup.reference?.includes('label') && setup.reference.includes(vectors) ? 'reference' : 'no model'
}

const samplePart = (options: LabelFlipOptions, mode: Mode) => ({ over: mode === 'reference' ? ('reference' as const) : ('subject' as const), size: options.sample })
const leastReference = 20

const modelOf = (c: Context<LabelFlipOptions>, mode: Mode): FittedModel | null => c.summaries.get<FittedModel | null>(labelModelId(samplePart(c.options, mode)))

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
export const labelFlip: Detector<LabelFlipOptions, { readonly mode: Mode; readonly tally: LabelTally }, FlipTable> = {
  id: 'label-flip',
  version: 1,
  title: 'Label flips',
  rules: [
    { id: 'label-flip/record', title: 'Record that looks like another class than its label says', family: 'label-flip' },
    { id: 'label-flip/class-pair', title: 'Class pair with labels changed from one to the other', family: 'label-flip' },
    { id: 'label-flip/source', title: 'Source that labels one class as another more often than all others', family: 'label-flip' },
  ],
  options: labelFlipOptions,
} as never
