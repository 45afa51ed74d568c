import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import Ajv from 'ajv-draft-04'
import addFormats from 'ajv-formats'
import type { Log, Run } from 'sarif'
import { describe, expect, test } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { renderSarif } from '../../src/report/render/sarif.ts'
import { loadCases } from '../golden/load.ts'

const shipped = join(
  dirname(createRequire(import.meta.url).resolve('@microsoft/jest-sarif/package.json')),
  'lib/schemas/sarif-2.1.0-rtm.5.json',
)
const schema = JSON.parse(await readFile(shipped, 'utf8')) as { $schema: string }
const ajv = new Ajv.default({ strict: false, allErrors: true, unicodeRegExp: false })
addFormats.default(ajv)
const validate = ajv.compile(schema)

const cases = await loadCases()
const runOf = async (name: string): Promise<Run> => {
  const found = cases.find((c) => c.name === name)
  if (!found) throw new Error(`no case ${name}`)
  const log = JSON.parse(await renderSarif(buildReport(found.outcome, found.policy))) as Log
  return log.runs[0] as Run
}

describe('SARIF', () => {
  test.each(cases)('$name is valid by the published schema', async ({ outcome, policy }) => {
    validate(JSON.parse(await renderSarif(buildReport(outcome, policy))))
    expect(validate.errors).toBeNull()
  })

  test('one result a finding, with level, rank, fingerprint and rule', async () => {
    const run = await runOf('poisoned-tabular')
    expect(run.results?.map((r) => [r.ruleId, r.kind, r.level])).toEqual([
      ['label-flip/source', 'fail', 'error'],
      ['label-flip/class-pair', 'fail', 'error'],
      ['label-flip/record', 'review', 'none'],
    ])
    const ranks = run.results?.map((r) => r.rank as number) ?? []
    expect(ranks).toEqual([...ranks].sort((a, b) => b - a))
    for (const result of run.results ?? []) {
      expect(run.tool.driver.rules?.[result.ruleIndex as number]?.id).toBe(result.ruleId)
      expect(result.partialFingerprints?.['assay/v1']).toMatch(/^[0-9a-f]{64}$/)
    }
  })

  test('every taxon and every relationship points into a taxonomy of the run', async () => {
    const run = await runOf('poisoned-tabular')
    const references = [
      ...(run.results ?? []).flatMap((r) => r.taxa ?? []),
      ...(run.tool.driver.rules ?? []).flatMap((r) => (r.relationships ?? []).map((one) => one.target)),
    ]
    expect(references.length).toBeGreaterThan(0)
    for (const reference of references) {
      const taxonomy = run.taxonomies?.[reference.toolComponent?.index as number]
      expect(taxonomy?.name).toBe(reference.toolComponent?.name)
      expect(taxonomy?.taxa?.map((t) => t.id)).toContain(reference.id)
    }
  })

  test('rules carry their page', async () => {
    const run = await runOf('clean-tabular')
    expect(run.tool.driver.rules?.map((r) => r.help?.markdown?.split('\n')[0]?.split(':')[0])).toEqual([
      '# label-flip/record',
      '# label-flip/class-pair',
      '# label-flip/source',
    ])
  })

  test('a waiver is a suppression with its statement', async () => {
    const run = await runOf('hostile')
    expect(run.results?.map((r) => r.suppressions?.map((s) => s.status))).toEqual([[], ['accepted']])
  })

  test('an incomplete audit is an unsuccessful invocation that says why', async () => {
    const [invocation] = (await runOf('incomplete')).invocations ?? []
    expect([invocation?.executionSuccessful, invocation?.exitCode]).toEqual([false, 2])
    expect(invocation?.toolExecutionNotifications?.map((n) => n.descriptor?.id)).toEqual([
      'input-incomplete',
      'detector-failed',
      'required-detector',
      'min-coverage',
    ])
  })

  test('a file name cannot leave its folder or become an address', async () => {
    const run = await runOf('hostile')
    const uris = (run.results ?? []).flatMap((r) => (r.locations ?? []).map((l) => l.physicalLocation?.artifactLocation?.uri ?? ''))
    for (const uri of uris) expect(uri).toMatch(/^[\w%.~!*'()-]+(\/[\w%.~!*'()-]+)*$/)
  })
})
