import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags })

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds wrong on the page as it stands: rule and element. Best practices and WCAG 2.2 A and AA. */
export async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  return (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => [v.id, n.target, n.failureSummary].join(' '))))",
  )) as string[]
}

/** Everything that a page should not do by itself. */
export function watch(page: Page, allowed: (url: string) => boolean): readonly string[] {
  const events: string[] = []
  page.on('console', (message) => events.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => events.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => {
    events.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('popup', (popup) => events.push(`popup: ${popup.url()}`))
  page.on('request', (request) => {
    if (!allowed(request.url()) && !request.url().startsWith('data:')) events.push(`request: ${request.url()}`)
  })
  return events
}
