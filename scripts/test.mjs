// `npm test`: sets up and runs the unit and end-to-end tests. `npm run test:data`: those that need the folder ASSAY_DATA.
// More arguments go to vitest: `npm test -- test/sources`.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, SetupError, say, script, setUp } from './setup.mjs'

await script(async (args) => {
  const named = args.filter((arg) => arg.startsWith('--project='))
  const rest = args.filter((arg) => !arg.startsWith('--project='))
  const projects = named.length ? named : ['--project=unit', '--project=alone', '--project=e2e']
  const data = process.env.ASSAY_DATA
  if (named.includes('--project=data') && !(data && existsSync(data))) {
    throw new SetupError(
      data
        ? `ASSAY_DATA names ${data}, which does not exist.`
        : 'test:data needs the folder of real data: ASSAY_DATA=/path/to/data npm run test:data. docs/developing.md says what it holds.',
    )
  }
  await setUp()
  const results = join(
    root,
    '.cache/test-results',
    `${projects.map((name) => name.split('=')[1]).join('-')}-node${process.versions.node}.json`,
  )
  mkdirSync(join(results, '..'), { recursive: true })
  rmSync(results, { force: true })
  const { code } = await run(process.execPath, [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    ...projects,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...rest,
  ])
  if (!existsSync(results)) {
    say('vitest wrote no results: nothing was tested')
    return code || 1
  }
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, numTotalTests } = JSON.parse(readFileSync(results, 'utf8'))
  const failed = Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0, code ? 1 : 0)
  console.log(`${numPassedTests} passed, ${failed} failed${numPendingTests ? `, ${numPendingTests} skipped` : ''}`)
  return numTotalTests === 0 ? 1 : code
})
