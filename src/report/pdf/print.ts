import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ReportError } from '../errors.ts'

const timeoutMs = 120_000
const maxTold = 2_000
const maxPrints = 4

/** A browser without a profile, a network or a sandbox escape to guard: the page is ours and holds no script. */
const flagsFor = (profile: string): readonly string[] => [
  '--headless',
  '--disable-gpu',
  '--disable-extensions',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--host-resolver-rules=MAP * ~NOTFOUND',
  `--user-data-dir=${profile}`,
  // Chromium does not start its sandbox for root.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
]

const run = (browser: string, args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(browser, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' })
    let told = ''
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text: string) => {
      told = `${told}${text}`.slice(-maxTold)
    })
    const failed = (why: string): void =>
      reject(
        ReportError.of(
          'unprintable',
          `${browser} printed no PDF: ${why}`,
          2,
          'Does it start by itself? A current Chromium or Chrome is needed.',
        ),
      )
    child.on('error', (error) => failed(error.message))
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else failed(signal ? `it was stopped after ${timeoutMs / 1000} s` : `exit ${code}: ${told.trim().split('\n').at(-1) ?? ''}`)
    })
  })

/** `D:20261123090000+00'00'` */
const pdfDate = (iso: string): string => `${new Date(iso).toISOString().replaceAll(/[-:T]|\..*/g, '')}+00'00'`

/**
 * The moment of printing is the one thing in which two prints of a report differ: it becomes that of the audit. As many bytes, so that
 * everything stays where the table of the file says.
 */
function dated(pdf: Buffer, iso: string): Buffer {
  const text = pdf.toString('latin1')
  return Buffer.from(
    text.replace(/(\/(?:CreationDate|ModDate) \(D:)\d{14}\+00'00'/g, (_, before: string) => `${before}${pdfDate(iso)}`),
    'latin1',
  )
}

async function printOnce(page: string, browser: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-pdf-'))
  try {
    const [source, target] = [join(folder, 'report.html'), join(folder, 'report.pdf')]
    await writeFile(source, page)
    await run(browser, [
      ...flagsFor(join(folder, 'profile')),
      '--no-pdf-header-footer',
      '--generate-pdf-document-outline',
      `--print-to-pdf=${target}`,
      pathToFileURL(source).href,
    ])
    const pdf = await readFile(target).catch(() => Buffer.alloc(0))
    if (pdf.subarray(0, 5).toString('latin1') !== '%PDF-')
      throw ReportError.of(
        'unprintable',
        `${browser} printed no PDF`,
        2,
        'Does it start by itself? A current Chromium or Chrome is needed.',
      )
    return pdf
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/**
 * A page as a tagged PDF with bookmarks. The same page printed by the same browser with the same fonts gives the same bytes: about one
 * print in some hundreds of Chromium is not what all others are, so that the bytes on which two prints agree are taken.
 * @param iso when the audit was made
 * @throws {ReportError} `unprintable`
 */
export async function printPdf(page: string, iso: string, browser: string): Promise<Buffer> {
  const print = async (): Promise<Buffer> => dated(await printOnce(page, browser), iso)
  const prints = await Promise.all([print(), print()])
  const agreed = (): Buffer | undefined => prints.find((one, i) => prints.some((other, j) => j > i && one.equals(other)))
  while (!agreed() && prints.length < maxPrints) prints.push(await print())
  return agreed() ?? (prints[0] as Buffer)
}
