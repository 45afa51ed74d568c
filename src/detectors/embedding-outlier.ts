import { z } from 'zod'
import type { Conclusion, Detector, Flagged, Setup } from '../contracts/detector.ts'
import type { Evidence, Finding, Test } from '../contracts/finding.ts'
import type { Context } from '../contracts/statistic.ts'
import { formatCount } from '../math/count.ts'
import { type CellOptions, cellPlan, cellSample } from '../statistics/cell-plan.ts'
import { cellExchange } from '../statistics/embedding/cell-exchange.ts'
import type { PartName } from '../statistics/embedding/neighbour-parts.ts'
import type { PartScale } from '../statistics/embedding/part-scale.ts'
import { type NeighbourFit, type NeighbourScale, neighbourFit } from '../statistics/neighbour-fit.ts'
import { neighbourSpread } from '../statistics/neighbour-spread.ts'
import { sizeFor, type VectorSample, vectorSample } from '../statistics/vector-sample.ts'
import { classesBySuspects, classMap, cutNote, partTable, percent, scoreHistogram } from './embedding/evidence.ts'
import {
  cutByRanks,
  cutWithin,
  missingVectors,
  type Suspect,
  type SuspicionTally,
  suspicionTally,
  unscored,
  vectorRole,
} from './embedding/suspicion.ts'
import { judgeByCells, judgeByNeighbours } from './embedding-outlier/judge.ts'
import { discover } from './label-flip/threshold.ts'

export const embeddingOutlierOptions = z.strictObject({
  /** Share of all records that may be flagged for review, 0...05. */
  budget: z.number().min(0).max(0.05).default(0.002),
  /** False discovery rate of the flags where there are trusted records. */
  fdr: z.number().gt(0).lt(1).default(0.05),
  /** Neighbours of a record. */
  neighbours: z.int().min(5).max(64).default(20),
  /** Records that all are compared with, at most. */
  sample: z.int().min(500).max(100_000).default(100_000),
  /** What a record is compared with: the sample, or all records, which finds small clusters in large data at several times the cost. */
  among: z.enum(['sample', 'all']).default('sample'),
})
export type EmbeddingOutlierOptions = z.infer<typeof embeddingOutlierOptions>

const hasReference = (setup: Setup): boolean => {
  const role = vectorRole(setup.subject)
  const labelled = !setup.subject.includes('label') || setup.reference?.includes('label') === true
  return role !== null && labelled && setup.reference?.includes(role) === true
}

const sizeOf = (options: EmbeddingOutlierOptions, setup: Setup): number =>
  setup.shape.rows === null ? options.sample : sizeFor(options.sample, setup.shape.rows)

/** Cells need no reference; where there is one, the sample is all that records are compared with. */
const cellsOf = (options: EmbeddingOutlierOptions, setup: Setup): CellOptions | null =>
  options.among === 'all' && !hasReference(setup) ? { size: options.sample, k: options.neighbours } : null

const statisticOf = (options: EmbeddingOutlierOptions, setup: Setup) =>
  neighbourFit({ size: sizeOf(options, setup), k: options.neighbours, reference: hasReference(setup) })

/** Records that lie apart from those around them: by distance, density, dimension, their neighbours' labels, or as a tight cluster. */
export const embeddingOutlier: Detector<EmbeddingOutlierOptions, SuspicionTally> = {
  id: 'embedding-outlier',
  version: 1,
  title: 'Outliers in embedding space',
  rules: [{ id: 'embedding-outlier/record', title: 'Record that lies apart in embedding space', family: 'clean-label' }],
  options: embeddingOutlierOptions,
  missing: (setup) => missingVectors(setup, false),
  mode(options, setup) {
    const labels = setup.subject.includes('label') ? 'within its class' : 'without labels'
    if (cellsOf(options, setup)) return `${options.neighbours} nearest neighbours ${labels}, among all records by cells`
    return hasReference(setup)
      ? `${options.neighbours} nearest neighbours ${labels}, against the reference records where there are 500 or more`
      : `${options.neighbours} nearest neighbours ${labels}`
  },
  reads: (_, setup) => [
    ...(setup.subject.includes('label') ? (['label'] as const) : []),
    'source',
    vectorRole(setup.subject) ?? 'embedding',
  ],
  statistics(options, setup) {
    const cells = cellsOf(options, setup)
    if (cells) return [cellSample(cells.size), cellPlan(cells), neighbourSpread(cells)]
    const size = sizeOf(options, setup)
    const samples = hasReference(setup) ? (['subject', 'reference'] as const) : (['subject'] as const)
    return [...samples.map((over) => vectorSample({ over, size })), statisticOf(options, setup)]
  },
  exchange(options, setup) {
    const cells = cellsOf(options, setup)
    return cells && cellExchange(cells)
  },
  scorer(c, setup) {
    const cells = cellsOf(c.options, setup)
    if (cells) {
      const { id } = neighbourSpread(cells)
      const scale = scaleOfCells(c, id)
      return scale ? judgeByCells(scale, id) : unscored(id)
    }
    const { id } = statisticOf(c.options, setup)
    const fit = c.summaries.get<NeighbourFit | null>(id)
    return fit ? judgeByNeighbours(fit, id) : unscored(id)
  },
  tally: suspicionTally,
  decide(c, tally) {
    const cut = cutOf(c, tally)
    return cut === null ? [] : [{ rule: 'embedding-outlier/record', group: null, atLeast: cut }]
  },
  conclude: (c, tally, _, flagged) => conclude(c, tally, flagged),
}

