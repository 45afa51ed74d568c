import { codesOf, keysOf, vectorsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { foldOf, shortDigest } from '../math/hash.ts'
import { addGram, type GramSums, gramSums } from '../math/kernels.ts'
import { fourierFeatures } from './label-model/candidates.ts'
import { type FittedModel, fitModel } from './label-model/fit.ts'
import { applyMap } from './label-model/maps.ts'
import { foldCount, sumsOf } from './label-model/solve-folds.ts'
import { type ModelChoice, type ModelChoiceOptions, modelChoiceId } from './model-choice.ts'

interface Fold {
  /** Rows that wait for a full block: vectors [rows, d] and class codes. */
  pending: Float64Array
  labels: Int32Array
  waiting: number
  sums: GramSums | null
}

interface State {
  dims: number
  folds: Fold[]
}

/** Rows of one fold that go through the kernels together. */
const block = 1024

export const labelModelId = (options: ModelChoiceOptions): string => `label-model/${shortDigest({ ...options })}`

/**
 * The Gram matrices of the chosen model's features and their cross products with the labels, one pair a fold: they add up, so
 * the k-fold models come from one pass and are out of fold by construction. Records with equal content share a fold.
 * A label that the sample does not have is left out of the fit.
 */
export function labelModel(options: ModelChoiceOptions): Statistic<State, FittedModel | null> {
  const choiceId = modelChoiceId(options)
  const choiceOf = (c: Context) => c.summaries.get<ModelChoice | null>(choiceId)
  const flush = async (c: Context, state: State, fold: Fold): Promise<void> => {
    const choice = choiceOf(c)
    if (!choice || fold.waiting === 0) return
    const { candidate, fourier } = choice.chosen
    const rows = fold.waiting
    const x = await applyMap(candidate.map, { data: fold.pending.subarray(0, rows * state.dims), rows, dims: state.dims })
    const k = choice.classes.length
    const targets = new Float64Array(rows * k)
    for (let i = 0; i < rows; i++) targets[i * k + (fold.labels[i] as number)] = 1
    fold.sums ??= gramSums(fourier ? fourier.b.length : x.dims, k, true)
    await addGram(fold.sums, x, { data: targets, rows, dims: k }, fourier)
    fold.waiting = 0
  }
  return {
    id: labelModelId(options),
    version: 2,
    needs: ['label'],
    after: [choiceId],
    over: options.over,
    keyed: true,
    init: () => ({
      dims: 0,
      folds: Array.from({ length: foldCount }, () => ({ pending: new Float64Array(0), labels: new Int32Array(0), waiting: 0, sums: null })),
    }),
    async update(c: Context, state: State, batch: Batch) {
      const choice = choiceOf(c)
      const vectors = vectorsOf(batch)
      const label = codesOf(batch, 'label')
      const content = keysOf(batch, 'content')
      if (!choice || choice.chosen.candidate.family === 'knn' || !vectors || !label || !content) return
      const d = vectors.dims
      if (state.dims === 0) begin(state, d)
      const code = new Map(choice.classes.map((name, i) => [name, i]))
      const codes = label.values.map((v) => code.get(v) ?? -1)
      for (let i = 0; i < batch.numRows; i++) {
        const klass = (label.codes[i] as number) < 0 ? -1 : (codes[label.codes[i] as number] as number)
        if (klass < 0) continue
        const fold = state.folds[foldOf(content, i * 16, foldCount)] as Fold
        fold.pending.set(vectors.data.subarray(i * d, (i + 1) * d), fold.waiting * d)
        fold.labels[fold.waiting++] = klass
        if (fold.waiting === block) await flush(c, state, fold)
      }
    },
    async seal(c: Context, state: State) {
      for (const fold of state.folds) {
        await flush(c, state, fold)
        fold.pending = new Float64Array(0)
        fold.labels = new Int32Array(0)
      }
    },
    merge(into: State, from: State) {
      if (into.dims === 0) into.dims = from.dims
      from.folds.forEach((fold, i) => {
        if (!fold.sums) return
        const target = into.folds[i] as Fold
        if (!target.sums)
          target.sums = { ...fold.sums, gram: new Float64Array(fold.sums.gram.length), cross: new Float64Array(fold.sums.cross.length) }
        add(target.sums.gram, fold.sums.gram)
        add(target.sums.cross, fold.sums.cross)
      })
    },
    async finish(c: Context, state: State) {
      const choice = choiceOf(c)
      if (!choice) return null
      const sums = state.folds.map((f) => f.sums)
      const present = sums.find((s) => s !== null) ?? null
      const folds = present ? sums.map((s) => sumsOf(s ?? gramSums(present.q - 1, present.k, true))) : null
      return fitModel(choice.chosen, folds, choice.sample, choice.classes, c.seed)
    },
    bytes: (shape: Shape) => {
      const q = fourierFeatures + 1
      return foldCount * 8 * (q * (q + Math.max(shape.classes, 10)) + block * shape.dims)
    },
  }
}

function begin(state: State, d: number): void {
  state.dims = d
  for (const fold of state.folds) {
    fold.pending = new Float64Array(block * d)
    fold.labels = new Int32Array(block)
  }
}

const add = (into: Float64Array, from: Float64Array): void => {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (from[i] as number)
}
