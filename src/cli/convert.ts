import { resolve } from 'node:path'
import type { ReportFormat } from '../contracts/pipeline.ts'
import { renderers } from '../report/render/registry.ts'
import { type Io, write } from './io.ts'
import { replaceFile } from './replace-file.ts'
import { openReport } from './report-file.ts'

export interface ConvertOptions {
  readonly to: ReportFormat
  readonly out?: string
}

/** Any other format is a function of `report.json`. */
export async function runConvert(path: string, options: ConvertOptions, io: Io): Promise<number> {
  const text = await renderers[options.to].render(await openReport(path, io.stdin))
  if (options.out === undefined || options.out === '-') await write(io.stdout, text)
  else await replaceFile(resolve(options.out), text)
  return 0
}