/** The scale of an audit in which records were compared with all others; null where there were too few. */
function scaleOfCells({ options, summaries }: Context<EmbeddingOutlierOptions>, id: string): NeighbourScale | null {
  const scale = summaries.get<PartScale | null>(id)
  const sample = summaries.get<VectorSample | null>(cellSample(options.sample).id)
  return scale && sample && { ...scale, trusted: false, sample, k: options.neighbours, calibration: new Float64Array(0) }
}

const isOfCells = (id: string): boolean => id.startsWith('neighbour-spread/')

function fitOf(c: Context<EmbeddingOutlierOptions>, { fitId }: SuspicionTally): NeighbourScale | null {
  if (fitId === '') return null
  return isOfCells(fitId) ? scaleOfCells(c, fitId) : c.summaries.get<NeighbourFit | null>(fitId)
}

function cutOf(c: Context<EmbeddingOutlierOptions>, tally: SuspicionTally): number | null {
  const fit = fitOf(c, tally)
  return fit?.trusted ? cutByRanks(tally, fit.calibration, c.options.fdr) : cutWithin(tally, c.options.budget)
}

function conclude(c: Context<EmbeddingOutlierOptions>, tally: SuspicionTally, flagged: Flagged): Conclusion {
  const fit = fitOf(c, tally)
  if (!fit) return { findings: [], tests: [], notes: ['There are too few records with different content to compare them.'] }
  const cut = cutOf(c, tally)
  const tests: Test[] = fit.trusted
    ? [
        {
          id: 'embedding-outlier/record: no record of the subject lies apart',
          method: 'Simes test of the conformal p-values, adapted to the share of nulls',
          p: Math.min(1, discover(tally.ranks, c.options.fdr).global),
        },
      ]
    : []
  const findings = flagged.count > 0 && cut !== null ? [recordFinding(fit, tally, flagged, cut, tests[0]?.id ?? null)] : []
  return { findings, tests, notes: [...notes(fit, isOfCells(tally.fitId)), cutNote(cut, tally)] }
}

const shownMaps = 3

function recordFinding(fit: NeighbourScale, tally: SuspicionTally, flagged: Flagged, cut: number, test: string | null): Finding {
  const suspects = tally.top.filter((s) => s.score >= cut)
  const reasons = new Map<string, number>()
  for (const { parts } of suspects) {
    const name = tally.parts[parts.indexOf(Math.max(...parts))] as PartName
    reasons.set(name, (reasons.get(name) ?? 0) + 1)
  }
  const [reason, count] = [...reasons].sort((a, b) => b[1] - a[1])[0] ?? ['distance', 0]
  return {
    rule: 'embedding-outlier/record',
    severity: test ? 'medium' : 'review',
    confidence: test ? 'medium' : 'low',
    scope: { kind: 'records', names: [] },
    message: `${formatCount(flagged.count)} of ${formatCount(flagged.scored)} records (${percent(flagged.count, flagged.scored)}) lie apart in embedding space; of the ${suspects.length} strongest, ${count} stand out by ${reasonWords[reason as PartName]}.`,
    count: flagged.count,
    records: flagged.top.slice(0, 20),
    evidence: [
      partTable(tally, suspects, 'Strongest records: parts of the score, in units of which 2 % of the sample reach 1'),
      scoreHistogram(tally, cut),
      ...classesBySuspects(suspects)
        .slice(0, shownMaps)
        .map((name) => mapOf(fit, suspects, name)),
    ],
    test,
    action: 'Look at the flagged records, strongest first: is the label right, and would anybody have collected this record?',
  }
}

const reasonWords: Readonly<Record<PartName, string>> = {
  distance: 'their distance from everything',
  slof: 'being sparser than their neighbours',
  dao: 'being sparser than the dimension around them allows',
  disagreement: 'neighbours with another label',
  tightness: 'a cluster of near copies',
}

function mapOf(fit: NeighbourScale, suspects: readonly Suspect[], name: string | null): Evidence {
  const { sample } = fit
  const { dims } = sample.map
  const code = name === null ? -1 : sample.classes.indexOf(name)
  const points: number[] = []
  sample.labels.forEach((label, i) => {
    if (label === code) points.push(sample.vectors[i * dims] as number, dims > 1 ? (sample.vectors[i * dims + 1] as number) : 0)
  })
  const whose = name === null ? 'all records' : `class "${name}"`
  return classMap(
    `Map of ${whose}`,
    points,
    suspects.filter((s) => s.name === name),
    'flagged',
  )
}

function notes(fit: NeighbourScale, byCells: boolean): string[] {
  const { sample, k } = fit
  const small = fit.centres.slice(0, sample.classes.length).filter((centre) => centre === null).length
  const space = `${k} neighbours each, in ${sample.map.dims} dimensions. Flags are for review: they are the strongest ones within the budget.`
  const base = byCells
    ? `Compared with all ${sample.seen} records by cells of about a thousand and those next to them, ${space}`
    : fit.trusted
      ? `Compared with ${sample.rows} trusted records, calibrated on ${fit.calibration.length} others: p-values assume that the reference has the same mix of classes.`
      : `Compared with ${sample.complete ? 'all' : 'a sample of'} ${sample.rows} records of different content, ${space}`
  const blind =
    byCells || fit.trusted || sample.complete
      ? []
      : ['A cluster of so few records that the sample holds two or three of them is not seen: `among: all` compares with all records.']
  return [base, ...blind, ...(small > 0 ? [`${small} classes have fewer than 30 records to compare: theirs are not scored.`] : [])]
}
