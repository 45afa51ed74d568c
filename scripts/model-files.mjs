// Files that real libraries make, before `assay scan`: none may be refused or put up for review.
// node scripts/model-files.mjs PYTHON, where PYTHON has scripts/model-files-requirements.txt.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup.mjs'

const python = process.argv[2] ?? 'python3'
const built = join(root, 'dist/cli/bin.js')
const program = existsSync(built) ? [built] : ['--import', 'tsx', join(root, 'src/cli/bin.ts')]
const folder = mkdtempSync(join(tmpdir(), 'assay-models-'))

try {
  const made = spawnSync(python, [join(root, 'scripts/model-files.py'), folder], { stdio: 'inherit' })
  if (made.status !== 0) process.exit(1)
  const files = readdirSync(folder)
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, 'scan', folder, '--fail-on', 'low', '--json'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status === null || status > 1) throw new Error(`assay scan ended with ${status}\n${stderr}`)
  const report = JSON.parse(stdout)
  for (const { severity, message } of report.findings) console.log(`FAILED  ${severity}  ${message}`)
  const notes = report.detectors.find((d) => d.id === 'base-model').notes
  const unseen = files.filter((file) => /\.(?:pkl|joblib|safetensors|onnx|h5)$/.test(file) && !notes.some((note) => note.startsWith(file)))
  for (const file of unseen) console.log(`FAILED  ${file} was not read as what it is`)
  const failed = report.findings.length + unseen.length
  console.log(`${files.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
