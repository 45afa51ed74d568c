import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { classesOf, maxJudged, pointsOf } from './embedding/classes.ts'
import { column, project, quadratic } from './embedding/dense.ts'
import { type Spectrum, spectrumOf } from './embedding/entropy.ts'
import { type Isolated, isolatedIn } from './embedding/isolated.ts'
import { median, unitOf } from './embedding/quantiles.ts'
import type { SpaceMap } from './embedding/space.ts'
import { type VectorSample, vectorSample } from './vector-sample.ts'

/** Where a direction or a form is measured from, and itself: [p] a direction, [p, p] a form. */
export interface Measure {
  readonly centre: Float64Array
  readonly values: Float64Array
  readonly form: boolean
}

export interface ClassSpectrum {
  readonly name: string
  /** Different records of the class in the sample. */
  readonly rows: number
  readonly mean: Float64Array
  /** [p, width] */
  readonly directions: Float64Array
  readonly width: number
  readonly centre: Float64Array
  readonly form: Float64Array
  /** Medians of the two parts. */
  readonly signature: number
  readonly entropy: number
  readonly isolated: Isolated<Measure> | null
  /** [m, 2] sampled rows on the first two directions. */
  readonly points: Float64Array
}

export interface SpectralFit {
  readonly map: SpaceMap
  readonly seen: number
  readonly rows: number
  readonly classes: readonly ClassSpectrum[]
  /** What 98 % of the sample exceed the median of their class by at most, as a share of it. */
  readonly units: { readonly signature: number; readonly entropy: number }
  /** Classes that are too small, or beyond the largest 500. */
  readonly left: number
}

const leastUnit = 0.1

const root = (values: Float64Array): Float64Array => values.map((v) => Math.sqrt(Math.max(v, 0)))

/** Projection, or the square root of a form. */
export const applyMeasure = (data: ArrayLike<number>, dims: number, { centre, values, form }: Measure): Float64Array =>
  form ? root(quadratic(data, dims, centre, values)) : project(data, dims, centre, values)

export const relative = (value: number, centre: number): number => (centre > 0 ? value / centre - 1 : 0)

/** Square roots of the spectral signature and of the quantum-entropy score. */
export const spectralParts = (
  data: ArrayLike<number>,
  dims: number,
  s: Pick<ClassSpectrum, 'mean' | 'directions' | 'width' | 'centre' | 'form'>,
): { readonly signature: Float64Array; readonly entropy: Float64Array } => ({
  signature: project(data, dims, s.mean, column(s.directions, s.width, 0)).map(Math.abs),
  entropy: root(quadratic(data, dims, s.centre, s.form)),
})

/** Spectra of the classes of a sample, and whether a part of each stands apart in one of them. It reads only the sample. */
export function spectralFit({ size }: { readonly size: number }): Statistic<Record<string, never>, SpectralFit | null> {
  const sampleId = vectorSample({ over: 'subject', size }).id
  return {
    id: `spectral-fit/${shortDigest({ size })}`,
    version: 1,
    needs: ['label'],
    after: [sampleId],
    over: 'subject',
    init: () => ({}),
    update() {},
    merge() {},
    async finish(c: Context) {
      const sample = c.summaries.get<VectorSample | null>(sampleId)
      if (!sample) return null
      const dims = sample.map.dims
      const classes: ClassSpectrum[] = []
      const excess = { signature: [] as number[], entropy: [] as number[] }
      for (const { code, vectors, halves } of classesOf(sample)) {
        const spectrum = await spectrumOf(vectors, dims)
        const { signature, entropy } = spectralParts(vectors, dims, spectrum)
        const { mean, directions, width, centre, form } = spectrum
        const [a, b] = [median(signature), median(entropy)]
        for (const v of signature) excess.signature.push(relative(v, a))
        for (const v of entropy) excess.entropy.push(relative(v, b))
        classes.push({
          name: sample.classes[code] as string,
          rows: vectors.length / dims,
          mean,
          directions,
          width,
          centre,
          form,
          signature: a,
          entropy: b,
          isolated: await isolatedIn(halves, async (data) => directionsOf(await spectrumOf(data, dims), dims)),
          points: pointsOf(vectors, dims, mean, directions, width),
        })
      }
      const units = { signature: unitOf(excess.signature, leastUnit), entropy: unitOf(excess.entropy, leastUnit) }
      return { map: sample.map, seen: sample.seen, rows: sample.rows, classes, units, left: sample.classes.length - classes.length }
    },
    bytes: (shape: Shape) => Math.min(shape.classes || 10, maxJudged) * Math.min(shape.dims, 64) ** 2 * 16,
  }
}

function directionsOf(s: Spectrum, dims: number) {
  const measures: Measure[] = [{ centre: s.centre, values: s.form, form: true }]
  for (const v of [...Array.from({ length: s.width }, (_, d) => column(s.directions, s.width, d)), ...s.outward])
    measures.push({ centre: s.mean, values: v, form: false }, { centre: s.mean, values: v.map((x) => -x), form: false })
  return measures.map((kind) => ({ kind, score: (data: Float32Array) => applyMeasure(data, dims, kind) }))
}
