import { type PartName, type Parts, partNames } from './neighbour-parts.ts'
import { median, unitOf } from './quantiles.ts'

/** How the parts of records spread. */
export interface PartScale {
  /** Medians of the parts, one entry a class in the order of the codes, then one for records without a label. Null: too few. */
  readonly centres: readonly (Readonly<Record<PartName, number>> | null)[]
  /** What 98 % of the sample exceed the median of their class by at most: the same for all classes, so that poison sets none. */
  readonly units: Readonly<Record<PartName, number>>
}

/** Records of a class, below which it is not judged. */
export const leastToJudge = 30
/** Units are never taken for less: where all distances are nearly equal, small differences mean nothing. */
const leastUnit: Readonly<Record<PartName, number>> = { distance: 0.05, slof: 0.05, dao: 0.2, disagreement: 0.25, tightness: 0.2 }

/** The scale of a sample. @param labels codes below `classes`, -1 where there is no label */
export function scaleOf(parts: Parts, labels: Int32Array, classes: number): PartScale {
  const groups: number[][] = Array.from({ length: classes + 1 }, () => [])
  labels.forEach((label, i) => {
    if (!Number.isNaN(parts.distance[i])) groups[label < 0 ? classes : label]?.push(i)
  })
  const of = <T>(value: (name: PartName) => T) => Object.fromEntries(partNames.map((name) => [name, value(name)])) as Record<PartName, T>
  const centres = groups.map((rows) =>
    rows.length < leastToJudge ? null : of((name) => median(rows.map((i) => parts[name][i] as number))),
  )
  const units = of((name) =>
    unitOf(
      Array.from(labels, (_, i) => above(centres, name, parts, labels, i)),
      leastUnit[name],
    ),
  )
  return { centres, units }
}

/** How far a part lies above the median of its class; NaN where the class is too small. */
function above(centres: PartScale['centres'], name: PartName, parts: Parts, labels: Int32Array, i: number): number {
  const label = labels[i] as number
  const centre = centres[label < 0 ? centres.length - 1 : label]
  return centre ? (parts[name][i] as number) - centre[name] : Number.NaN
}

/** The parts of row i in units of suspicion. */
export const unitsOf = (scale: PartScale, parts: Parts, labels: Int32Array, i: number): number[] =>
  partNames.map((name) => above(scale.centres, name, parts, labels, i) / scale.units[name])

/** The strongest part of each record in units; NaN where its class is too small. */
export const suspicionOf = (scale: PartScale, parts: Parts, labels: Int32Array): Float64Array =>
  Float64Array.from(labels, (_, i) => Math.max(...unitsOf(scale, parts, labels, i)))
