import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { AssayError } from '../contracts/errors.ts'
import type { ReportFormat } from '../contracts/pipeline.ts'
import { escapeTerminal } from '../report/escape.ts'
import { renderers } from '../report/render/registry.ts'
import type { Template } from '../report/render/templates.ts'
import { parseReport, type Report } from '../report/schema.ts'
import { UsageError } from './errors.ts'
import { type Io, write } from './io.ts'
import { passwordOf } from './password.ts'

export interface ConvertOptions {
  readonly to: ReportFormat | 'pdf'
  readonly template: Template
  readonly out?: string
  readonly sign?: string
  readonly passwordEnv?: string
}

const maxBytes = 256 << 20

async function collect(input: AsyncIterable<Buffer | string>, name: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    const buffer = Buffer.from(chunk)
    bytes += buffer.length
    if (bytes > maxBytes) throw new UsageError(`${name} is larger than a report may be (${maxBytes >> 20} MiB)`)
    chunks.push(buffer)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new UsageError(`${name} is not UTF-8 text`, 'pass the report.json of a run')
  }
}

async function readReport(path: string, stdin: Readable): Promise<string> {
  if (path === '-') return collect(stdin, 'standard input')
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path)
    if ((await file.stat()).isDirectory()) {
      await file.close()
      file = await open(resolve(path, renderers.json.file))
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new UsageError(
      `${path}: ${missing ? 'there is no such report' : 'cannot be read'}`,
      'pass the report.json of a run, or its run directory',
    )
  }
  return collect(file.createReadStream() as AsyncIterable<Buffer>, path)
}

async function render(report: Report, { to, template }: ConvertOptions, env: Io['env']): Promise<string | Buffer> {
  if (to !== 'pdf') return renderers[to].render(report, template)
  const { findChromium } = await import('../report/pdf/chromium.ts')
  const { printPdf } = await import('../report/pdf/print.ts')
  const browser = await findChromium(env)
  return printPdf(await renderers.html.render(report, template), report.startedAt, browser)
}

function checkOptions({ to, template, out, sign }: ConvertOptions, io: Io): void {
  const isFile = out !== undefined && out !== '-'
  if (template !== 'standard' && to !== 'html' && to !== 'pdf') throw new UsageError(`--template is for html and pdf, not for ${to}`)
  if (sign !== undefined && !isFile) throw new UsageError('a signature lies beside a file, and none is named', 'name it: --out report.pdf')
  if (to === 'pdf' && !isFile && io.stdout.isTTY === true)
    throw new UsageError('a PDF is nothing for a terminal', 'name a file: --out report.pdf')
}

async function writeWhole(target: string, content: string | Buffer): Promise<void> {
  const temporary = `${target}.${process.pid}.tmp`
  await mkdir(dirname(target), { recursive: true })
  try {
    await writeFile(temporary, content)
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Any other format is a function of `report.json`; a PDF is the HTML as Chromium prints it. */
export async function runConvert(path: string, options: ConvertOptions, io: Io): Promise<number> {
  checkOptions(options, io)
  const { out } = options
  // A key that signs nothing is told before the work, not after.
  const sign =
    options.sign === undefined
      ? null
      : (await import('../engine/sign.ts')).documentSigner(options.sign, passwordOf(options.passwordEnv, io.env))
  const json = await readReport(path, io.stdin)
  const report = (() => {
    try {
      return parseReport(json)
    } catch (error) {
      if (error instanceof AssayError && path !== '-') throw new UsageError(`${path}: ${error.message}`, error.hint)
      throw error
    }
  })()
  const content = await render(report, options, io.env)
  if (out === undefined || out === '-') {
    await write(io.stdout, content)
    return 0
  }
  const target = resolve(out)
  await writeWhole(target, content)
  if (sign) {
    const signature = await sign(target, Buffer.from(content), report)
    await write(io.stdout, `signed: ${escapeTerminal(relative(process.cwd(), signature) || signature)}\n`)
  }
  return 0
}
