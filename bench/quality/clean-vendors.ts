// clean-vendors.ts RUNDIR COUNT VENDORS: of COUNT random assignments of vendors to the records of an audited data set, how many
// end with a vendor accused? Every record is judged once; each assignment repeats tally, tests and correction. Prints JSON.
import { dictionary, withColumns } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import type { Scored } from '../../src/contracts/detector.ts'
import { layout } from '../../src/engine/files.ts'
import { Run } from '../../src/engine/run.ts'
import { readSpool } from '../../src/engine/spool.ts'
import { keyed } from '../../src/math/rng.ts'
import { benjaminiHochberg } from '../../src/math/tests.ts'
import { significanceLevel } from '../../src/report/build.ts'

const [runDir = '', count, vendors] = process.argv.slice(2)
const names = Array.from({ length: Number(vendors) }, (_, i) => String(i))

const run = await Run.open(runDir)
await run.load(run.levels.length)
const active = run.active().find((a) => a.detector.id === 'label-flip')
if (!active?.detector.tally) throw new Error('label-flip did not run')
const { detector, context } = active
const { tally } = active.detector

const score = await detector.scorer(context, run.plan.setup)
const judged: [Batch, Scored][] = []
for (const shard of run.plan.subject.groups.flat()) {
  for await (const batch of readSpool(run.path(layout.spool('subject', shard)))) judged.push([batch, await score(batch)])
}

let accused = 0
for (let i = 0; i < Number(count); i++) {
  const random = keyed(run.seed, `vendors ${i}`)
  const state = tally.init(context)
  for (const [batch, scored] of judged) {
    const codes = Int32Array.from({ length: batch.numRows }, () => Math.floor(random.uniform() * names.length))
    await tally.update(context, state, withColumns(batch, { source: dictionary({ codes, values: names }, 2) }), scored)
  }
  tally.seal?.(context, state)
  const { findings, tests } = await detector.conclude(context, await tally.finish(context, state), null, { count: 0, scored: 0, top: [] })
  if (!tests.some((t) => t.id.startsWith('label-flip/source'))) throw new Error('the source test did not run')
  const adjusted = benjaminiHochberg(tests.map((t) => t.p))
  const significant = new Set(tests.filter((_, t) => (adjusted[t] as number) <= significanceLevel).map((t) => t.id))
  if (findings.some((f) => f.rule === 'label-flip/source' && f.test !== null && significant.has(f.test))) accused++
}
console.log(JSON.stringify({ accused }))
