import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, SetupError } from '../../scripts/setup.mjs'

export const cache = join(root, '.cache/quality')
const bin = join(root, 'dist/cli/bin.js')
let runs = 0

/** Rows of a CSV file without quoted cells, as objects. */
export function readCsv(path) {
  const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
  if (lines.some((line) => line.includes('"'))) throw new Error(`${path} has quoted cells`)
  const names = head.trim().split(',')
  return lines.map((line) => {
    const cells = line.trim().split(',')
    return Object.fromEntries(names.map((name, i) => [name, cells[i]]))
  })
}

/**
 * `assay audit` of a pipeline of one .npy source through the built program.
 * @returns score of label-flip (0..1), pValue and suggested label of each row, whether it is flagged, and report.json
 */
export async function audit(pipeline, seed) {
  const work = join(cache, `run-${process.pid}-${runs++}`)
  mkdirSync(work, { recursive: true })
  try {
    const file = join(work, 'pipeline.yaml')
    writeFileSync(file, JSON.stringify({ version: 1, ...pipeline }))
    const runDir = join(work, 'run')
    const options = [
      '--keep-scores',
      'csv',
      '--flags',
      'csv',
      '--formats',
      'json',
      '--progress',
      'none',
      '--quiet',
      '--exit-zero',
      '--only',
      'label-flip',
    ]
    const { code, output } = await run(
      process.execPath,
      [bin, 'audit', '-c', file, '--seed', String(seed), '--run-dir', runDir, ...options],
      {
        quiet: true,
      },
    )
    if (code !== 0) throw new SetupError(`assay audit ended with ${code}:\n${output.trim()}\n${JSON.stringify(pipeline)}`)
    const report = JSON.parse(readFileSync(join(runDir, 'report.json'), 'utf8'))
    const ofDetector = (row) => row.detector === 'label-flip'
    const rows = readCsv(join(runDir, 'scores.csv')).filter(ofDetector)
    const score = new Float64Array(rows.length).fill(Number.NaN)
    const pValue = new Float64Array(rows.length).fill(Number.NaN)
    const suggested = []
    for (const row of rows) {
      const at = Number(row.row)
      score[at] = Number(row.score)
      if (row.p_value !== '') pValue[at] = Number(row.p_value)
      suggested[at] = row.suggested_label
    }
    if (score.some(Number.isNaN)) throw new Error('not every row has a score')
    const flags = new Uint8Array(rows.length)
    for (const row of readCsv(join(runDir, 'flags.csv')).filter(ofDetector)) flags[Number(row.row)] = 1
    return { score, pValue, suggested, flags, report }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
