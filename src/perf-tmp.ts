import { readFileSync } from 'node:fs'
import { contextFor } from './engine/statistics.ts'
import { addKeys } from './engine/keys.ts'
import { textBatches, textSetup } from '../test/support/texts.ts'
import { triggerText } from './detectors/trigger-text.ts'
import { plantedDocument } from './detectors/planted-document.ts'
import { tokensOf } from './statistics/text/batch-tokens.ts'
const seed = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const lines = readFileSync(process.argv[2]!, 'utf8').trim().split('\n')
const rows = lines.map((l) => { const { text, source } = JSON.parse(l); return { text, label: source, poisoned: false } })
const make = () => textBatches(rows, 2000).map((b) => addKeys(b, seed))
let batches = make()
const bytes = rows.reduce((s, r) => s + Buffer.byteLength(r.text), 0)
const clock = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6 }
let t = clock()
const lap = (name: string) => { const now = clock(); console.log(name.padEnd(40), (now - t).toFixed(2), 's', (bytes / 1e6 / (now - t)).toFixed(1), 'MB/s'); t = clock() }
const setup = textSetup(['id', 'text', 'label'])
for (const b of batches) tokensOf(b, 'text', seed)
lap('tokens')
const summaries = new Map<string, unknown>()
for (const d of [triggerText, plantedDocument]) for (const s of d.statistics({ insertion: 8 } as never, setup)) {
  if (summaries.has(s.id)) continue
  const c = contextFor(null, seed, summaries, s.after)
  const state = s.init(c)
  t = clock()
  for (const batch of batches) await s.update(c, state, batch)
  lap(s.id + ' update')
  await s.seal?.(c, state)
  lap(s.id + ' seal')
  summaries.set(s.id, await s.finish(c, state))
  lap(s.id + ' finish')
}
for (const d of [triggerText, plantedDocument]) {
  const c = contextFor({ insertion: 8 } as never, seed, summaries, null)
  const score = await d.scorer(c as never, setup)
  for (const b of batches) await score(b)
  lap(d.id + ' score')
}
console.log((process.memoryUsage().rss / 2 ** 20) | 0, 'MiB', bytes)
