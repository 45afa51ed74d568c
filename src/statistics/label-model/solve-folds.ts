import { type GramSums, symmetrise } from '../../math/kernels.ts'
import { cholesky, solveCholesky } from '../../math/solve.ts'

export const foldCount = 5

/** Sums of one fold's rows, intercept last: Gram [q, q] and cross products with the one-hot labels [q, K]. */
export interface FoldSums {
  readonly gram: Float64Array
  readonly cross: Float64Array
}

/** Scores F = z W with z = (features, 1): one [q, K] matrix a fold, fitted without the rows of that fold. */
export type FoldWeights = readonly Float64Array[]

export const sumsOf = (sums: GramSums): FoldSums => {
  symmetrise(sums.gram, sums.q)
  return { gram: sums.gram, cross: sums.cross }
}

const without = (folds: readonly FoldSums[], fold: number): FoldSums => {
  const gram = new Float64Array((folds[0] as FoldSums).gram.length)
  const cross = new Float64Array((folds[0] as FoldSums).cross.length)
  folds.forEach((f, i) => {
    if (i === fold) return
    for (let j = 0; j < gram.length; j++) gram[j] = (gram[j] as number) + (f.gram[j] as number)
    for (let j = 0; j < cross.length; j++) cross[j] = (cross[j] as number) + (f.cross[j] as number)
  })
  return { gram, cross }
}

/** The sums of all folds but each one in turn, of the first `tried` ones; computed once for every choice of the penalty. */
export const complements = (folds: readonly FoldSums[], tried = folds.length): FoldSums[] =>
  folds.slice(0, tried).map((_, i) => without(folds, i))

/** Ridge regression to targets of +1 (given label) and -1, penalty lambda x mean diagonal of the Gram; the intercept is free. */
export async function ridgeWeights(training: readonly FoldSums[], q: number, k: number, lambda: number): Promise<FoldWeights> {
  const out: Float64Array[] = []
  for (const { gram, cross } of training) {
    let trace = 0
    for (let i = 0; i < q - 1; i++) trace += gram[i * q + i] as number
    const penalty = new Float64Array(q).fill((lambda * trace) / (q - 1) + 1e-8)
    penalty[q - 1] = 1e-8
    // Targets 2 Y - 1: twice the cross products less the column sums, which are the Gram's intercept column.
    const targets = new Float64Array(q * k)
    for (let i = 0; i < q; i++)
      for (let c = 0; c < k; c++) targets[i * k + c] = 2 * (cross[i * k + c] as number) - (gram[i * q + q - 1] as number)
    out.push(await solveCholesky(await cholesky(gram, q, penalty), targets, k))
  }
  return out
}

const absentClass = -1e3

/** Linear discriminant analysis with the pooled covariance shrunk towards a multiple of the identity. */
export async function ldaWeights(training: readonly FoldSums[], q: number, k: number, shrinkage: number): Promise<FoldWeights> {
  const d = q - 1
  const out: Float64Array[] = []
  for (const { gram, cross } of training) {
    const counts = Float64Array.from({ length: k }, (_, c) => cross[d * k + c] as number)
    const n = counts.reduce((sum, c) => sum + c, 0)
    const means = new Float64Array(d * k)
    for (let i = 0; i < d; i++)
      for (let c = 0; c < k; c++) means[i * k + c] = (cross[i * k + c] as number) / Math.max(counts[c] as number, 1)
    const within = new Float64Array(d * d)
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        let between = 0
        for (let c = 0; c < k; c++) between += (counts[c] as number) * (means[i * k + c] as number) * (means[j * k + c] as number)
        within[i * d + j] = ((gram[i * q + j] as number) - between) / n
      }
    }
    let trace = 0
    for (let i = 0; i < d; i++) trace += within[i * d + i] as number
    for (let i = 0; i < d * d; i++) within[i] = (within[i] as number) * (1 - shrinkage)
    const solved = await solveCholesky(await cholesky(within, d, (shrinkage * trace) / d + 1e-8), means, k)
    const weights = new Float64Array(q * k)
    weights.set(solved)
    for (let c = 0; c < k; c++) {
      let half = 0
      for (let i = 0; i < d; i++) half += 0.5 * (means[i * k + c] as number) * (solved[i * k + c] as number)
      weights[d * k + c] = (counts[c] as number) > 0 ? Math.log((counts[c] as number) / n) - half : absentClass
    }
    out.push(weights)
  }
  return out
}
