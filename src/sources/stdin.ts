import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { detectFormat } from './detect.ts'
import { asSourceError, SourceError } from './errors.ts'

const accepted: ReadonlySet<string> = new Set(['arrow', 'csv', 'jsonl'])

/**
 * Writes standard input once to a file in `dir`, because an audit reads its data more than once; the name tells the format,
 * which is found by content: Arrow IPC, JSONL or CSV, the last two also as gzip. Returns the path of the file.
 * @throws SourceError `empty` (exit 4), `unsupported` or `unknown-format` (exit 2)
 */
export async function spoolStdin(input: Readable, dir: string): Promise<string> {
  const part = join(dir, 'stdin.part')
  try {
    await mkdir(dir, { recursive: true })
    await pipeline(input, createWriteStream(part))
    const format = await detectFormat(part, 'standard input')
    if (!accepted.has(format.name)) {
      throw new SourceError(
        'unsupported',
        `standard input is ${format.name}: Arrow IPC, JSONL and CSV can be piped`,
        { file: '-' },
        'give the path of the file instead',
      )
    }
    const path = join(dir, `stdin${format.extensions[0]}`)
    await rename(part, path)
    return path
  } catch (e) {
    await rm(part, { force: true })
    throw asSourceError(e, 'standard input', 'cannot be read')
  }
}
