import type { Evidence, Finding, RecordRef } from '../../contracts/finding.ts'
import { formatCount } from '../../math/count.ts'
import { pictureOf } from '../../math/picture.ts'
import type { NoiseEvidence, NoisyGroup } from './evidence.ts'
import type { TailTest } from './tail.ts'
import { zBins, zEdge } from './tally.ts'

export interface GroupTail {
  readonly name: string
  readonly records: number
  readonly counts: Float64Array
  readonly tail: TailTest
  readonly test: string
}

const shownBins = 60

const round = (v: number): number => Number(v.toFixed(2))

export function noiseFinding(g: GroupTail, evidence: NoiseEvidence, top: readonly RecordRef[]): Finding {
  const own = evidence.groups.find((e) => e.name === g.name)
  const share = ((100 * g.tail.beyond) / g.records).toFixed(2)
  const expected = g.tail.expected < 1 ? 'less than one was' : `at most about ${Math.round(g.tail.expected)} were`
  return {
    rule: 'perturbation-noise/excess',
    severity: 'high',
    confidence: 'medium',
    scope: { kind: 'pattern', names: [g.name] },
    message: `${formatCount(g.tail.beyond)} of ${formatCount(g.records)} pictures (${share} %) of the group "${g.name}" have more high-frequency noise than its other pictures explain: ${expected} expected there.`,
    count: g.tail.beyond,
    records: top.filter((r) => r.group === g.name).slice(0, 20),
    evidence: [histogram(g), ...(own ? [...labels(own), ...pictures(own, evidence)] : [])],
    test: g.test,
    action:
      'Compare the flagged pictures with their originals, or with the same pictures from elsewhere; set them aside until it is known how the noise came in.',
  }
}

function histogram({ counts, tail }: GroupTail): Evidence {
  const first = counts.findIndex((n) => n > 0)
  const last = counts.findLastIndex((n) => n > 0)
  const step = Math.max(1, Math.ceil((last - first + 1) / shownBins))
  const bars = Math.ceil((last - first + 1) / step)
  return {
    kind: 'histogram',
    title: 'Pictures by high-frequency noise',
    xTitle: 'robust deviations from the median of the group',
    edges: Array.from({ length: bars + 1 }, (_, b) => round(zEdge(Math.min(first + b * step, zBins)))),
    series: [
      {
        name: 'pictures',
        counts: Array.from({ length: bars }, (_, b) =>
          counts.subarray(first + b * step, first + (b + 1) * step).reduce((sum, n) => sum + n, 0),
        ),
      },
    ],
    threshold: tail.cut === null ? null : round(tail.cut),
  }
}

function labels({ labels: counts, count }: NoisyGroup): Evidence[] {
  const rows = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  if (rows.length === 0) return []
  return [
    {
      kind: 'table',
      title: 'Labels of the flagged pictures',
      columns: ['label', 'pictures', 'share'],
      rows: rows.slice(0, 10).map(([label, n]) => [label, n, `${((100 * n) / count).toFixed(1)} %`]),
    },
  ]
}

function pictures(own: NoisyGroup, { height, width, channels }: NoiseEvidence): Evidence[] {
  const most = own.residual.reduce((a, v) => Math.max(a, v), 0)
  const map = Uint8Array.from(own.residual, (v) => (most > 0 ? Math.round((255 * v) / most) : 0))
  return [
    {
      kind: 'pictures',
      title: 'Where the noise lies',
      ofRecords: false,
      items: [
        pictureOf({
          caption: `mean difference of neighbours over ${own.count} flagged pictures, white: ${(most / own.count).toFixed(1)} levels`,
          data: map,
          height,
          width,
          channels: 1,
        }),
      ],
    },
    {
      kind: 'pictures',
      title: 'Pictures with most noise',
      ofRecords: true,
      items: own.strongest.map((r) =>
        pictureOf({
          caption: [r.id ?? `row ${r.row}`, ...(r.label === null ? [] : [`labelled ${r.label}`])].join(', '),
          data: r.data,
          height,
          width,
          channels,
        }),
      ),
    },
  ]
}
