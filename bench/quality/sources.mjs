// Part 3: ten vendors of MNIST's 60,000 training images. Poisoned runs go through the program. For the runs without poison the
// model is fitted and every record judged once; then each run draws new vendors and repeats tally, tests and correction, which
// are all that depends on the vendors.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root, run, SetupError, say } from '../../scripts/setup.mjs'
import { audit, cache } from './assay.mjs'
import { clopperPearson } from './metrics.mjs'
import { peerRuns } from './python.mjs'

const vendors = 10

export async function sources({ python, sets, poisonedRuns, cleanRuns, quick }) {
  const set = join(sets, quick ? 'mnist-10k' : 'mnist-60k')
  const poisoned = await poisonedOnes(python, set, poisonedRuns)
  const accusedClean = await cleanOnes(set, cleanRuns)
  const of = (hits, runs) => ({ hits, runs, share: hits / runs, ...clopperPearson(hits, runs) })
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
    const tsx = [fileURLToPath(import.meta.resolve('tsx/cli')), '--tsconfig', join(root, 'tsconfig.json')]
    const args = [...tsx, join(root, 'bench/quality/clean-vendors.ts'), work, String(count), String(vendors)]
    const judged = await run(process.execPath, args, { quiet: true })
    if (judged.code !== 0) throw new SetupError(`clean-vendors.ts failed:\n${judged.output.trim()}`)
    return JSON.parse(judged.output.trim().split('\n').at(-1)).accused
  } finally {
    rmSync(work, { recursive: true, force: true })
    rmSync(file, { force: true })
  }
}
