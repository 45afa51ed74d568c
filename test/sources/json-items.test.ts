import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jsonItems } from '../../src/sources/json-items.ts'
import { limits } from '../../src/sources/limits.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'assay-json-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function read(text: string): Promise<{ section: string; value: unknown }[]> {
  const path = join(dir, 'x.json')
  writeFileSync(path, text)
  const out = []
  for await (const { section, value } of jsonItems(path)) out.push({ section, value })
  return out
}

test('gives what JSON.parse gives, for any lists in any layout', async () => {
  const lists = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__' && !/["\\]|[^ -~]/.test(key)),
    fc.array(fc.jsonValue({ maxDepth: 4 })),
    { maxKeys: 4 },
  )
  await fc.assert(
    fc.asyncProperty(lists, fc.array(fc.jsonValue({ maxDepth: 4 })), fc.constantFrom(0, 1, '\t'), async (object, list, space) => {
      expect(await read(JSON.stringify(object, null, space))).toEqual(
        Object.entries(JSON.parse(JSON.stringify(object)) as Record<string, unknown[]>).flatMap(([section, values]) =>
          values.map((value) => ({ section, value })),
        ),
      )
      expect(await read(JSON.stringify(list, null, space))).toEqual(
        (JSON.parse(JSON.stringify(list)) as unknown[]).map((value) => ({ section: '', value })),
      )
    }),
    { numRuns: 100 },
  )
})

test('elements go over the edges of what is read at once', async () => {
  const values = Array.from({ length: 40 }, (_, i) => ({ i, text: `${'\\"]}'.repeat(i * 1500)}` }))
  expect(JSON.stringify(values).length).toBeGreaterThan(3 * limits.textPieceBytes)
  expect(await read(JSON.stringify({ skip: { a: [1, [2]] }, list: values, after: 3 }))).toEqual(
    values.map((value) => ({ section: 'list', value })),
  )
})

test.each([
  ['', 'corrupt'],
  ['3', 'corrupt'],
  ['[1, 2', 'truncated'],
  ['{"a": ["x', 'truncated'],
  ['[1 2]', 'corrupt'],
  ['[1] []', 'corrupt'],
  ['["\u0001"]', 'corrupt'],
  [`[${'['.repeat(101)}`, 'too-large'],
  [`["${'x'.repeat(limits.recordBytes + limits.textPieceBytes)}"]`, 'too-large'],
])('%# is refused', async (text, code) => {
  await expect(read(text)).rejects.toMatchObject({ code, exit: 2 })
})
