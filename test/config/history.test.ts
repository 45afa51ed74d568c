import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadPipeline } from '../../src/config/load.ts'
import { printConfig } from '../../src/config/print.ts'
import { folderWith } from './files.ts'

const load = async (more: string, overrides: Parameters<typeof loadPipeline>[1] = {}) => {
  const folder = await folderWith({
    'p.yaml': `version: 1\nsources: [{ path: data.csv }]\n${more}`,
    'data.csv': 'label\na\n',
    'known.json': '{ "version": 1, "findings": [] }',
    'old.yaml': 'version: 1\nhistory: { path: old.duckdb }\n',
  })
  return { folder, ...(await loadPipeline(join(folder, 'p.yaml'), { cwd: folder, ...overrides })) }
}

describe('history, known findings and webhooks in the pipeline file', () => {
  test('paths are relative to the file; a preset keeps its history beside the file that uses it', async () => {
    const own = await load('history: { path: h/h.duckdb }\ngate: { known: known.json }\n')
    expect([own.pipeline.history, own.knownFile]).toEqual([{ path: join(own.folder, 'h/h.duckdb') }, join(own.folder, 'known.json')])
    const preset = await load('extends: preset:scheduled-audit\n')
    expect(preset.pipeline.history).toEqual({ path: join(preset.folder, 'history.duckdb') })
    expect((await load('')).pipeline.history).toBeUndefined()
  })

  test('a file and a database replace one another, and the command line wins', async () => {
    const database = await load('extends: [preset:scheduled-audit, old.yaml]\nhistory: { connection: { env: HISTORY } }\n')
    expect(database.pipeline.history).toEqual({ connection: { env: 'HISTORY' } })
    const said = await load('history: { connection: { env: HISTORY } }\n', { history: 'mine.duckdb' })
    expect(said.pipeline.history).toEqual({ path: join(said.folder, 'mine.duckdb') })
  })

  test('what is written reads back', async () => {
    const more =
      'history: { path: h.duckdb }\ngate: { known: known.json }\nnotify: [{ webhook: { env: HOOK }, secret: { env: KEY }, on: fail }]\n'
    const { pipeline, folder, knownFile } = await load(more)
    const printed = parse(printConfig(pipeline, [], { relativeTo: folder, knownFile })) as Record<string, unknown>
    expect(printed).toMatchObject({
      history: { path: 'h.duckdb' },
      gate: { known: 'known.json' },
      notify: [{ webhook: { env: 'HOOK' }, secret: { env: 'KEY' }, on: 'fail' }],
    })
  })

  test.each([
    ['history: { path: a, connection: { env: B } }\n', 'either a path or a connection'],
    ['history: {}\n', 'either a path or a connection'],
    ['notify: [{ webhook: https://example.org, on: fail }]\n', 'webhook'],
    ['notify: [{ webhook: { env: A }, on: sometimes }]\n', 'one of fail, always'],
  ])('%j is an error', async (more, words) => {
    await expect(load(more)).rejects.toThrow(words)
  })

  test('a history inside of the audited data is refused', async () => {
    const folder = await folderWith({
      'p.yaml': 'version: 1\nsources: [{ path: data }]\nhistory: { path: data/h.duckdb }\n',
      'data/a.csv': 'label\na\n',
    })
    await expect(loadPipeline(join(folder, 'p.yaml'))).rejects.toMatchObject({ code: 'untrusted-path' })
  })
})
