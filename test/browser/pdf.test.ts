import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getDocument, VerbosityLevel } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { describe, expect, test } from 'vitest'
import { assay } from '../cli/harness.ts'
import { folder } from '../sources/make.ts'

const home = folder()
const golden = join(import.meta.dirname, '../golden/expected')
const env = { ASSAY_NOW: '2026-11-23T09:00:00Z', PATH: process.env.PATH, CHROMIUM: process.env.CHROMIUM ?? '/usr/bin/chromium' }

interface Piece {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly bottom: number
}

interface Printed {
  readonly bytes: Buffer
  readonly pages: readonly (readonly Piece[])[]
  readonly size: readonly [number, number]
  readonly bookmarks: readonly string[]
  readonly tagged: boolean
  readonly info: Readonly<Record<string, unknown>>
}

async function print(name: string, ...more: string[]): Promise<Printed> {
  const path = join(home.dir, `${name}-${more.join('')}.pdf`.replaceAll('/', '-'))
  const { code, stderr } = await assay(['convert', join(golden, name, 'report.json'), '--to', 'pdf', '--out', path, ...more], { env })
  expect([code, stderr]).toEqual([0, ''])
  const bytes = readFileSync(path)
  const task = getDocument({ data: Uint8Array.from(bytes), verbosity: VerbosityLevel.ERRORS, useSystemFonts: true })
  const pdf = await task.promise
  const pages: Piece[][] = []
  let size: readonly [number, number] = [0, 0]
  for (let n = 1; n <= pdf.numPages; n++) {
    const page = await pdf.getPage(n)
    const [, , width = 0, height = 0] = page.view
    size = [width, height]
    const { items } = await page.getTextContent()
    pages.push(
      items.flatMap((item) =>
        'str' in item && item.str.trim() !== ''
          ? [
              {
                text: item.str,
                left: item.transform[4] as number,
                right: (item.transform[4] as number) + item.width,
                bottom: item.transform[5] as number,
              },
            ]
          : [],
      ),
    )
  }
  const outline = (await pdf.getOutline()) ?? []
  const flat = (items: typeof outline): string[] => items.flatMap((i) => [i.title, ...flat(i.items)])
  const { info } = await pdf.getMetadata()
  const tagged = ((await pdf.getMarkInfo()) as { Marked?: boolean } | null)?.Marked === true
  await task.destroy()
  return { bytes, pages, size, bookmarks: flat(outline), tagged, info: info as Record<string, unknown> }
}

const textOf = (page: readonly Piece[] | undefined): string => (page ?? []).map((p) => p.text).join(' ')
const pagesWith = (printed: Printed, pattern: RegExp): number[] =>
  printed.pages.flatMap((page, i) => (pattern.test(textOf(page)) ? [i + 1] : []))

