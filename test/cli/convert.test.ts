import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderWith } from '../config/files.ts'
import { assay } from './harness.ts'

const golden = join(import.meta.dirname, '../golden/expected/poisoned-tabular')
const report = join(golden, 'report.json')

describe('convert', () => {
  test.each([
    ['sarif', 'report.sarif'],
    ['markdown', 'report.md'],
    ['html', 'report.html'],
    ['json', 'report.json'],
    ['junit', 'report.junit.xml'],
    ['annotations', 'annotations.txt'],
  ])('to %s writes what an audit writes', async (format, file) => {
    expect(await assay(['convert', report, '--to', format])).toEqual({
      code: 0,
      stdout: await readFile(join(golden, file), 'utf8'),
      stderr: '',
    })
  })

  test('reads a run directory and standard input, and writes a file', async () => {
    const folder = await folderWith({})
    const out = join(folder, 'new', 'r.md')
    const markdown = await readFile(join(golden, 'report.md'), 'utf8')
    expect(await assay(['convert', golden, '--to', 'markdown', '--out', out])).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await readFile(out, 'utf8')).toBe(markdown)
    const piped = await assay(['convert', '-', '--to', 'markdown'], { stdin: await readFile(report) })
    expect(piped.stdout).toBe(markdown)
  })

  test.each<[string, string | Uint8Array, string]>([
    ['no JSON', '{', 'not JSON'],
    ['another JSON', '[]', 'not a report'],
    ['a report of the future', '{"schemaVersion":9}', 'schema version 9'],
    ['bytes', new Uint8Array([0xff, 0xfe]), 'not UTF-8'],
    ['nothing', '', 'not JSON'],
  ])('%s exits 4', async (_, content, words) => {
    const folder = await folderWith({ 'r.json': content })
    const { code, stdout, stderr } = await assay(['convert', join(folder, 'r.json'), '--to', 'html'])
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toContain(words)
    expect(stderr).toContain('r.json')
  })

  test('a file that cannot be written is named', async () => {
    const folder = await folderWith({ f: '' })
    const { code, stderr } = await assay(['convert', report, '--to', 'html', '--out', join(folder, 'f', 'x.html')])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^assay: .*f: (is not a folder|exists already)\n$/)
  })
})
