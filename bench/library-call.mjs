// Seconds of five calls of the label-flip detector on 1,000,000 x 10 predictions in memory, as cleanlab's find_label_issues is
// timed beside it: statistics, scores and flags of every row. library-call.mjs FOLDER, after a build.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBatch } from '../dist/contracts/batch.js'
import { labelFlip } from '../dist/detectors/label-flip.js'
import { contextFor } from '../dist/engine/statistics.js'

const rowsPerBatch = 65_536

/** The values of an .npy file with a header of version 1. */
function npy(path, Type) {
  const bytes = readFileSync(path)
  const start = 10 + bytes.readUInt16LE(8)
  return new Type(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length))
}

const folder = process.argv[2]
const predictions = npy(join(folder, 'predictions.npy'), Float32Array)
const given = Int32Array.from(npy(join(folder, 'labels.npy'), BigInt64Array), Number)
const rows = given.length
const dims = predictions.length / rows
const values = Array.from({ length: dims }, (_, c) => String(c))
const seed = new Uint8Array(16)

function batches() {
  const made = []
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

async function call(subject) {
  const setup = { subject: ['label', 'predictions'], reference: null, shape: { rows, dims: 0, classes: dims, sources: 0 } }
  const options = labelFlip.options.parse({})
  const summaries = new Map()
  for (const statistic of labelFlip.statistics(options, setup)) {
    const c = contextFor(null, seed, summaries, statistic.after)
    const state = statistic.init(c)
    for (const batch of subject) await statistic.update(c, state, batch)
    await statistic.seal?.(c, state)
    summaries.set(statistic.id, await statistic.finish(c, state))
  }
  const c = contextFor(options, seed, summaries, null)
  const score = await labelFlip.scorer(c, setup)
  const tally = labelFlip.tally.init(c)
  const scored = []
  for (const batch of subject) {
    const s = await score(batch)
    await labelFlip.tally.update(c, tally, batch, s)
    scored.push(s)
  }
  await labelFlip.tally.seal?.(c, tally)
  const thresholds = labelFlip.decide(c, await labelFlip.tally.finish(c, tally))
  const everywhere = Math.min(...thresholds.filter((t) => t.group === null).map((t) => t.atLeast))
  const flags = new Uint8Array(rows)
  let row = 0
  for (const { score: scores } of scored) for (const value of scores) flags[row++] = value >= everywhere ? 1 : 0
  return flags
}

const subject = batches()
const seconds = []
for (let i = 0; i < 5; i++) {
  const since = performance.now()
  await call(subject)
  seconds.push((performance.now() - since) / 1000)
}
console.log(JSON.stringify(seconds))
