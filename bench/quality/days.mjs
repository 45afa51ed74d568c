// Each user's day from the README, on a fresh clone, timed step by step: node bench/quality/days.mjs [--clone FOLDER] [--record]
// The commands are those of the README, word for word (checked). --clone names a clone in which `npm start` was run already.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { record } from './record.mjs'

const root = join(import.meta.dirname, '../..')
const { values } = parseArgs({ options: { clone: { type: 'string' }, record: { type: 'boolean', default: false } } })

const start = { run: 'npm start', exit: 0 }
const sample = 'datasets/wisconsin-breast-cancer/poisoned/data.csv'
/** By user: commands with the exit code they must have; `verdict` is the one that says something about the user's data. */
const days = {
  'a newcomer, the sample data': [{ ...start, verdict: true }],
  'own data': [
    start,
    { run: 'npx assay audit labels.csv', exit: 1, verdict: true },
    { run: 'npx assay audit labels.csv --print-config > pipeline.yaml', exit: 0 },
    { run: 'npx assay audit pipeline.yaml --run-dir runs/today', exit: 1 },
    { run: 'npx assay explain label-flip/source', exit: 0 },
  ],
  'a gate in CI': [
    start,
    { run: 'npx assay audit labels.csv --print-config > pipeline.yaml', exit: 0 },
    { run: 'npx assay audit pipeline.yaml --run-dir runs/ci', exit: 1, verdict: true },
    { run: 'npx assay baseline update runs/ci --out known-findings.json', exit: 0 },
  ],
  'a store, every night': [
    start,
    { run: 'npx assay audit store.csv --print-config --preset scheduled-audit > store.yaml', exit: 0 },
    { run: "ASSAY='npx assay' pipelines/schedule/night.sh store.yaml nights", exit: 1, verdict: true },
    { run: 'npx assay history list', exit: 0 },
  ],
  'a delivery': [
    start,
    { run: 'npx assay verify $D/build/signed --key $D/publisher.pub', exit: 0, verdict: true },
    { run: 'npx assay verify $D/build/vendor', exit: 1 },
    { run: 'npx assay diff $D/build/signed/zeros-ones.npz $D/build/vendor/zeros-ones.npz --out runs/changes.csv', exit: 1 },
    { run: 'npx assay keygen --out runs/data', exit: 0 },
    { run: 'npx assay snapshot $D/publisher/pipeline.yaml --out runs/night-1 --sign runs/data.key', exit: 0 },
    { run: 'npx assay audit $D/vendor/pipeline.yaml --baseline runs/night-1 --sign runs/data.key --run-dir runs/intake', exit: 1 },
    { run: 'npx assay verify $D/build/vendor --manifest runs/intake/verdict.intoto.json --key runs/data.pub', exit: 0 },
  ],
}

const clone = values.clone ?? join(mkdtempSync(join(tmpdir(), 'assay-days-')), 'assay')
if (!values.clone) execFileSync('git', ['clone', '-q', root, clone])
const readme = readFileSync(join(clone, 'README.md'), 'utf8').replace(/ +/g, ' ')

/** Wall clock and processor time in seconds. */
function timed(command) {
  const script = `TIMEFORMAT='\n%R %U %S'; time { ${command}\n}`
  const env = { ...process.env, D: 'datasets/zeros-ones', NO_COLOR: '1' }
  const ran = spawnSync('bash', ['-c', script], { cwd: clone, encoding: 'utf8', env, maxBuffer: 1 << 28 })
  const [wall, user, system] = ran.stderr.trimEnd().split('\n').at(-1).split(' ').map(Number)
  return { exit: ran.status, wall, processor: user + system, output: ran.stdout + ran.stderr }
}

const steps = []
try {
  for (const name of ['labels.csv', 'store.csv']) copyFileSync(join(clone, sample), join(clone, name))
  // Everybody begins with it; it is run once.
  const first = values.clone ? null : timed(start.run)
  for (const [user, day] of Object.entries(days)) {
    for (const [i, { run, exit, verdict = false }] of day.entries()) {
      if (!readme.includes(run)) throw new Error(`the README does not say: ${run}`)
      const took = run === start.run ? first : timed(run)
      if (took === null) continue
      if (took.exit !== exit) throw new Error(`${run}: exit ${took.exit}, not ${exit}\n${took.output.slice(-2000)}`)
      steps.push({ user, step: i + 1, command: run, exit: took.exit, verdict, wall: took.wall, processor: took.processor })
      console.log(
        `${user}, ${i + 1}: ${run}: exit ${took.exit}, ${took.wall} s, processor ${took.processor.toFixed(1)} s${verdict ? ', a verdict' : ''}`,
      )
    }
  }
} finally {
  if (!values.clone) rmSync(join(clone, '..'), { recursive: true, force: true })
}
if (values.record) record('days', { started: values.clone === undefined, steps })
