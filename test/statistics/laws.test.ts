import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keysOf, matrix, withColumns } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import type { Context, Statistic, Tree } from '../../src/contracts/statistic.ts'
import { decodeTree, encodeTree } from '../../src/engine/codec.ts'
import { keyed } from '../../src/math/rng.ts'
import { answerClusters } from '../../src/statistics/answer-clusters.ts'
import { answerPhrases } from '../../src/statistics/answer-phrases.ts'
import { bandBuckets } from '../../src/statistics/band-buckets.ts'
import { bandCounts } from '../../src/statistics/band-counts.ts'
import { cellPlan, cellSample } from '../../src/statistics/cell-plan.ts'
import { claimCounts } from '../../src/statistics/claim-counts.ts'
import { claimTable } from '../../src/statistics/claim-table.ts'
import { defaultUnits } from '../../src/statistics/claims/units.ts'
import { classThresholds } from '../../src/statistics/class-thresholds.ts'
import { clusterFit } from '../../src/statistics/cluster-fit.ts'
import { columnTriggers } from '../../src/statistics/column-triggers.ts'
import { confidentJoint } from '../../src/statistics/confident-joint.ts'
import { neighbourAnswers } from '../../src/statistics/embedding/cell-exchange.ts'
import { imageCopies } from '../../src/statistics/image-copies.ts'
import { imageHashCounts } from '../../src/statistics/image-hash-counts.ts'
import { joinedClaims } from '../../src/statistics/joined-claims.ts'
import { labelCensus } from '../../src/statistics/label-census.ts'
import { labelMargins } from '../../src/statistics/label-margins.ts'
import type { Candidate } from '../../src/statistics/label-model/candidates.ts'
import { labelModel } from '../../src/statistics/label-model.ts'
import { labelPhrases, ofReference } from '../../src/statistics/label-phrases.ts'
import { labelSample } from '../../src/statistics/label-sample.ts'
import { modelChoice, modelChoiceId } from '../../src/statistics/model-choice.ts'
import { neighbourFit } from '../../src/statistics/neighbour-fit.ts'
import { neighbourSpread } from '../../src/statistics/neighbour-spread.ts'
import { noiseLevels } from '../../src/statistics/noise-levels.ts'
import { pixelSample } from '../../src/statistics/pixel-sample.ts'
import { plantedPhrases } from '../../src/statistics/planted-phrases.ts'
import { pruneCutoffs } from '../../src/statistics/prune-cutoffs.ts'
import { repeatedGrams } from '../../src/statistics/repeated-grams.ts'
import { responseOpenings } from '../../src/statistics/response-openings.ts'
import { responseTraits } from '../../src/statistics/response-traits.ts'
import { spectralFit } from '../../src/statistics/spectral-fit.ts'
import { textSegments } from '../../src/statistics/text-segments.ts'
import { textSketch } from '../../src/statistics/text-sketch.ts'
import { traitPhrases } from '../../src/statistics/trait-phrases.ts'
import { triggerSearch } from '../../src/statistics/trigger-search.ts'
import { vectorMoments } from '../../src/statistics/vector-moments.ts'
import { vectorSample } from '../../src/statistics/vector-sample.ts'
import { batchOf, classes, dims, makeRows, type Row, seed } from './rows.ts'

interface Case {
  readonly file: string
  readonly name: string
  readonly columns: 'embedding' | 'features' | 'pixels' | 'text'
  readonly statistic: Statistic
  /** Fitted before it, on all rows. */
  readonly before?: readonly Statistic[]
  /** The rows have been through an exchange. */
  readonly answered?: boolean
  /** Summaries that do not come from the rows. */
  readonly given?: Readonly<Record<string, unknown>>
}

const own = { classes: null }
const counted = { units: defaultUnits, cells: 64 }
/** Amounts and vectors of the texts are subjects. */
const joinedTable = ['0', '1', '2', '5', '6', '7', '8'].map((subject, i) => ({
  subject,
  relation: 'compared',
  object: i % 2 ? 'salt' : 'aspirin',
}))
const sampled = { over: 'subject', size: 7 } as const

