import type { Flagged } from '../../contracts/detector.ts'
import type { Evidence, Finding, Severity } from '../../contracts/finding.ts'
import { formatCount } from '../../math/count.ts'
import type { FlipTable } from './evidence.ts'
import { edgeOf, evidenceBins, type LabelTally } from './tally.ts'

const maxMatrix = 20
const shownBins = 40

/** The one finding about single records. Without a reference they have no null hypothesis behind them: they are for review. */
export function recordFinding(tally: LabelTally, table: FlipTable, flagged: Flagged, cut: number | null, test: string | null): Finding {
  const share = flagged.scored > 0 ? (100 * flagged.count) / flagged.scored : 0
  const pair = [...table.pairs].sort((a, b) => b.count - a.count)[0]
  const most = pair ? ` The most frequent change is from "${pair.given}" to "${pair.suggested}" (${pair.count}).` : ''
  const severity: Severity = test ? 'high' : 'review'
  return {
    rule: 'label-flip/record',
    severity,
    confidence: test ? 'high' : 'low',
    scope: { kind: 'records', names: [] },
    message: `${formatCount(flagged.count)} of ${formatCount(flagged.scored)} labelled records (${share.toFixed(2)} %) look like another class than their label says.${most}`,
    count: flagged.count,
    records: flagged.top.slice(0, 20),
    evidence: [matrix(tally, table), histogram(tally, cut)],
    test,
    action: 'Have the flagged records labelled again by a second reader, strongest first; correct or drop those whose label is wrong.',
  }
}

/** The classes with most flagged records, at most twenty. */
function matrix(tally: LabelTally, table: FlipTable): Evidence {
  const weight = new Map<string, number>()
  for (const p of table.pairs) for (const name of [p.given, p.suggested]) weight.set(name, (weight.get(name) ?? 0) + p.count)
  const kept = new Set(
    [...weight]
      .sort((a, b) => b[1] - a[1])
      .slice(0, maxMatrix)
      .map(([name]) => name),
  )
  const names = tally.classes.filter((c) => kept.has(c))
  const at = new Map(names.map((n, i) => [n, i]))
  const counts = names.map(() => names.map(() => 0))
  let total = 0
  for (const p of table.pairs) {
    const row = counts[at.get(p.given) ?? -1]
    const column = at.get(p.suggested)
    if (!row || column === undefined) continue
    row[column] = p.count
    total += p.count
  }
  const cells = names.length * (names.length - 1)
  const marked: [number, number][] = []
  counts.forEach((row, i) => {
    row.forEach((n, j) => {
      if (cells > 2 && n >= 5 && n > (3 * total) / cells) marked.push([i, j])
    })
  })
  return {
    kind: 'matrix',
    title: 'Flagged records by given and suggested label',
    rowTitle: 'given label',
    columnTitle: 'suggested label',
    rows: names,
    columns: names,
    counts,
    marked,
  }
}

function histogram(tally: LabelTally, cut: number | null): Evidence {
  const from = evidenceBins / 2
  const width = Math.floor((evidenceBins - from) / shownBins)
  const counts = Array.from({ length: shownBins }, (_, b) =>
    tally.evidence.subarray(from + b * width, from + (b + 1) * width).reduce((sum, n) => sum + n, 0),
  )
  const last = counts.findLastIndex((n) => n > 0) + 1
  const kept = Math.max(last, 1)
  return {
    kind: 'histogram',
    title: 'Records that look like another class, by strength of evidence',
    xTitle: 'log odds of the suggested against the given label',
    edges: Array.from({ length: kept + 1 }, (_, b) => Number(edgeOf(from + b * width).toFixed(3))),
    series: [{ name: 'records', counts: counts.slice(0, kept) }],
    threshold: cut !== null && Number.isFinite(cut) ? Number(cut.toFixed(3)) : null,
  }
}
