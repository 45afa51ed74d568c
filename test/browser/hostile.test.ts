import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderHtml } from '../../src/report/render/html.ts'
import { templates } from '../../src/report/render/templates.ts'
import { type OpenReview, openReview } from '../../src/review/review.ts'
import { payloads } from '../hostile/payloads.ts'
import { hostileReport } from '../hostile/report.ts'
import { makeRun, now } from '../review/make-run.ts'
import { launch, watch } from './chromium.ts'

const dir = mkdtempSync(join(tmpdir(), 'assay-hostile-'))
const texts = payloads.map(([, text]) => text)
let browser: Browser
beforeAll(async () => {
  browser = await launch()
}, 60_000)
afterAll(async () => {
  await browser?.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Scripts that ran, elements that are not ours, and how far the page is wider than the window. */
const state = (page: Page) =>
  page.evaluate(`({
    pwned: window.pwned ?? null,
    foreign: [...document.querySelectorAll('iframe, object, embed, base, math, template, form[action], body script, img:not([src^="data:image/png"])')].map((e) => e.outerHTML.slice(0, 80)),
    handlers: [...document.querySelectorAll('*')].filter((e) => e.getAttributeNames().some((n) => n.startsWith('on'))).length,
    over: document.documentElement.scrollWidth - innerWidth,
    reordered: /[\\u202a-\\u202e\\u2066-\\u2069\\u200b\\ufeff]/u.test(document.body.innerText),
  })`)
const harmless = { pwned: null, foreign: [], handlers: 0, over: 0, reordered: false }

describe('the report', () => {
  test.each(templates.flatMap((t) => [1280, 390].map((width) => [t, width] as const)))(
    '%s, %i wide: nothing runs, nothing breaks out',
    async (template, width) => {
      const path = join(dir, `${template}.html`)
      writeFileSync(path, await renderHtml(hostileReport(), template))
      const page = await browser.newPage({ viewport: { width, height: 844 } })
      const url = pathToFileURL(path).href
      const events = watch(page, (to) => to === url)
      await page.goto(url)
      await page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
      expect(await state(page)).toEqual(harmless)
      expect(events).toEqual([])
      await page.close()
    },
  )
})

describe('the review page', () => {
  let review: OpenReview
  const name = '"><img src=x onerror=window.pwned=99>\u202e.jsonl'
  beforeAll(async () => {
    const path = join(dir, name)
    writeFileSync(
      path,
      texts.map((text, i) => JSON.stringify({ id: `${text}${i}`, text, response: text, label: text, by: text })).join('\n'),
    )
    await makeRun({
      dir: join(dir, 'run'),
      base: dir,
      sources: [{ path, columns: { id: 'id', text: 'text', response: 'response', label: 'label', source: 'by' } }],
      subject: texts[0] as string,
      labels: texts,
      pair: [texts[1] as string, texts[3] as string],
      message: texts.join(' '),
      flags: texts.map((text, row) => ({
        id: `${text}${row}`,
        shard: name,
        row,
        score: 0.9 - row / 1_000,
        given: text,
        suggested: texts[(row + 1) % texts.length] as string,
        group: text,
      })),
    })
    review = await openReview({ runDir: join(dir, 'run'), reviewer: texts[4] as string, port: 0, now: () => now })
  }, 120_000)
  afterAll(() => review?.close())

  test('shows every record, finding, label and note as text', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 844 } })
    const events = watch(page, (to) => to.startsWith(`http://127.0.0.1:${review.port}/`))
    await page.goto(review.url)
    await page.waitForSelector('#records .row')
    let read = 0
    for (let i = 0; i < texts.length; i++) {
      await expect.poll(() => page.evaluate("document.querySelector('#detail [aria-busy]') === null"), { timeout: 10_000 }).toBe(true)
      expect(await state(page)).toEqual(harmless)
      if (await page.evaluate("document.querySelector('#detail blockquote') !== null")) read++
      await page.keyboard.press('j')
    }
    // The lone surrogates are no text, and their row is rejected by the reader.
    expect(read).toBeGreaterThanOrEqual(texts.length - 2)
    await page.keyboard.press('Home')
    await page.keyboard.press('r')
    expect(await state(page)).toEqual(harmless)
    await page.keyboard.press('Enter')
    await page.keyboard.press('n')
    await page.keyboard.insertText(
      texts
        .filter((t) => t.length < 1_000)
        .join('')
        .slice(0, 3_900),
    )
    await page.keyboard.press('Control+Enter')
    await page.keyboard.press('g')
    expect(await state(page)).toEqual(harmless)
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await state(page)).toEqual(harmless)
    await page.reload()
    await page.waitForSelector('#records .row')
    expect(await state(page)).toEqual(harmless)
    expect(events).toEqual([])
    await page.close()
  })
})
