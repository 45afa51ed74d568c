import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { AssayError } from '../contracts/errors.ts'
import type { ReportFormat } from '../contracts/pipeline.ts'
import { renderers } from '../report/render/registry.ts'
import { parseReport } from '../report/schema.ts'
import { UsageError } from './errors.ts'
import { type Io, write } from './io.ts'

export interface ConvertOptions {
  readonly to: ReportFormat
  readonly out?: string
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

/** Any other format is a function of `report.json`. */
export async function runConvert(path: string, options: ConvertOptions, io: Io): Promise<number> {
  const json = await readReport(path, io.stdin)
  const report = (() => {
    try {
      return parseReport(json)
    } catch (error) {
      if (error instanceof AssayError && path !== '-') throw new UsageError(`${path}: ${error.message}`, error.hint)
      throw error
    }
  })()
  const text = await renderers[options.to].render(report)
  if (options.out === undefined || options.out === '-') await write(io.stdout, text)
  else {
    const target = resolve(options.out)
    const temporary = `${target}.${process.pid}.tmp`
    await mkdir(dirname(target), { recursive: true })
    try {
      await writeFile(temporary, text)
      await rename(temporary, target)
    } finally {
      await rm(temporary, { force: true })
    }
  }
  return 0
}
