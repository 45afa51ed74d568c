import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { parseReport, reportJsonSchema } from '../../src/report/schema.ts'
import { outcome, policy } from '../golden/cases/poisoned-tabular.ts'

const file = join(import.meta.dirname, '../../reports/schema/report.schema.json')
const report = buildReport(outcome, policy)

describe('the JSON Schema of report.json', () => {
  test('is what the zod schema says', async () => {
    if (process.env.UPDATE_GOLDEN) await writeFile(file, reportJsonSchema())
    expect(await readFile(file, 'utf8')).toBe(reportJsonSchema())
  })

  test('accepts a report and refuses unknown keys and verdicts', () => {
    const validate = new Ajv2020({ strict: false }).compile(JSON.parse(reportJsonSchema()) as object)
    expect(validate(JSON.parse(JSON.stringify(report)))).toBe(true)
    expect(validate({ ...report, extra: 1 })).toBe(false)
    expect(validate({ ...report, verdict: 'fine' })).toBe(false)
  })
})

describe('parseReport', () => {
  test('reads what was written', () => expect(parseReport(JSON.stringify(report))).toEqual(report))

  test.each([
    ['no JSON', '{', 'invalid-report', /not JSON/],
    ['null', 'null', 'invalid-report', /the root/],
    ['a list', '[]', 'invalid-report', /the root/],
    ['another file', '{"a":1}', 'invalid-report', /\$schema/],
    ['a later version', JSON.stringify({ ...report, schemaVersion: 2 }), 'unsupported-version', /version 2/],
    ['a wrong number', JSON.stringify({ ...report, rows: { ...report.rows, read: -1 } }), 'invalid-report', /rows\.read/],
    [
      'an SVG thumbnail',
      JSON.stringify({ ...report, records: [{ ...report.records[0], thumbnail: 'data:image/svg+xml,<svg/>' }] }),
      'invalid-report',
      /thumbnail/,
    ],
    [
      'a record that is not there',
      JSON.stringify({ ...report, findings: [{ ...report.findings[0], records: [9999] }] }),
      'invalid-report',
      /findings\.0\.records/,
    ],
  ])('refuses %s', (_, text, code, message) => {
    expect(() => parseReport(text)).toThrow(expect.objectContaining({ code, exit: 4, message: expect.stringMatching(message) as string }))
  })
})