/** A model choice as `finish` leaves it. */
function chosen(family: Candidate['family'], projected: boolean, features: number) {
  const random = keyed(seed, `chosen ${family}`)
  const p = projected ? 2 : dims
  const map = {
    name: 'standardised' as const,
    mean: random.normals(dims),
    projection: projected ? random.normals(dims * p) : null,
    inverseScale: random.normals(p).map(Math.abs),
  }
  const fourier = features > 0 ? { w: random.normals(p * features), b: random.normals(features) } : null
  const sample = { vectors: { data: new Float64Array(0), rows: 0, dims }, labels: new Int32Array(0), folds: new Int32Array(0), classes: 2 }
  // Class 2 is not in the sample.
  return {
    [modelChoiceId(sampled)]: {
      classes: ['0', '1'],
      sample,
      chosen: { candidate: { family, map, width: 1, strength: 0.1 }, fourier, accuracy: 1 },
      trials: [],
    },
  }
}

const sketch = { over: 'subject', bits: { words: 10, pairs: 12, threes: 11, fours: 11 }, sample: 9 } as const
const grams = { sketch, labelled: true, most: 40 }
const plainGrams = { sketch, labelled: false, most: 4096 }
const segments = { sketch, most: 6 }
const answers = { bits: 8, least: 3 }
const traitWords = { words: { refusals: ['answer number 1'], negative: [], positive: [] }, sample: 40, least: 2 }
const census = labelCensus({ over: 'subject' })
const cells = { size: 40, k: 3 }