describe('a report as PDF', () => {
  test('begins with what was audited, has bookmarks and page numbers, and cuts nothing', async () => {
    const printed = await print('poisoned-tabular')
    const first = textOf(printed.pages[0])
    for (const said of ['Data audit report', 'FAILED', 'SHA-256 of the data', 'Seed', 'Approved by, date']) expect(first).toContain(said)
    for (const title of ['Findings', 'Records to look at', 'Coverage', 'What this audit cannot see', 'Method', 'References', 'Appendix'])
      expect(printed.bookmarks).toContain(title)
    expect(printed.tagged).toBe(true)
    const n = printed.pages.length
    for (const [i, page] of printed.pages.entries()) if (i > 0) expect(textOf(page)).toContain(`${i + 1} / ${n}`)
    const [width] = printed.size
    const over = printed.pages.flatMap((page, i) =>
      page.filter((p) => p.left < 40 || p.right > width - 40).map((p) => `${i + 1}: ${p.text}`),
    )
    expect(over).toEqual([])
  })

  test('keeps the rows of tables whole, and says on every page what the columns are', async () => {
    const printed = await print('poisoned-tabular')
    const report = JSON.parse(readFileSync(join(golden, 'poisoned-tabular/report.json'), 'utf8')) as {
      records: { id: string; row: number }[]
    }
    const squeeze = printed.pages.map((page) =>
      page
        .map((p) => p.text)
        .join('')
        .replaceAll(/\s/g, ''),
    )
    let seen = 0
    for (const { id, row } of report.records) {
      const at = squeeze.findIndex((text) => text.includes(`${id}delivery/`))
      if (at < 0) continue
      seen++
      // The last line of its cell, and the head of its table.
      expect(squeeze[at]).toContain(`row${row}`)
      expect(squeeze[at]).toContain('Flaggedby')
    }
    expect(seen).toBe(report.records.length)
    expect(new Set(report.records.map(({ id }) => squeeze.findIndex((text) => text.includes(`${id}delivery/`)))).size).toBeGreaterThan(1)
  })

  test('is the same bytes again, dated by the audit', async () => {
    const [a, b] = [await print('clean-tabular'), await print('clean-tabular')]
    expect(createHash('sha256').update(a.bytes).digest('hex')).toBe(createHash('sha256').update(b.bytes).digest('hex'))
    expect(a.info.CreationDate).toBe("D:20261123093000+00'00'")
  })

  test('for medical devices: hazards, evidence, limits, and what they are evidence relevant to', async () => {
    const printed = await print('poisoned-tabular', '--template', 'medical-device')
    expect(textOf(printed.pages[0])).toContain('evidence for the risk management file')
    for (const title of [
      'Hazards, evidence and residual risk',
      'Labels in the training data are wrong, by intent or by mistake',
      'Evidence relevant to',
    ])
      expect(printed.bookmarks).toContain(title)
    expect(pagesWith(printed, /Annex IV/).length).toBeGreaterThan(0)
    expect(printed.pages.map(textOf).join(' ')).not.toMatch(/compliant with|complies with|in compliance/i)
    const [width] = printed.size
    expect(printed.pages.flatMap((page) => page.filter((p) => p.right > width - 40).map((p) => p.text))).toEqual([])
  })

  test('is signed by a key over the file and its verdict; a changed file is told', async () => {
    const key = join(home.dir, 'k')
    expect((await assay(['keygen', '--out', key])).code).toBe(0)
    await print('clean-tabular', '--sign', `${key}.key`)
    const name = `clean-tabular---sign${key}.key.pdf`.replaceAll('/', '-')
    const put = (folder: string, bytes: Buffer) => home.put(`${folder}/${name}`, bytes)
    const bytes = readFileSync(join(home.dir, name))
    put('filed', bytes)
    const envelope = home.put('signature.json', readFileSync(join(home.dir, `${name}.intoto.json`)))
    const verify = (folder: string) => assay(['verify', join(home.dir, folder), '--manifest', envelope, '--key', `${key}.pub`])
    expect((await verify('filed')).code).toBe(0)
    put('edited', Buffer.concat([bytes, Buffer.from('\n')]))
    expect((await verify('edited')).code).toBe(1)
  })
})

test('without a browser, the error says what to install', async () => {
  const report = join(golden, 'clean-tabular/report.json')
  const out = join(home.dir, 'x.pdf')
  const none = await assay(['convert', report, '--to', 'pdf', '--out', out], { env: { PATH: home.dir } })
  expect([none.code, none.stderr]).toEqual([4, expect.stringMatching(/needs Chromium or Chrome, and none is found[\s\S]*Install Chromium/)])
  const wrong = await assay(['convert', report, '--to', 'pdf', '--out', out], { env: { CHROMIUM: '/no/such' } })
  expect(wrong.stderr).toContain('CHROMIUM names /no/such, which cannot be run')
  const broken = await assay(['convert', report, '--to', 'pdf', '--out', out], { env: { CHROMIUM: '/bin/false' } })
  expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining('printed no PDF: exit 1')])
})
