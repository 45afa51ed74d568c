// Near-duplicates of the texts of a JSONL file by our statistics: `node --import tsx bench/minhash.ts FILE`, beside bench/minhash.py.
import { readFileSync } from 'node:fs'
import { makeBatch } from '../src/contracts/batch.ts'
import type { Statistic } from '../src/contracts/statistic.ts'
import { minHasher } from '../src/math/minhash.ts'
import { bandBuckets, bandBucketsId } from '../src/statistics/band-buckets.ts'
import { bandCounts } from '../src/statistics/band-counts.ts'

const texts = readFileSync(process.argv[2] as string, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => (JSON.parse(line) as { text: string }).text)
const options = { size: 262_144, cells: 2 ** 22 }
const batches = []
for (let from = 0; from < texts.length; from += 4096) {
  const part = texts.slice(from, from + 4096)
  batches.push(makeBatch({ row: Uint32Array.from(part, (_, i) => from + i), text: part }))
}
const summaries = new Map<string, unknown>()
const c = { options: null, seed: new Uint8Array(16), summaries: { get: <S>(id: string) => summaries.get(id) as S } }
const began = performance.now()
const statistics: readonly Statistic[] = [bandCounts(options), bandBuckets(options)]
for (const statistic of statistics) {
  const state = statistic.init(c)
  for (const batch of batches) await statistic.update(c, state, batch)
  await statistic.seal?.(c, state)
  summaries.set(statistic.id, await statistic.finish(c, state))
}
const found = summaries.get(bandBucketsId(options)) as { keys: Float64Array }
const buckets = new Set(found.keys)
const hasher = minHasher(c.seed)
const keys = new Float64Array(8)
let near = 0
for (const text of texts) {
  const bytes = Buffer.from(text)
  if (hasher.bandsOf(bytes, 0, bytes.length, keys) && keys.some((key) => buckets.has(key))) near++
}
console.log(JSON.stringify({ texts: texts.length, near, seconds: (performance.now() - began) / 1000 }))
