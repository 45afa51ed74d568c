import type { Evidence } from '../../contracts/finding.ts'
import { formatCount } from '../../math/count.ts'
import { leastSuspicion, recordsFrom, type Suspect, type SuspicionTally, scoreBins, scoreOf, suspicionIn } from './suspicion.ts'

const shownBins = 40
const maxPoints = 400

/** Scores of all records; the bins are those of the tally, joined. */
export function scoreHistogram(tally: SuspicionTally, cut: number | null): Evidence {
  const width = Math.ceil(scoreBins / shownBins)
  const counts: number[] = []
  for (let at = 0; at < scoreBins; at += width) counts.push(tally.histogram.subarray(at, at + width).reduce((sum, n) => sum + n, 0))
  return {
    kind: 'histogram',
    title: 'Records by score',
    xTitle: 'score (.75 is what 2 % of the sample exceed)',
    edges: Array.from({ length: counts.length + 1 }, (_, b) => Number(Math.min(1, (b * width) / scoreBins).toFixed(4))),
    series: [{ name: 'records', counts }],
    threshold: cut === null ? null : Number(cut.toFixed(4)),
  }
}

const round = (v: number): number => Number(v.toPrecision(6))

/** A class in the plane of two principal components, [m, 2] points of sampled records, with suspects drawn over them. */
export function classMap(title: string, points: ArrayLike<number>, suspects: readonly Suspect[], marked: string): Evidence {
  const all: [number, number][] = []
  const step = 2 * Math.max(1, Math.ceil(points.length / 2 / maxPoints))
  for (let at = 0; at + 1 < points.length; at += step) all.push([round(points[at] as number), round(points[at + 1] as number)])
  return {
    kind: 'scatter',
    title,
    xTitle: 'first principal component',
    yTitle: 'second principal component',
    series: [
      { name: 'sampled records', marked: false, points: all },
      { name: marked, marked: true, points: suspects.slice(0, maxPoints).map((s) => [round(s.x), round(s.y)]) },
    ],
  }
}

/** What each part of the score says of the strongest records, in units. */
export function partTable(tally: SuspicionTally, suspects: readonly Suspect[], title: string): Evidence {
  return {
    kind: 'table',
    title,
    columns: ['label', 'most of its neighbours', 'score', ...tally.parts],
    rows: suspects.slice(0, 12).map((s) => [s.name, s.near, Number(s.score.toFixed(3)), ...s.parts.map((v) => Number(v.toFixed(2)))]),
  }
}

export function cutNote(cut: number | null, tally: SuspicionTally): string {
  if (cut !== null && (tally.ranks.length > 0 || recordsFrom(tally, cut) > 0))
    return `Flagged from ${suspicionIn(cut).toFixed(1)} units of suspicion.`
  const strong = recordsFrom(tally, scoreOf(leastSuspicion))
  // With trusted records p-values decide, and not a budget.
  return strong === 0 || tally.ranks.length > 0
    ? 'No record reached the score at which records are flagged.'
    : `${formatCount(strong)} records reached the score at which records are flagged, more than the budget allows and none stronger than so many others: none is flagged. A larger \`budget\` shows them.`
}

/** Names of classes by how many suspects they have, most first. */
export function classesBySuspects(suspects: readonly Suspect[]): (string | null)[] {
  const counts = new Map<string | null, number>()
  for (const s of suspects) counts.set(s.name, (counts.get(s.name) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)).map(([name]) => name)
}

export const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(whole, 1)).toFixed(2)} %`
