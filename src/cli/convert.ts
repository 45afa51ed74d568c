import { relative, resolve } from 'node:path'
import type { ReportFormat } from '../contracts/pipeline.ts'
import { escapeTerminal } from '../report/escape.ts'
import { renderers } from '../report/render/registry.ts'
import type { Template } from '../report/render/templates.ts'
import type { Report } from '../report/schema.ts'
import { UsageError } from './errors.ts'
import { type Io, write } from './io.ts'
import { passwordOf } from './password.ts'
import { replaceFile } from './replace-file.ts'
import { openReport } from './report-file.ts'

export interface ConvertOptions {
  readonly to: ReportFormat | 'pdf'
  readonly template: Template
  readonly out?: string
  readonly sign?: string
  readonly passwordEnv?: string
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

/** Any other format is a function of `report.json`; a PDF is the HTML as Chromium prints it. */
export async function runConvert(path: string, options: ConvertOptions, io: Io): Promise<number> {
  checkOptions(options, io)
  const { out } = options
  // A key that signs nothing is told before the work, not after.
  const sign =
    options.sign === undefined
      ? null
      : (await import('../engine/sign.ts')).documentSigner(options.sign, passwordOf(options.passwordEnv, io.env))
  const report = await openReport(path, io.stdin)
  const content = await render(report, options, io.env)
  if (out === undefined || out === '-') {
    await write(io.stdout, content)
    return 0
  }
  const target = resolve(out)
  await replaceFile(target, content)
  if (sign) {
    const signature = await sign(target, Buffer.from(content), report)
    await write(io.stdout, `signed: ${escapeTerminal(relative(process.cwd(), signature) || signature)}\n`)
  }
  return 0
}