const cases: Case[] = [
  { file: 'label-census.ts', name: 'subject', columns: 'embedding', statistic: labelCensus({ over: 'subject' }) },
  { file: 'band-counts.ts', name: 'text', columns: 'features', statistic: bandCounts({ cells: 64 }) },
  {
    file: 'band-buckets.ts',
    name: 'few',
    columns: 'features',
    statistic: bandBuckets({ size: 9, cells: 64 }),
    before: [bandCounts({ cells: 64 })],
  },
  {
    file: 'band-buckets.ts',
    name: 'all',
    columns: 'features',
    statistic: bandBuckets({ size: 9999, cells: 64 }),
    before: [bandCounts({ cells: 64 })],
  },
  { file: 'claim-counts.ts', name: 'amounts', columns: 'features', statistic: claimCounts(counted) },
  { file: 'joined-claims.ts', name: 'few', columns: 'features', statistic: joinedClaims({ table: joinedTable, size: 2 }) },
  { file: 'joined-claims.ts', name: 'all', columns: 'features', statistic: joinedClaims({ table: joinedTable, size: 999 }) },
  {
    file: 'claim-table.ts',
    name: 'few',
    columns: 'features',
    statistic: claimTable({ ...counted, size: 5, least: 2 }),
    before: [claimCounts(counted)],
  },
  {
    file: 'claim-table.ts',
    name: 'all',
    columns: 'features',
    statistic: claimTable({ ...counted, size: 999, least: 2 }),
    before: [claimCounts(counted)],
  },
  { file: 'class-thresholds.ts', name: 'numbers', columns: 'embedding', statistic: classThresholds(own) },
  { file: 'class-thresholds.ts', name: 'names', columns: 'embedding', statistic: classThresholds({ classes: ['2', '0', '1'] }) },
  { file: 'column-triggers.ts', name: 'features', columns: 'features', statistic: columnTriggers({ sample: 7 }) },
  { file: 'confident-joint.ts', name: 'numbers', columns: 'embedding', statistic: confidentJoint(own), before: [classThresholds(own)] },
  {
    file: 'image-copies.ts',
    name: 'few',
    columns: 'pixels',
    statistic: imageCopies({ most: 7, bits: 10 }),
    before: [imageHashCounts(10)],
  },
  {
    file: 'image-copies.ts',
    name: 'all',
    columns: 'pixels',
    statistic: imageCopies({ most: 1000, bits: 10 }),
    before: [imageHashCounts(10)],
  },
  { file: 'image-hash-counts.ts', name: 'subject', columns: 'pixels', statistic: imageHashCounts(10) },
  { file: 'noise-levels.ts', name: 'subject', columns: 'pixels', statistic: noiseLevels() },
  { file: 'label-margins.ts', name: 'numbers', columns: 'embedding', statistic: labelMargins(own) },
  {
    file: 'prune-cutoffs.ts',
    name: 'numbers',
    columns: 'embedding',
    statistic: pruneCutoffs(own),
    before: [classThresholds(own), confidentJoint(own)],
  },
  { file: 'vector-moments.ts', name: 'variances', columns: 'features', statistic: vectorMoments({ over: 'subject', directDims: 9 }) },
  { file: 'vector-moments.ts', name: 'products', columns: 'embedding', statistic: vectorMoments({ over: 'subject', directDims: 2 }) },
  {
    file: 'vector-moments.ts',
    name: 'products with holes',
    columns: 'features',
    statistic: vectorMoments({ over: 'subject', directDims: 2 }),
  },
  { file: 'pixel-sample.ts', name: 'by label', columns: 'pixels', statistic: pixelSample({ perClass: 5, bytes: 1e6, labelled: true }) },
  { file: 'pixel-sample.ts', name: 'bounded', columns: 'pixels', statistic: pixelSample({ perClass: 50, bytes: 40, labelled: true }) },
  { file: 'pixel-sample.ts', name: 'one class', columns: 'pixels', statistic: pixelSample({ perClass: 7, bytes: 1e6, labelled: false }) },
  {
    file: 'trigger-search.ts',
    name: 'pixels',
    columns: 'pixels',
    statistic: triggerSearch({ sample: 5, bytes: 1e6 }, true),
  },
  { file: 'label-sample.ts', name: 'embedding', columns: 'embedding', statistic: labelSample({ ...sampled, folds: 5 }) },
  { file: 'label-sample.ts', name: 'features', columns: 'features', statistic: labelSample({ ...sampled, folds: 5 }) },
  { file: 'model-choice.ts', name: 'features', columns: 'features', statistic: modelChoice(sampled) },
  { file: 'label-model.ts', name: 'ridge', columns: 'features', statistic: labelModel(sampled), given: chosen('ridge', false, 0) },
  { file: 'label-model.ts', name: 'lda, projected', columns: 'embedding', statistic: labelModel(sampled), given: chosen('lda', true, 0) },
  { file: 'label-model.ts', name: 'fourier', columns: 'features', statistic: labelModel(sampled), given: chosen('fourier', false, 20) },
  {
    file: 'label-model.ts',
    name: 'nearest neighbours',
    columns: 'embedding',
    statistic: labelModel(sampled),
    given: chosen('knn', false, 0),
  },
  { file: 'text-sketch.ts', name: 'text', columns: 'text', statistic: textSketch(sketch) },
  { file: 'text-segments.ts', name: 'text', columns: 'text', statistic: textSegments(segments), before: [textSketch(sketch)] },
  { file: 'repeated-grams.ts', name: 'labelled', columns: 'text', statistic: repeatedGrams(grams), before: [textSketch(sketch), census] },
  { file: 'repeated-grams.ts', name: 'plain', columns: 'text', statistic: repeatedGrams(plainGrams), before: [textSketch(sketch)] },
  {
    file: 'label-phrases.ts',
    name: 'text',
    columns: 'text',
    statistic: labelPhrases({ grams, carriers: 7, uniform: 5 }),
    before: [textSketch(sketch), census, repeatedGrams(grams)],
  },
  {
    file: 'label-phrases.ts',
    name: 'trusted',
    columns: 'text',
    statistic: labelPhrases({ grams, carriers: 7, uniform: 5, reference: true }),
    before: [textSketch(sketch), textSketch(ofReference(grams).sketch), census, repeatedGrams(grams), repeatedGrams(ofReference(grams))],
  },
  {
    file: 'planted-phrases.ts',
    name: 'text',
    columns: 'text',
    statistic: plantedPhrases({ segments, grams: plainGrams, carriers: 7 }),
    before: [textSketch(sketch), textSegments(segments), repeatedGrams(plainGrams)],
  },
  { file: 'response-openings.ts', name: 'response', columns: 'text', statistic: responseOpenings({ bits: answers.bits }) },
  {
    file: 'answer-clusters.ts',
    name: 'response',
    columns: 'text',
    statistic: answerClusters(answers),
    before: [responseOpenings({ bits: answers.bits })],
  },
  {
    file: 'answer-phrases.ts',
    name: 'response',
    columns: 'text',
    statistic: answerPhrases(answers),
    before: [responseOpenings({ bits: answers.bits }), answerClusters(answers)],
  },
  { file: 'response-traits.ts', name: 'response', columns: 'text', statistic: responseTraits(traitWords) },
  {
    file: 'trait-phrases.ts',
    name: 'response',
    columns: 'text',
    statistic: traitPhrases(traitWords),
    before: [responseTraits(traitWords)],
  },
]

