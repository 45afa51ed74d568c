import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { ReportError } from '../errors.ts'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome', 'microsoft-edge']
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
]

const runs = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

/**
 * The browser that prints: the one that `CHROMIUM` names, else the first of the usual names on the path.
 * @throws {ReportError} `no-browser`
 */
export async function findChromium(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const hint = 'Install Chromium or Chrome (Debian: apt-get install chromium), or name it in the environment variable CHROMIUM.'
  const { CHROMIUM: named, PATH = '' } = env
  if (named) {
    if (await runs(named)) return named
    throw ReportError.of('no-browser', `a PDF needs Chromium, and CHROMIUM names ${named}, which cannot be run`, 4, hint)
  }
  const folders = PATH.split(delimiter).filter((folder) => folder !== '')
  for (const path of [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...elsewhere])
    if (await runs(path)) return path
  throw ReportError.of('no-browser', 'a PDF needs Chromium or Chrome, and none is found', 4, hint)
}
