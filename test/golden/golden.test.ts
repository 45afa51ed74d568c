import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { renderHtml } from '../../src/report/render/html.ts'
import { renderers } from '../../src/report/render/registry.ts'
import { parseReport, type Report } from '../../src/report/schema.ts'
import { renderTerminal } from '../../src/report/terminal.ts'
import { loadCases } from './load.ts'

const expectedFolder = join(import.meta.dirname, 'expected')
const update = process.env.UPDATE_GOLDEN !== undefined

const outputs: readonly { readonly file: string; readonly render: (report: Report) => string | Promise<string> }[] = [
  ...Object.values(renderers),
  {
    file: 'terminal.txt',
    render: (report) => renderTerminal(report, { color: false, width: 80, files: [{ title: 'report', path: 'run/report.html' }] }),
  },
]
const cases = await loadCases()

/** Run with UPDATE_GOLDEN=1 to write the files anew, and read the difference before committing it. */
describe.each(cases)('$name', ({ name, outcome, policy }) => {
  const report = buildReport(outcome, policy)

  test.each(outputs)('$file', async ({ file, render }) => {
    const path = join(expectedFolder, name, file)
    const text = await render(report)
    if (update) {
      await mkdir(join(expectedFolder, name), { recursive: true })
      await writeFile(path, text)
    }
    expect(text).toBe(await readFile(path, 'utf8'))
  })

  test('every format is a function of report.json alone', async () => {
    const read = parseReport(await readFile(join(expectedFolder, name, 'report.json'), 'utf8'))
    for (const { file, render } of outputs) expect(await render(read)).toBe(await readFile(join(expectedFolder, name, file), 'utf8'))
  })
})

test('the report for medical devices', async () => {
  const path = join(expectedFolder, 'poisoned-tabular', 'report.medical-device.html')
  const text = await renderHtml(
    parseReport(await readFile(join(expectedFolder, 'poisoned-tabular', 'report.json'), 'utf8')),
    'medical-device',
  )
  if (update) await writeFile(path, text)
  expect(text).toBe(await readFile(path, 'utf8'))
})

test('no golden file is left over', async () => {
  expect((await readdir(expectedFolder)).sort()).toEqual(cases.map((c) => c.name).sort())
})
