import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { best, type LabelledSample, nameOf, type Trial, tryAll } from './label-model/candidates.ts'
import { inputMaps, maxDirectDims } from './label-model/maps.ts'
import { foldCount } from './label-model/solve-folds.ts'
import { type LabelSample, labelSample } from './label-sample.ts'
import { vectorMoments } from './vector-moments.ts'

export interface ModelChoice {
  readonly classes: readonly string[]
  readonly sample: LabelledSample
  readonly chosen: Trial
  readonly trials: readonly { readonly name: string; readonly accuracy: number }[]
}

interface State {
  readonly moments: ReturnType<ReturnType<typeof vectorMoments>['init']>
  readonly sample: ReturnType<ReturnType<typeof labelSample>['init']>
}

export interface ModelChoiceOptions {
  readonly over: 'subject' | 'reference'
  readonly size: number
}

export const modelChoiceId = (options: ModelChoiceOptions): string => `model-choice/${shortDigest({ ...options })}`

/**
 * The moments of the vectors and a labelled sample of them; in `finish`, the model with the best cross-validated accuracy, or
 * null where there are fewer than two classes or two different contents.
 */
export function modelChoice(options: ModelChoiceOptions): Statistic<State, ModelChoice | null> {
  const moments = vectorMoments({ over: options.over, directDims: maxDirectDims })
  const sample = labelSample({ over: options.over, size: options.size, folds: foldCount })
  return {
    id: modelChoiceId(options),
    version: 1,
    needs: ['label'],
    after: [],
    over: options.over,
    keyed: true,
    init: (c) => ({ moments: moments.init(c), sample: sample.init(c) }),
    async update(c: Context, state: State, batch: Batch) {
      await moments.update(c, state.moments, batch)
      await sample.update(c, state.sample, batch)
    },
    seal: (c: Context, state: State) => sample.seal?.(c, state.sample),
    merge(into: State, from: State) {
      moments.merge(into.moments, from.moments)
      sample.merge(into.sample, from.sample)
    },
    async finish(c: Context, state: State) {
      const s = (await sample.finish(c, state.sample)) as LabelSample
      // Identical contents share a fold: without a second one there is nothing to learn from.
      if (s.classes.length < 2 || s.folds.every((f) => f === s.folds[0])) return null
      const labelled: LabelledSample = {
        vectors: { data: s.vectors, rows: s.rows, dims: s.dims },
        labels: s.labels,
        folds: s.folds,
        classes: s.classes.length,
      }
      const trials = await tryAll(labelled, await inputMaps(await moments.finish(c, state.moments)), c.seed)
      return {
        classes: s.classes,
        sample: labelled,
        chosen: best(trials, s.rows),
        trials: trials.map((t) => ({ name: nameOf(t.candidate), accuracy: t.accuracy })),
      }
    },
    bytes: (shape: Shape) => moments.bytes(shape) + sample.bytes(shape),
  }
}
