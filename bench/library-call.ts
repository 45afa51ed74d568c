// Seconds of five calls of the label-flip detector on 1,000,000 x 10 predictions in memory, as cleanlab's find_label_issues is
// timed beside it: statistics, scores and flags of every row. node --import tsx bench/library-call.ts FOLDER.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBatch } from '../src/contracts/batch.ts'
import type { Batch } from '../src/contracts/data.ts'
import type { Scored, Setup } from '../src/contracts/detector.ts'
import type { Context } from '../src/contracts/statistic.ts'
import type { LabelTally } from '../src/detectors/label-flip/tally.ts'
import { labelFlip } from '../src/detectors/label-flip.ts'
import { contextFor } from '../src/engine/statistics.ts'

const rowsPerBatch = 65_536

/** The values of an .npy file with a header of version 1. */
function npy(path: string): ArrayBuffer {
  const bytes = readFileSync(path)
  return new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer
}

const folder = process.argv[2] ?? '.'
const predictions = new Float32Array(npy(join(folder, 'predictions.npy')))
const given = Int32Array.from(new BigInt64Array(npy(join(folder, 'labels.npy'))), Number)
const rows = given.length
const dims = predictions.length / rows
const values = Array.from({ length: dims }, (_, c) => String(c))
const seed = new Uint8Array(16)

function batches(): Batch[] {
  const made: Batch[] = []
  for (let first = 0; first < rows; first += rowsPerBatch) {
    const end = Math.min(first + rowsPerBatch, rows)
    made.push(
      makeBatch({
        row: Uint32Array.from({ length: end - first }, (_, i) => first + i),
        label: { codes: given.subarray(first, end), values },
        predictions: { data: predictions.subarray(first * dims, end * dims), rows: end - first, dims },
      }),
    )
  }
  return made
}

async function call(subject: readonly Batch[]): Promise<Uint8Array> {
  const setup: Setup = {
    subject: ['label', 'predictions'],
    reference: null,
    classes: values,
    shape: { rows, dims: 0, classes: dims, sources: 0 },
  }
  const options = labelFlip.options.parse({})
  const summaries = new Map<string, unknown>()
  for (const statistic of labelFlip.statistics(options, setup)) {
    const c = contextFor(null, seed, summaries, statistic.after)
    const state = statistic.init(c)
    for (const batch of subject) await statistic.update(c, state, batch)
    await statistic.seal?.(c, state)
    summaries.set(statistic.id, await statistic.finish(c, state))
  }
  const c = contextFor(options, seed, summaries, null) as Context<typeof options>
  const score = await labelFlip.scorer(c, setup)
  const tally = labelFlip.tally?.init(c)
  const scored: Scored[] = []
  for (const batch of subject) {
    const s = await score(batch)
    await labelFlip.tally?.update(c, tally, batch, s)
    scored.push(s)
  }
  await labelFlip.tally?.seal?.(c, tally)
  const thresholds = labelFlip.decide(c, (await labelFlip.tally?.finish(c, tally)) as LabelTally)
  const everywhere = Math.min(...thresholds.filter((t) => t.group === null).map((t) => t.atLeast))
  const flags = new Uint8Array(rows)
  let row = 0
  for (const { score: scores } of scored) for (const value of scores) flags[row++] = value >= everywhere ? 1 : 0
  return flags
}

const subject = batches()
const seconds: number[] = []
for (let i = 0; i < 5; i++) {
  const since = performance.now()
  await call(subject)
  seconds.push((performance.now() - since) / 1000)
}
console.log(JSON.stringify(seconds))
