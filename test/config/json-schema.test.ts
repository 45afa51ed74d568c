import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { knownJsonSchema, pipelineJsonSchema, waiversJsonSchema } from '../../src/config/json-schema.ts'
import { presetNames, presetPath } from '../../src/config/presets.ts'

const fileOf = (name: string) => join(import.meta.dirname, '../../reports/schema', name)

describe('the JSON Schemas for editors', () => {
  test.each([
    ['pipeline.schema.json', pipelineJsonSchema],
    ['waivers.schema.json', waiversJsonSchema],
    ['known-findings.schema.json', knownJsonSchema],
  ])('%s is what the zod schema says', async (name, make) => {
    if (process.env.UPDATE_GOLDEN) await writeFile(fileOf(name), make())
    expect(await readFile(fileOf(name), 'utf8')).toBe(make())
  })

  test('accept the presets and refuse unknown keys', async () => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(pipelineJsonSchema()) as object)
    for (const name of await presetNames()) expect(validate(parse(await readFile(presetPath(name), 'utf8')))).toBe(true)
    expect(validate({ version: 1, sorces: [] })).toBe(false)
    expect(validate({ version: 1, gate: { 'max-flagged': 2 } })).toBe(false)
  })
})
