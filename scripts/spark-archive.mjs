// `npm run spark:archive`: everything an executor needs, as one archive for `spark-submit --archives assay-spark.tar.gz#assay`.
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { root, run, SetupError, say, script, seconds, setUpProgram } from './setup.mjs'

const launcher = `#!/bin/sh
here=$(cd "$(dirname "$0")/.." && pwd)
exec "$here/bin/node" "$here/dist/cli/bin.js" "$@"
`

async function must(command, args, what) {
  const { code, output } = await run(command, args, { quiet: true, env: { ONNXRUNTIME_NODE_INSTALL: 'skip' } })
  if (code !== 0) throw new SetupError(`${what} failed:\n${output.trim().slice(-2000)}`)
}

await script(async ([target = 'assay-spark.tar.gz']) => {
  const since = performance.now()
  await setUpProgram()
  const stage = join(root, '.cache/spark/assay')
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(join(stage, 'bin'), { recursive: true })
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const file of [...files, 'package.json', 'package-lock.json'])
    cpSync(join(root, file), join(stage, file), { recursive: true, filter: (path) => !path.includes('__pycache__') })
  await must('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error', '--prefix', stage], 'npm ci')
  copyFileSync(process.execPath, join(stage, 'bin/node'))
  writeFileSync(join(stage, 'bin/assay'), launcher)
  for (const name of ['node', 'assay']) chmodSync(join(stage, 'bin', name), 0o755)
  const out = resolve(target)
  const foreign = ['darwin', 'linux', 'win32'].filter((os) => os !== process.platform)
  const left = ['*.map', ...foreign.map((os) => `./node_modules/onnxruntime-node/bin/*/${os}`)]
  await must('tar', ['-czf', out, ...left.map((name) => `--exclude=${name}`), '-C', stage, '.'], 'tar')
  say(`${target}: ${(statSync(out).size / 2 ** 20).toFixed(0)} MB for ${process.platform} ${process.arch}, in ${seconds(since)}`)
  say(`  spark-submit --archives ${target}#assay pipelines/spark/run.py --help`)
  return 0
})
