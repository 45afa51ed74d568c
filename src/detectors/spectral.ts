import { z } from 'zod'
import { vectorsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Conclusion, Detector, Flagged, Setup } from '../contracts/detector.ts'
import type { Finding } from '../contracts/finding.ts'
import type { Context } from '../contracts/statistic.ts'
import { formatCount } from '../math/count.ts'
import { codesIn, pointOf } from '../statistics/embedding/classes.ts'
import { mapVectors } from '../statistics/embedding/space.ts'
import { applyMeasure, relative, type SpectralFit, spectralFit, spectralParts } from '../statistics/spectral-fit.ts'
import { sizeFor, vectorSample } from '../statistics/vector-sample.ts'
import { classesBySuspects, classMap, cutNote, partTable, percent, scoreHistogram } from './embedding/evidence.ts'
import { apartFindings, leftNote, partsFlagged, standsApart, testsOf } from './embedding/standing-apart.ts'
import {
  cutWithin,
  missingVectors,
  quietScores,
  recordsFrom,
  type Suspected,
  type SuspicionTally,
  scoreOf,
  suspicionTally,
  unscored,
  vectorRole,
} from './embedding/suspicion.ts'

export const spectralOptions = z.strictObject({
  /** Share of all records that may be flagged for review, 0...05. */
  budget: z.number().min(0).max(0.05).default(0.002),
  /** Records of which the spectra are made, at most. */
  sample: z.int().min(500).max(100_000).default(100_000),
})
export type SpectralOptions = z.infer<typeof spectralOptions>

const sizeOf = (options: SpectralOptions, setup: Setup): number =>
  setup.shape.rows === null ? options.sample : sizeFor(options.sample, setup.shape.rows)

const record = 'spectral/record'
const part = 'spectral/class'

/** Records along which their class varies as one kind of record does not: spectral signatures, and SPECTRE's quantum entropy. */
export const spectral: Detector<SpectralOptions, SuspicionTally> = {
  id: 'spectral',
  version: 1,
  title: 'Spectral signatures',
  rules: [
    { id: record, title: 'Record with a strong spectral signature', family: 'clean-label' },
    { id: part, title: 'Part of a class that stands apart in its spectrum', family: 'clean-label' },
  ],
  options: spectralOptions,
  missing: (setup) => missingVectors(setup, true),
  mode: () => 'spectral signature and quantum entropy of each class, for expected rates of .5 to 10 %',
  reads: (_, setup) => ['label', 'source', vectorRole(setup.subject) ?? 'embedding'],
  statistics(options, setup) {
    const size = sizeOf(options, setup)
    return [vectorSample({ over: 'subject', size }), spectralFit({ size })]
  },
  scorer(c, setup) {
    const { id } = spectralFit({ size: sizeOf(c.options, setup) })
    const fit = c.summaries.get<SpectralFit | null>(id)
    return fit ? (batch) => judge(fit, id, batch) : unscored(id)
  },
  tally: suspicionTally,
  decide(c, tally) {
    const cut = cutWithin(tally, c.options.budget)
    return [...partsFlagged(part, tally), ...(cut === null ? [] : [{ rule: record, group: null, atLeast: cut }])]
  },
  conclude: (c, tally, _, flagged) => conclude(c, tally, flagged),
}

async function judge(fit: SpectralFit, fitId: string, batch: Batch): Promise<Suspected> {
  const vectors = vectorsOf(batch)
  if (!vectors) throw new Error('the batch has no vectors')
  const { dims } = fit.map
  const names = fit.classes.map((c) => c.name)
  const labels = codesIn(names, batch)
  const mapped = await mapVectors(fit.map, vectors)
  const n = batch.numRows
  const score = quietScores(labels)
  const signature = new Float64Array(n)
  const entropy = new Float64Array(n)
  const group = new Int32Array(n).fill(-1)
  fit.classes.forEach((spectrum, code) => {
    const rows = [...labels.keys()].filter((i) => labels[i] === code)
    if (rows.length === 0) return
    const own = new Float32Array(rows.length * dims)
    rows.forEach((row, i) => {
      own.set(mapped.subarray(row * dims, (row + 1) * dims), i * dims)
    })
    const parts = spectralParts(own, dims, spectrum)
    const apart = standsApart(spectrum, fit.classes) && spectrum.isolated ? spectrum.isolated : null
    const along = apart ? applyMeasure(own, dims, apart.kind) : null
    rows.forEach((row, i) => {
      signature[row] = relative(parts.signature[i] as number, spectrum.signature) / fit.units.signature
      entropy[row] = relative(parts.entropy[i] as number, spectrum.entropy) / fit.units.entropy
      score[row] = scoreOf(Math.max(signature[row] as number, entropy[row] as number))
      if (apart && along && (along[i] as number) > apart.cut) group[row] = code
    })
  })
  return {
    score,
    group: { codes: group, values: names },
    parts: ['signature', 'entropy'],
    fitId,
    calibration: 0,
    detail(i) {
      const spectrum = fit.classes[labels[i] as number]
      const x = mapped.subarray(i * dims, (i + 1) * dims)
      const point = spectrum ? pointOf(x, spectrum.mean, spectrum.directions, spectrum.width) : ([0, 0] as const)
      return { name: spectrum?.name ?? null, x: point[0], y: point[1], parts: [signature[i] as number, entropy[i] as number], near: null }
    },
  }
}

const shownMaps = 3

function conclude(c: Context<SpectralOptions>, tally: SuspicionTally, flagged: Flagged): Conclusion {
  const fit = tally.fitId === '' ? null : c.summaries.get<SpectralFit | null>(tally.fitId)
  if (!fit || fit.classes.length === 0) return { findings: [], tests: [], notes: ['No class has 100 records of different content.'] }
  const cut = cutWithin(tally, c.options.budget)
  const findings: Finding[] = apartFindings(part, fit.classes, tally, flagged, () => [])
  const suspects = cut === null ? [] : tally.top.filter((s) => s.score >= cut)
  if (cut !== null && suspects.length > 0) {
    const strong = flagged.top.filter((r) => r.score >= cut)
    findings.push({
      rule: record,
      severity: 'review',
      confidence: 'low',
      scope: { kind: 'records', names: [] },
      message: `${formatCount(recordsFrom(tally, cut))} of ${formatCount(flagged.scored)} records (${percent(recordsFrom(tally, cut), flagged.scored)}) lie far out along what their class varies in most.`,
      count: recordsFrom(tally, cut),
      records: strong.slice(0, 20),
      evidence: [
        partTable(tally, suspects, 'Strongest records: parts of the score, in units of which 2 % of the sample reach 1'),
        scoreHistogram(tally, cut),
        ...classesBySuspects(suspects)
          .slice(0, shownMaps)
          .flatMap((name) => {
            const spectrum = fit.classes.find((k) => k.name === name)
            const own = suspects.filter((s) => s.name === name)
            return spectrum ? [classMap(`Map of class "${name}"`, spectrum.points, own, 'flagged')] : []
          }),
      ],
      test: null,
      action: 'Look at the flagged records, strongest first: what do they have in common that the rest of their class has not?',
    })
  }
  return { findings, tests: testsOf(part, fit.classes), notes: [leftNote(fit.classes.length, fit.left, fit.rows), cutNote(cut, tally)] }
}
