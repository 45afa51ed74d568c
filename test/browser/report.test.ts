import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { renderHtml } from '../../src/report/render/html.ts'
import { loadCases } from '../golden/load.ts'
import { launch } from './chromium.ts'

const cases = await loadCases()
let browser: Browser
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'))
  for (const { name, outcome, policy } of cases)
    await writeFile(join(folder, `${name}.html`), await renderHtml(buildReport(outcome, policy)))
  browser = await launch()
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await rm(folder, { recursive: true, force: true })
})

interface View {
  readonly page: Page
  /** Console messages, page errors, dialogs and requests other than the page itself. */
  readonly events: readonly string[]
}

async function open(name: string, options: { readonly width: number; readonly colorScheme: 'light' | 'dark' }): Promise<View> {
  const page = await browser.newPage({ viewport: { width: options.width, height: 844 }, colorScheme: options.colorScheme })
  const events: string[] = []
  const url = pathToFileURL(join(folder, `${name}.html`)).href
  page.on('console', (message) => events.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => events.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => {
    events.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) events.push(`request: ${request.url()}`)
  })
  await page.goto(url)
  return { page, events }
}

/** Contrast ratio (WCAG 2.2, 1.4.3) of every visible text, painted over what lies behind it; those below the minimum. */
const lowContrast = `(() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number)
  const over = ([r, g, b, a = 1], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)]
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const behind = (e) => { if (!e) return [255, 255, 255]; const c = parse(getComputedStyle(e).backgroundColor); return c.length === 4 && c[3] === 0 ? behind(e.parentElement) : over(c, behind(e.parentElement)) }
  const low = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement
    if (!walker.currentNode.data.trim() || !e || !e.getClientRects().length || e.closest('.spoken, .skip, .f-inverse, svg')) continue
    const style = getComputedStyle(e)
    const ground = behind(e)
    const [a, b] = [light(over(parse(style.color), ground)), light(ground)].sort((x, y) => y - x)
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700)
    if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) low.push(((a + 0.05) / (b + 0.05)).toFixed(2) + ' ' + walker.currentNode.data.trim().slice(0, 40))
  }
  return low
})()`

/** The same for the text of charts: fill against the cell or the page behind the centre of the text. */
const lowChartContrast = `(() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || [0, 0, 0]).map(Number)
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const low = []
  for (const text of document.querySelectorAll('figure svg text')) {
    const box = text.getBoundingClientRect()
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const cells = [...text.closest('svg').querySelectorAll('path, rect')].filter((p) => { const r = p.getBoundingClientRect(); return r.width > 8 && r.height > 8 && x > r.x && x < r.right && y > r.y && y < r.bottom && getComputedStyle(p).fill !== 'none' })
    let ground = cells.length ? getComputedStyle(cells[0]).fill : null
    for (let e = text.closest('svg'); !ground && e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) ground = c }
    const [a, b] = [light(parse(getComputedStyle(text).fill)), light(parse(ground || 'rgb(255,255,255)'))].sort((p, q) => q - p)
    if ((a + 0.05) / (b + 0.05) < 4.5) low.push(((a + 0.05) / (b + 0.05)).toFixed(2) + ' ' + text.textContent)
  }
  return low
})()`

const views = cases.flatMap(({ name }) =>
  ([1280, 390] as const).flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ name, width, colorScheme }))),
)

describe.each(views)('$name at $width, $colorScheme', ({ name, width, colorScheme }) => {
  test('loads alone, silently, within the width, and readable', async () => {
    const { page, events } = await open(name, { width, colorScheme })
    expect(events).toEqual([])
    expect(await page.evaluate('window.pwned')).toBeUndefined()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    await page.evaluate('document.querySelectorAll("details").forEach((d) => { d.open = true })')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    expect(await page.evaluate(lowContrast)).toEqual([])
    expect(await page.evaluate(lowChartContrast)).toEqual([])
    expect(await page.evaluate('[...document.images].filter((i) => i.complete && i.naturalWidth === 0).length')).toBe(0)
    await page.close()
  })
})

