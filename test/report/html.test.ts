import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { themed } from '../../src/report/render/html/chart.ts'
import { html, trusted } from '../../src/report/render/html/tag.ts'
import { renderHtml } from '../../src/report/render/html.ts'
import { loadCases } from '../golden/load.ts'

const pages = await Promise.all(
  (await loadCases()).map(async ({ name, outcome, policy }) => [name, await renderHtml(buildReport(outcome, policy))] as const),
)

describe.each(pages)('report.html of %s', (_, page) => {
  test('has one style element, whose digest the policy names, and no style attribute', () => {
    const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)]
    expect(styles).toHaveLength(1)
    const digest = createHash('sha256')
      .update(styles[0]?.[1] as string)
      .digest('base64')
    expect(page).toContain(`style-src &#39;sha256-${digest}&#39;`)
    expect(page.match(/<[^>]*\sstyle=/g)).toBeNull()
  })

  test('holds no script, frame, link, handler or address that a browser would fetch', () => {
    expect(page.match(/<(script|iframe|object|embed|link|base|form)\b/gi)).toBeNull()
    expect(page.match(/<[^>]*\son\w+\s*=\s*["']/gi)).toBeNull()
    for (const [, target] of page.matchAll(/<[^>]*\s(?:href|src|xlink:href)="([^"]*)"/g))
      expect(target).toMatch(/^(#[\w-]+|data:image\/png;base64,[A-Za-z0-9+/=]+)$/)
  })

  test('every link within the page has its target, and every id is there once', () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target)
    for (const [, target] of page.matchAll(/aria-labelledby="([^"]*)"/g)) expect(ids).toContain(target)
  })

  test('charts have a name and no colour of their own', () => {
    const charts = [...page.matchAll(/<svg xmlns[^>]*>[\s\S]*?<\/svg>/g)].map(([chart]) => chart)
    for (const chart of charts) {
      expect(chart).toMatch(/^<svg[^>]* role="img" aria-label="[^"]+"/)
      expect(chart.match(/(?:fill|stroke)="(?!none)[^"]*"/g)).toBeNull()
    }
  })

  test('tables have captions and header cells', () => {
    const tables = [...page.matchAll(/<table[\s\S]*?<\/table>/g)].map(([t]) => t)
    expect(tables.length).toBeGreaterThan(0)
    for (const table of tables) {
      expect(table).toMatch(/<caption/)
      expect(table).toMatch(/<th scope="col"/)
    }
  })
})

test('records show their content only when the policy allows it', () => {
  const [shown, hidden] = ['hostile', 'poisoned-tabular'].map((name) => pages.find(([n]) => n === name)?.[1] as string)
  expect(shown?.match(/class="excerpt"/g)?.length).toBe(2)
  expect(shown?.match(/<img /g)?.length).toBe(4)
  expect(hidden?.match(/class="excerpt"|<img |<mark>/g)).toBeNull()
})

describe('html', () => {
  test('escapes text, lists and attributes, and lets only its own markup through', () => {
    const inner = html`<b>${'<i>'}</b>`
    expect(html`<p title="${'"x'}">${inner}${[inner, inner]}${null}${false}${3}</p>`.html).toBe(
      '<p title="&quot;x"><b>&lt;i&gt;</b><b>&lt;i&gt;</b><b>&lt;i&gt;</b>3</p>',
    )
    expect(html`${trusted('<hr>')}`.html).toBe('<hr>')
  })
})

test('a chart loses styles, events and colours on its way into the page', () => {
  const svg =
    '<?xml version="1.0"?><svg width="1"><rect class="z" fill="#010103" style="font-size:12px" ecmeta_ssr_type="chart"/><style><![CDATA[a{}]]></style></svg>'
  expect(themed(svg, { width: 10, height: 5 }, 'a "name"')).toBe(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 5" width="10" height="5" font-size="13" role="img" aria-label="a &quot;name&quot;">\n<rect class="f-mark" font-size="12"/>\n</svg>',
  )
})

test('the first screen of a passed audit says what was not looked for, and how to name a label where there is none', async () => {
  const { outcome, policy } = (await loadCases()).find((c) => c.name === 'clean-tabular') as Awaited<ReturnType<typeof loadCases>>[number]
  const first = async (columns: typeof outcome.columns): Promise<string> => {
    const page = await renderHtml(buildReport({ ...outcome, columns }, policy))
    return page.slice(page.indexOf('<section class="verdict'), page.indexOf('<nav aria-label="Contents"'))
  }
  const hint = 'No column was taken for the label'
  const labelled = await first(outcome.columns)
  expect(labelled).toMatch(/Not looked for: <a href="#blind">[A-Z][^<]+<\/a>/)
  expect(labelled).not.toContain(hint)
  expect(await first([{ name: 'site', type: 'text', role: 'categories' }])).toContain(hint)
})
