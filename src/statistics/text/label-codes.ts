import type { LabelCensus } from '../label-census.ts'

const mostClasses = 50

/** The labels that phrases are counted by: the most frequent, by name. */
export function classesOf(census: LabelCensus): string[] {
  const counted = census.labels.map((name, i) => ({ name, count: census.labelCounts[i] as number }))
  counted.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  return counted
    .slice(0, mostClasses)
    .map((c) => c.name)
    .sort()
}

/** Codes into `classes` by code of the batch; -1 for a label that is not counted. */
export function codeMap(values: readonly string[], classes: readonly string[]): Int32Array {
  const code = new Map(classes.map((name, i) => [name, i]))
  return Int32Array.from(values, (v) => code.get(v) ?? -1)
}
