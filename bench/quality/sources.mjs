// Part 3: ten vendors of MNIST's 60,000 training images. Poisoned runs go through the program. For the runs without poison the
// model is fitted and every record judged once; then each run draws new vendors and repeats tally, tests and correction, which
// are all that depends on the vendors.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, run, SetupError, say } from '../../scripts/setup.mjs'
import { audit, cache } from './assay.mjs'
import { peerRuns } from './python.mjs'

const vendors = 10
const load = (path) => import(pathToFileURL(join(root, 'dist', path)).href)

export async function sources({ python, sets, poisonedRuns, cleanRuns, quick }) {
  const set = join(sets, quick ? 'mnist-10k' : 'mnist-60k')
  const { clopperPearson } = await load('math/tests.js')
  const poisoned = await poisonedOnes(python, set, poisonedRuns)
  const accusedClean = await cleanOnes(set, cleanRuns)
  const of = (hits, runs) => ({ hits, runs, share: hits / runs, ...clopperPearson(hits, runs, 0.95) })
  const hits = (test) => of(poisoned.filter(test).length, poisonedRuns)
  return {
    set: quick ? 'mnist-10k' : 'mnist-60k',
    found: hits((r) => r.vendorFound),
    foundWithPair: hits((r) => r.cellFound),
    otherAccused: hits((r) => r.others > 0),
    falseAlarm: of(accusedClean, cleanRuns),
    poisoned,
  }
}

const sourceFindings = (findings) => findings.filter((f) => f.rule === 'label-flip/source')

async function poisonedOnes(python, set, count) {
  const seeds = Array.from({ length: count }, (_, i) => i)
  const folder = (seed) => join(cache, 'sources', set.endsWith('60k') ? '60k' : '10k', String(seed))
  await peerRuns(
    python,
    seeds.map((seed) => ({ make: 'vendors', set, seed, out: folder(seed) })),
  )
  const results = []
  for (const seed of seeds) {
    const truth = JSON.parse(readFileSync(join(folder(seed), 'truth.json'), 'utf8'))
    const arrays = { image: join(set, 'images.npy'), label: join(folder(seed), 'given.npy'), source: join(folder(seed), 'source.npy') }
    const { report } = await audit({ sources: [{ arrays }] }, seed)
    const accused = sourceFindings(report.findings).map((f) => f.scope.names)
    const own = accused.filter(([name]) => name === String(truth.vendor))
    const cellFound = own.some(([, given, looksLike]) => given === String(truth.to) && looksLike === String(truth.from))
    results.push({ seed, ...truth, vendorFound: own.length > 0, cellFound, others: accused.length - own.length })
    say(`  run ${seed + 1} of ${count}: vendor ${own.length ? 'found' : 'missed'}, ${accused.length - own.length} others accused`)
  }
  return results
}

/** How many of `count` assignments of vendors to clean records end with any vendor accused. */
async function cleanOnes(set, count) {
  const work = join(cache, `clean-${process.pid}`)
  const file = `${work}.yaml`
  const arrays = { image: join(set, 'images.npy'), label: join(set, 'labels.npy') }
  writeFileSync(file, JSON.stringify({ version: 1, sources: [{ arrays }] }))
  try {
    const bin = join(root, 'dist/cli/bin.js')
    const options = ['--seed', '1', '--run-dir', work, '--formats', 'json', '--progress', 'none', '--quiet', '--exit-zero']
    const { code, output } = await run(process.execPath, [bin, 'audit', '-c', file, ...options], { quiet: true })
    if (code !== 0) throw new SetupError(`assay audit ended with ${code}:\n${output.trim()}`)
    return await accusations(work, count)
  } finally {
    rmSync(work, { recursive: true, force: true })
    rmSync(file, { force: true })
  }
}

async function accusations(runDir, count) {
  const [
    { Run },
    { readSpool },
    { layout },
    { codesOf, dictionary, withColumns },
    { keyed },
    { benjaminiHochberg },
    { significanceLevel },
  ] = await Promise.all(
    ['engine/run.js', 'engine/spool.js', 'engine/files.js', 'contracts/batch.js', 'math/rng.js', 'math/tests.js', 'report/build.js'].map(
      load,
    ),
  )
  const opened = await Run.open(runDir)
  await opened.load(opened.levels.length)
  const { detector, context } = opened.active().find((a) => a.detector.id === 'label-flip')
  const score = await detector.scorer(context, opened.plan.setup)
  const judged = []
  for (const shard of opened.plan.subject.groups.flat()) {
    for await (const batch of readSpool(opened.path(layout.spool('subject', shard)))) judged.push([batch, await score(batch)])
  }
  const names = Array.from({ length: vendors }, (_, i) => String(i))
  let accused = 0
  for (let i = 0; i < count; i++) {
    const random = keyed(opened.seed, `vendors ${i}`)
    const state = detector.tally.init(context)
    for (const [batch, judgement] of judged) {
      const codes = Int32Array.from({ length: batch.numRows }, () => Math.floor(random.uniform() * vendors))
      const withVendors = withColumns(batch, { source: dictionary({ codes, values: names }, 2) })
      if (codesOf(withVendors, 'source')?.codes.length !== batch.numRows) throw new Error('vendors were lost')
      await detector.tally.update(context, state, withVendors, judgement)
    }
    detector.tally.seal?.(context, state)
    const tally = await detector.tally.finish(context, state)
    const { findings, tests } = detector.conclude(context, tally, null, { count: 0, scored: tally.rows, top: [] })
    const adjusted = benjaminiHochberg(tests.map((t) => t.p))
    const significant = new Set(tests.filter((_, t) => adjusted[t] <= significanceLevel).map((t) => t.id))
    if (sourceFindings(findings).some((f) => significant.has(f.test))) accused++
  }
  return accused
}
