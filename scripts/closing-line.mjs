// The last lines of .ci/run: vitest's own closing words over all runs, then the sum. A failed step that is no test counts as one.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

const folder = join(root, '.cache/test-results')
const failedSteps = Number(process.argv[2] ?? 0)
let [passed, failed, skipped] = [0, 0, 0]
for (const file of existsSync(folder) ? readdirSync(folder).sort() : []) {
  const result = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const name = file.replace(/\.json$/, '')
  console.log(
    `${name}: Tests ${result.numFailedTests ? `${result.numFailedTests} failed | ` : ''}${result.numPassedTests} passed (${result.numTotalTests})`,
  )
  passed += result.numPassedTests
  failed += result.numFailedTests
  skipped += result.numPendingTests
}
if (failedSteps > 0 && failed === 0) failed = failedSteps
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
if (passed === 0) process.exitCode = 1
