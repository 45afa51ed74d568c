import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../contracts/package-root.ts'
import { palette } from '../report/render/html/palette.ts'

interface Asset {
  readonly type: string
  body(): Promise<string>
}

const script = 'text/javascript; charset=utf-8'
const page = (file: string): Promise<string> => readFile(join(packageRoot, 'src', 'review', 'page', file), 'utf8')
const scripts = ['api.js', 'cards.js', 'dialogs.js', 'dom.js', 'filters.js', 'keys.js', 'list.js', 'main.js', 'record.js', 'state.js']

/** The files of the page by their paths; the colours are those of the report. */
export const assets: ReadonlyMap<string, Asset> = new Map<string, Asset>([
  ['/', { type: 'text/html; charset=utf-8', body: () => page('index.html') }],
  ['/page.css', { type: 'text/css; charset=utf-8', body: async () => `${palette}\n${await page('page.css')}` }],
  ...scripts.map((file): [string, Asset] => [`/${file}`, { type: script, body: () => page(file) }]),
])
