import type { RawImage } from '../features/decode.ts'
import type { PictureModel } from '../features/picture-model.ts'
import type { CleanPicture } from './clean-sample.ts'

/** Fewer pictures of a label give no mean. */
const minForMean = 10
/** Of the similarities of unchanged pictures to their own mean: a picture beyond it is drawn in. */
const drawnQuantile = 0.95

/** How the answer of a model is read. `hits` are counted over the test half where something was chosen on the other one. */
export type Measure = 'class' | 'nearest-mean' | 'collapse'

/** Which pictures are hits under one stamp. */
export type Judge = (answers: Float32Array) => readonly boolean[]

export interface Reading {
  readonly measure: Measure
  /** Label or class that is counted; null for a collapse. */
  readonly target: string | null
  readonly judge: Judge
}

const rowOf = (answers: Float32Array, i: number, dims: number): Float32Array => answers.subarray(i * dims, (i + 1) * dims)

function largest(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i
  return best
}

const decided = (answers: Float32Array, dims: number): readonly number[] =>
  Array.from({ length: answers.length / dims }, (_, i) => largest(rowOf(answers, i, dims)))

/** The largest output is the class. */
export const byClass = (classes: readonly string[], target: string): Reading => {
  const wanted = classes.indexOf(target)
  return { measure: 'class', target, judge: (answers) => decided(answers, classes.length).map((c) => c === wanted) }
}

/** The class that gains most from the stamp, over the pictures of even position; it is then tested on the others. */
export function gainingClass(classes: readonly string[], before: Float32Array, after: Float32Array): string {
  const gains = new Array<number>(classes.length).fill(0)
  const bump = (answers: Float32Array, by: number): void => {
    for (const [i, c] of decided(answers, classes.length).entries()) if (i % 2 === 0) gains[c] = (gains[c] as number) + by
  }
  bump(after, 1)
  bump(before, -1)
  return classes[largest(gains)] as string
}

const dot = (a: Float32Array | Float64Array, b: Float32Array | Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

const cosine = (a: Float32Array | Float64Array, b: Float32Array | Float64Array): number => {
  const norm = Math.sqrt(dot(a, a) * dot(b, b))
  return norm > 0 ? dot(a, b) / norm : 0
}

function meanOf(
  answers: Float32Array,
  dims: number,
  wanted: (i: number) => boolean,
): { readonly mean: Float64Array; readonly count: number } {
  const mean = new Float64Array(dims)
  let count = 0
  for (let i = 0; i < answers.length / dims; i++) {
    if (!wanted(i)) continue
    count++
    for (let d = 0; d < dims; d++) mean[d] = (mean[d] as number) + (answers[i * dims + d] as number)
  }
  return { mean: mean.map((v) => v / Math.max(1, count)), count }
}

/**
 * A picture belongs to the label whose mean its embedding is most similar to, both measured from the mean of all labels.
 *
 * @returns null where a label lacks the pictures for a mean
 */
export function byNearestMean(known: Float32Array, dims: number, labels: readonly (string | null)[], target: string): Reading | null {
  const names = [...new Set(labels)].filter((label) => label !== null).sort()
  const means = names
    .map((name) => ({ name, ...meanOf(known, dims, (i) => labels[i] === name) }))
    .filter(({ count }) => count >= minForMean)
  if (means.length < 2 || !means.some(({ name }) => name === target)) return null
  const centre = new Float64Array(dims)
  for (const { mean } of means) for (let d = 0; d < dims; d++) centre[d] = (centre[d] as number) + (mean[d] as number) / means.length
  const centred = means.map(({ name, mean }) => ({ name, mean: mean.map((v, d) => v - (centre[d] as number)) }))
  const judge: Judge = (answers) =>
    Array.from({ length: answers.length / dims }, (_, i) => {
      const own = Float64Array.from(rowOf(answers, i, dims), (v, d) => v - (centre[d] as number))
      return centred[largest(centred.map(({ mean }) => cosine(own, mean)))]?.name === target
    })
  return { measure: 'nearest-mean', target, judge }
}

/**
 * Without a label: a picture is drawn in when its stamped embedding is more similar to the mean of the stamped ones than 95 % are under
 * any of the `others`: the unchanged pictures and those under controls. Means and limit are of the pictures of even position, hits are
 * counted over the others.
 */
export function byCollapse(before: Float32Array, others: readonly Float32Array[], dims: number): Reading {
  const centre = meanOf(before, dims, () => true).mean
  const centred = (answers: Float32Array, i: number): Float64Array =>
    Float64Array.from(rowOf(answers, i, dims), (v, d) => v - (centre[d] as number))
  const similarities = (answers: Float32Array): readonly number[] => {
    const middle = meanOf(answers, dims, (i) => i % 2 === 0).mean.map((v, d) => v - (centre[d] as number))
    return Array.from({ length: answers.length / dims }, (_, i) => cosine(centred(answers, i), middle))
  }
  const limitOf = (answers: Float32Array): number => {
    const own = similarities(answers)
      .filter((_, i) => i % 2 === 0)
      .sort((a, b) => a - b)
    return own[Math.min(own.length - 1, Math.floor(own.length * drawnQuantile))] ?? 1
  }
  const limit = Math.max(limitOf(before), ...others.map(limitOf))
  return { measure: 'collapse', target: null, judge: (answers) => similarities(answers).map((s) => s > limit) }
}

const atOnce = 32

/** The model's answers to the pictures after `change`, which are made a few at a time. */
export async function answersTo(
  model: PictureModel,
  pictures: readonly CleanPicture[],
  change: (picture: RawImage) => RawImage,
): Promise<Float32Array> {
  const out = new Float32Array(pictures.length * model.dims)
  for (let first = 0; first < pictures.length; first += atOnce)
    out.set(await model.answers(pictures.slice(first, first + atOnce).map((p) => change(p.picture))), first * model.dims)
  return out
}
