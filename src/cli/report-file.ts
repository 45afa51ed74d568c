import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { AssayError } from '../contracts/errors.ts'
import { renderers } from '../report/render/registry.ts'
import { parseReport, type Report } from '../report/schema.ts'
import { UsageError } from './errors.ts'

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

/** The report at a path: a `report.json`, a run directory, or `-` for standard input. @throws UsageError, ReportError */
export async function openReport(path: string, stdin: Readable): Promise<Report> {
  const json = await readReport(path, stdin)
  try {
    return parseReport(json)
  } catch (error) {
    if (error instanceof AssayError && path !== '-') throw new UsageError(`${path}: ${error.message}`, error.hint)
    throw error
  }
}