const vectors = vectorSample(sampled)
cases.push(
  { file: 'vector-sample.ts', name: 'embedding', columns: 'embedding', statistic: vectors },
  { file: 'vector-sample.ts', name: 'features', columns: 'features', statistic: vectors },
  { file: 'vector-sample.ts', name: 'everything', columns: 'features', statistic: vectorSample({ over: 'subject', size: 1000 }) },
  {
    file: 'neighbour-fit.ts',
    name: 'embedding',
    columns: 'embedding',
    statistic: neighbourFit({ size: 7, k: 3, reference: false }),
    before: [vectors],
  },
  { file: 'cell-plan.ts', name: 'embedding', columns: 'embedding', statistic: cellPlan(cells), before: [cellSample(cells.size)] },
  {
    file: 'neighbour-spread.ts',
    name: 'embedding',
    columns: 'embedding',
    statistic: neighbourSpread(cells),
    before: [cellSample(cells.size), cellPlan(cells)],
    answered: true,
  },
  { file: 'spectral-fit.ts', name: 'embedding', columns: 'embedding', statistic: spectralFit({ size: 7 }), before: [vectors] },
  { file: 'cluster-fit.ts', name: 'embedding', columns: 'embedding', statistic: clusterFit({ size: 7 }), before: [vectors] },
)

/** Not statistics, but what they share. */
const helpers = ['label-columns.ts']

const contextOf = (summaries: Readonly<Record<string, unknown>>): Context => ({
  options: null,
  seed,
  summaries: { get: <S>(id: string) => summaries[id] as S },
})

async function fit(s: Statistic, c: Context, batches: readonly Batch[]): Promise<Uint8Array> {
  const state = s.init(c)
  for (const batch of batches) await s.update(c, state, batch)
  await s.seal?.(c, state)
  return encodeTree(state as Tree, {})
}

/** States travel as bytes: two merges never share memory. */
const load = (bytes: Uint8Array): Tree => decodeTree(bytes, 'state').tree

function merge(s: Statistic, into: Uint8Array, from: Uint8Array): Uint8Array {
  const left = load(into)
  const right = load(from)
  s.merge(left, right)
  expect(Buffer.compare(encodeTree(right, {}), from)).toBe(0)
  return encodeTree(left, {})
}

/** Everything equal, but for the last digits of sums: 1e-9 of the largest entry, which Cauchy and Schwarz bound the terms by. */
function expectSame(a: Tree, b: Tree, path = 'state'): void {
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    const [x, y] = [a as Float64Array, b as Float64Array]
    expect([path, y.constructor.name, y.length]).toEqual([path, x.constructor.name, x.length])
    const scale = x.reduce((m, v) => Math.max(m, Math.abs(v) || 0), 1)
    x.forEach((v, i) => {
      if (!Object.is(v, y[i]) && !(Math.abs(v - (y[i] as number)) <= 1e-9 * scale)) expect([path, i, y[i]]).toEqual([path, i, v])
    })
  } else if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) {
    expect([path, ...Object.keys(b)]).toEqual([path, ...Object.keys(a)])
    for (const key of Object.keys(a))
      expectSame((a as Record<string, Tree>)[key] as Tree, (b as Record<string, Tree>)[key] as Tree, `${path}.${key}`)
  } else if (typeof a === 'number' && typeof b === 'number')
    expect(Math.abs(a - b), path).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(a)))
  else expect([path, b]).toEqual([path, a])
}