describe('the page', () => {
  test('follows the colour scheme', async () => {
    const ground = async (colorScheme: 'light' | 'dark') => {
      const { page } = await open('clean-tabular', { width: 1280, colorScheme })
      const color = await page.evaluate('getComputedStyle(document.body).backgroundColor')
      await page.close()
      return color
    }
    expect(await ground('light')).not.toBe(await ground('dark'))
  })

  test('shows the verdict on the first screen of a phone and of a desktop', async () => {
    for (const name of ['poisoned-tabular', 'vendor-intake'])
      for (const width of [390, 1280]) {
        const { page } = await open(name, { width, colorScheme: 'light' })
        const bottom = await page.evaluate('document.querySelector("#verdict-title").getBoundingClientRect().bottom')
        expect(bottom).toBeLessThan(420)
        await page.close()
      }
  })

  test.each(['poisoned-tabular', 'vendor-intake'])(
    '%s has landmarks, one first heading, headings in order, and named regions',
    async (name) => {
      const { page } = await open(name, { width: 1280, colorScheme: 'light' })
      const outline = (await page.evaluate('[...document.querySelectorAll("h1,h2,h3,h4")].map((h) => Number(h.tagName[1]))')) as number[]
      expect(outline.filter((level) => level === 1)).toEqual([1])
      for (const [i, level] of outline.entries()) if (i > 0) expect(level - (outline[i - 1] as number)).toBeLessThanOrEqual(1)
      const counts = await page.evaluate(
        '["main","nav","footer","header"].map((t) => document.querySelectorAll(`body > ${t}, .page > ${t}, main > ${t}`).length)',
      )
      expect(counts).toEqual([1, 1, 1, 1])
      expect(
        await page.evaluate(
          '[...document.querySelectorAll("[role=region], [role=img]")].filter((e) => !e.getAttribute("aria-label")).length',
        ),
      ).toBe(0)
      await page.close()
    },
  )

  test('can be read by keyboard: the first stop skips to the findings, every stop is visible', async () => {
    const { page } = await open('poisoned-tabular', { width: 1280, colorScheme: 'light' })
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the findings')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('location.hash')).toBe('#findings')
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press('Tab')
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).not.toBe('none')
    }
    await page.close()
  })

  test('provenance: bars are drawn and say what they show; digests are short on the screen and whole on paper', async () => {
    const { page } = await open('vendor-intake', { width: 1280, colorScheme: 'light' })
    const bars = (await page.evaluate(
      '[...document.querySelectorAll(".bar")].map((b) => ({ said: b.getAttribute("aria-label"), parts: [...b.children].map((r) => r.getBoundingClientRect().width) }))',
    )) as { said: string; parts: number[] }[]
    expect(bars.map((b) => b.parts.length)).toEqual([5, 5, 2, 2])
    for (const { said, parts } of bars) {
      expect(said).toMatch(/mismatched|removed|relabelled/)
      expect(Math.min(...parts)).toBeGreaterThan(1)
    }
    const wide = (at: number, part: number) => (bars[at] as (typeof bars)[number]).parts[part] as number
    expect(wide(0, 4) / wide(0, 0)).toBeCloseTo(6, 0)
    expect(wide(2, 1) / wide(2, 0)).toBeCloseTo(826 / 388, 1)
    const digests = 'document.querySelector("#provenance .digest").innerText.trim().length'
    expect(await page.evaluate(digests)).toBe(12)
    await page.emulateMedia({ media: 'print' })
    expect(await page.evaluate(digests)).toBe(64)
    await page.close()
  })

  test('pictures of triggers: crisp, enlarged by whole factors, outlined where the trigger is, on paper too', async () => {
    for (const width of [390, 1280]) {
      const { page } = await open('triggers', { width, colorScheme: 'dark' })
      const shots = (await page.evaluate(`[...document.querySelectorAll('.shot')].map((s) => {
        const [img, mark] = [s.querySelector('img'), s.querySelector('.s-mark')]
        const [a, b] = [img, mark].map((e) => e && e.getBoundingClientRect())
        return { natural: img.naturalWidth, wide: a.width, tall: a.height, rendering: getComputedStyle(img).imageRendering,
          mark: b && [(b.x - a.x) / a.width, (b.y - a.y) / a.height, b.width / a.width, b.height / a.height] }
      })`)) as { natural: number; wide: number; tall: number; rendering: string; mark: number[] | null }[]
      expect(shots).toHaveLength(15)
      for (const { natural, wide, tall, rendering, mark } of shots) {
        expect(rendering).toBe('pixelated')
        expect(wide).toBeGreaterThan(natural * 2)
        expect(tall).toBeCloseTo(wide, 0)
        if (width === 1280) expect(wide % natural).toBe(0)
        if (mark) for (const [i, part] of [2, 3, 5, 5].entries()) expect(Math.abs((mark[i] as number) - part / 24)).toBeLessThan(0.07)
      }
      const native = await page.evaluate(
        "[...document.querySelectorAll('.caption img')].map((i) => i.getBoundingClientRect().width - i.naturalWidth)",
      )
      expect(native).toEqual(new Array(15).fill(0))
      await page.close()
    }
  })

  test('passages: what nobody sees is said, marks are spoken, hidden characters reorder nothing', async () => {
    const { page } = await open('triggers', { width: 1280, colorScheme: 'light' })
    const texts = (await page.evaluate("[...document.querySelectorAll('.passages blockquote')].map((b) => b.innerText)")) as string[]
    expect(texts[0]).toContain('32 tag characters: ignore all previous instructions')
    expect(texts[1]).toMatch(/pay.U\+200B × 5.pal .U\+202E.gpj\.exe.U\+202C. is safe/)
    expect(texts[2]).toMatch(/^…[\s\S]*James Bond[\s\S]*…$/)
    const spoken = await page.evaluate("getComputedStyle(document.querySelector('mark'), '::before').content")
    expect(spoken).toContain('marked')
    const order = await page.evaluate(`(() => {
      const [before, mark] = [...document.querySelectorAll('.passages li:nth-child(2) blockquote i, .passages li:nth-child(2) mark')].map((e) => e.getBoundingClientRect().x)
      return mark > before
    })()`)
    expect(order).toBe(true)
    await page.close()
  })

  test('a map of points keeps its marked points on top and in a shape of their own', async () => {
    const { page } = await open('triggers', { width: 390, colorScheme: 'light' })
    const paths = (await page.evaluate(
      `[...document.querySelectorAll('figure svg path[class]')].map((p) => ({ name: p.getAttribute('class'), wide: p.getBoundingClientRect().width }))`,
    )) as { name: string; wide: number }[]
    const marked = paths.findIndex((p) => p.name.includes('f-mark'))
    const dots = paths.map((p) => /s-series\d/.test(p.name)).lastIndexOf(true)
    expect(marked).toBeGreaterThan(dots)
    expect((paths[marked] as { wide: number }).wide).toBeGreaterThan(10)
    await page.close()
  })

  test.each(['poisoned-tabular', 'triggers'])('%s prints on paper with the numbers of every chart', async (name) => {
    const { page } = await open(name, { width: 1280, colorScheme: 'dark' })
    const pdf = await page.pdf({ format: 'A4', printBackground: true })
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    await page.emulateMedia({ media: 'print' })
    expect(await page.evaluate('getComputedStyle(document.querySelector("nav")).display')).toBe('none')
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
    expect(await page.evaluate(lowContrast)).toEqual([])
    expect(
      await page.evaluate(
        '[...document.querySelectorAll("figure details table")].every((t) => t.checkVisibility({ contentVisibilityAuto: true }))',
      ),
    ).toBe(true)
    await page.close()
  })
})
