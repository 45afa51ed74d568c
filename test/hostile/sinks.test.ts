import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Marked } from 'marked'
import Papa from 'papaparse'
import { SaxesParser } from 'saxes'
import { describe, expect, test } from 'vitest'
import type { ReportFormat } from '../../src/contracts/pipeline.ts'
import { openRowWriter } from '../../src/report/flags.ts'
import { renderers } from '../../src/report/render/registry.ts'
import { parseReport } from '../../src/report/schema.ts'
import { renderTerminal } from '../../src/report/terminal.ts'
import { marked as pieces } from '../../src/review/marks.ts'
import { folder } from '../sources/make.ts'
import { payloads } from './payloads.ts'
import { hostileReport } from './report.ts'

const home = folder()
const report = hostileReport()
const texts = payloads.map(([, text]) => text)

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/u
const reordering = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u
const unseen = /[\u{e0000}-\u{e0fff}\u200b\ufeff]/u
const marks = /\p{M}{6}/u

const nothingHides = (text: string): void => {
  for (const pattern of [controls, reordering, unseen, marks]) expect(pattern.exec(text)?.[0]).toBeUndefined()
}

async function flagsAs(format: 'csv' | 'jsonl'): Promise<string> {
  const path = join(home.dir, `flags.${format}`)
  const writer = await openRowWriter(path, format, 'flags')
  const n = texts.length
  await writer.write({
    length: n,
    id: texts,
    shard: texts,
    row: new Uint32Array(n),
    detector: 'x',
    rule: texts,
    score: new Float64Array(n),
    group: texts,
    givenLabel: texts,
    suggestedLabel: texts,
  })
  await writer.close()
  return readFileSync(path, 'utf8')
}

/** Markup that the summary in Markdown itself is made of. */
const ownMarkup = ['html: <details><summary>What this audit cannot see</summary>', 'html: </details>', 'html: <sub>', 'html: </sub>']

/** Every report format has its check: the compiler asks for one when a format is added. */
const formats: { readonly [F in ReportFormat]: (text: string) => void } = {
  html(text) {
    nothingHides(text)
    // What executes it is tried in a browser; here: nothing but our own elements, and no address but that of the page's own parts.
    expect(text).not.toMatch(/<script|<iframe|<object|<base|<form|<meta http-equiv="?refresh/i)
    expect([...text.matchAll(/<[a-z][^>]*\son[a-z]+\s*=/gi)]).toEqual([])
    expect([...text.matchAll(/\s(?:href|src)="(?!#|data:image\/png;base64,)[^"]*"/g)].map((m) => m[0])).toEqual([])
  },
  annotations(text) {
    nothingHides(text)
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^::(error|warning|notice) title=[^:,\r\n]*::(?!.*\r)/)
  },
  json(text) {
    // Long texts are cut, and half a surrogate pair is no text.
    const kept = texts.filter((t) => t.length <= 400 && !/\p{Cs}/u.test(t))
    expect(parseReport(text).records.map((r) => r.id)).toEqual(expect.arrayContaining(kept))
  },
  junit(text) {
    nothingHides(text)
    const elements = new Set<string>()
    const parser = new SaxesParser()
    parser.on('opentag', ({ name }) => elements.add(name))
    for (const kind of ['comment', 'cdata', 'doctype', 'processinginstruction'] as const)
      parser.on(kind, () => expect.unreachable(`${kind} in JUnit`))
    parser.write(text).close()
    for (const name of elements)
      expect([
        'testsuites',
        'testsuite',
        'testcase',
        'failure',
        'error',
        'skipped',
        'properties',
        'property',
        'system-out',
        'system-err',
      ]).toContain(name)
  },
  markdown(text) {
    nothingHides(text)
    const found: string[] = []
    new Marked({
      gfm: true,
      walkTokens: (t) =>
        void (['html', 'image', 'link', 'def', 'checkbox'].includes(t.type) && found.push(`${t.type}: ${t.raw.slice(0, 80)}`)),
    }).parse(text)
    expect(found.filter((f) => !ownMarkup.includes(f))).toEqual([])
    expect(text).not.toMatch(/(^|[^\\&\w])@[a-z]/i)
  },
  sarif(text) {
    nothingHides(text)
    const log = JSON.parse(text) as { runs: { results: { message: { text: string } }[] }[] }
    expect(log.runs.length).toBe(1)
    for (const { message } of log.runs[0]?.results ?? []) expect(message.text).not.toMatch(/(^|[^\\])\[[^\]]*[^\\]\]\(/)
  },
}

/** Adding a sink is one line: what is written, and what must hold of it. */
const sinks: readonly (readonly [string, () => string | Promise<string>, (text: string) => void])[] = [
  ...Object.entries(formats).map(([name, check]) => [name, () => renderers[name as ReportFormat].render(report), check] as const),
  ['html for medical devices', () => renderers.html.render(report, 'medical-device'), formats.html],
  ['terminal', () => renderTerminal(report, { color: false, width: 80, files: [{ title: 'report', path: texts.join('/') }] }), terminal],
  ['flags.csv', () => flagsAs('csv'), csv],
  ['flags.jsonl', () => flagsAs('jsonl'), jsonl],
  ['text of a review', () => texts.flatMap((t) => pieces(t, texts).pieces.map((p) => p.text)).join('\n'), nothingHides],
]

function terminal(text: string): void {
  nothingHides(text)
  expect(text.split('\n').filter((line) => /^\s*(::[a-z]|##\[|##vso)/i.test(line))).toEqual([])
}

function csv(text: string): void {
  const { data, errors } = Papa.parse<string[]>(text.trimEnd(), { delimiter: ',', newline: '\n' })
  expect(errors).toEqual([])
  expect(data.length).toBe(texts.length + 1)
  expect(new Set(data.map((row) => row.length))).toEqual(new Set([10]))
  const formulas = data
    .slice(1)
    .flat()
    .filter((cell) => /^[=+\-@\t\r]/.test(cell))
  expect(formulas).toEqual([])
}

function jsonl(text: string): void {
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; given_label: string })
  expect(rows.map((r) => r.id)).toEqual(texts)
}

test('there are enough payloads, and none twice', () => {
  expect(payloads.length).toBeGreaterThanOrEqual(60)
  expect(new Set(texts).size).toBe(texts.length)
})

describe.each(sinks)('%s', (_, write, check) => {
  test('is text, whatever the data say', async () => {
    check(await write())
  })
})