const same = (a: Uint8Array, b: Uint8Array): void => expectSame(load(a), load(b))

/** With answers that depend on the content alone, as those of an exchange do. */
function withAnswers(batch: Batch): Batch {
  const contents = keysOf(batch, 'content') as Uint8Array
  const data = Float32Array.from({ length: batch.numRows * neighbourAnswers }, (_, i) => {
    const row = Math.floor(i / neighbourAnswers)
    return contents[row * 16 + (i % neighbourAnswers)] as number
  })
  return withColumns(batch, { neighbours: matrix({ data, rows: batch.numRows, dims: neighbourAnswers }) })
}

const cut = (rows: readonly Row[], columns: Case['columns'], sizes: () => number): Batch[] => {
  const out: Batch[] = []
  for (let at = 0; at < rows.length; ) {
    const size = sizes()
    out.push(batchOf(rows.slice(at, at + size), columns, out.length))
    at += size
  }
  return out
}

const runs = 25

describe.each(cases.map((c) => ({ ...c, title: `${c.file} (${c.name})` })))(
  '$title',
  ({ statistic: s, columns, before = [], given = {}, answered = false }) => {
    const shaped = (batches: Batch[]) => (answered ? batches.map(withAnswers) : batches)
    test('is a commutative monoid over batches', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(1e6),
          fc.integer({ min: 0, max: 60 }),
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 1, max: 20 }),
          async (draw, count, shards, size) => {
            const random = keyed(seed, `split ${draw}`)
            const rows = makeRows(`rows ${draw}`, count, columns === 'features')
            const all = shaped(count > 0 ? [batchOf(rows, columns, 0)] : [])
            const summaries: Record<string, unknown> = { ...given }
            for (const earlier of before) {
              const c = contextOf(summaries)
              summaries[earlier.id] = await earlier.finish(c, load(await fit(earlier, c, all)))
            }
            const c = contextOf(summaries)
            const whole = await fit(s, c, all)

            const parts = await Promise.all(
              Array.from({ length: shards }, (_, shard) => {
                const mine = rows.filter((_, i) => (i * 7919 + draw) % shards === shard)
                return fit(s, c, shaped(cut(mine, columns, () => 1 + random.below(size))))
              }),
            )
            const none = await fit(s, c, [])
            const [a, b, d] = [parts[0] ?? none, parts[1] ?? none, parts[2] ?? none]
            same(merge(s, none, a), a)
            same(merge(s, a, none), a)
            same(merge(s, a, b), merge(s, b, a))
            same(merge(s, merge(s, a, b), d), merge(s, a, merge(s, b, d)))

            const left = [...parts]
            while (left.length > 1) {
              const [from] = left.splice(random.below(left.length), 1)
              const at = random.below(left.length)
              left[at] = merge(s, left[at] as Uint8Array, from as Uint8Array)
            }
            same(left[0] as Uint8Array, whole)
          },
        ),
        { numRuns: runs },
      )
    })

    test('declares what it is', () => {
      expect(s.id).toMatch(/^[a-z-]+\/[a-z0-9]+$/)
      expect(s.bytes({ rows: 1000, dims, classes: classes.length, sources: 5 })).toBeGreaterThan(0)
      for (const earlier of before) expect(s.after.length > 0 || earlier.after.length > 0).toBe(true)
      for (const id of s.after) expect([...before.map((x) => x.id), ...Object.keys(given)]).toContain(id)
    })
  },
)

test('every statistic is in the list', () => {
  const files = readdirSync(new URL('../../src/statistics', import.meta.url)).filter((f) => f.endsWith('.ts'))
  expect([...new Set(cases.map((c) => c.file)), ...helpers].sort()).toEqual(files.sort())
})
