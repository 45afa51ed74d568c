import { readContent } from './bytes.ts'
import { SourceError } from './errors.ts'

/** One record of a web archive. `body` is null where it is longer than asked for or of no interest. */
export interface WarcRecord {
  /** Bytes from the start of the decompressed content. */
  readonly offset: number
  readonly headers: ReadonlyMap<string, string>
  readonly length: number
  readonly body: Buffer | null
}

const longestHeader = 65_536

/** `Name: value` lines; names in lower case, continuation lines joined. Null where a line is neither. */
export function headersOf(lines: readonly string[]): ReadonlyMap<string, string> | null {
  const headers = new Map<string, string>()
  let last = ''
  for (const line of lines) {
    if (/^[ \t]/.test(line) && last) {
      headers.set(last, `${headers.get(last)} ${line.trim()}`)
      continue
    }
    const colon = line.indexOf(':')
    if (colon <= 0) return null
    last = line.slice(0, colon).trim().toLowerCase()
    if (!headers.has(last)) headers.set(last, line.slice(colon + 1).trim())
  }
  return headers
}

/** Gives out exactly so many bytes at a time, in bounded memory. */
class Bytes {
  private buffer: Buffer = Buffer.alloc(0)
  private readonly pieces: AsyncGenerator<Buffer>
  private ended = false
  offset = 0

  constructor(private readonly path: string) {
    this.pieces = readContent(path)
  }

  private async more(): Promise<boolean> {
    if (this.ended) return false
    const next = await this.pieces.next()
    if (next.done) {
      this.ended = true
      return false
    }
    this.buffer = this.buffer.length ? Buffer.concat([this.buffer, next.value]) : Buffer.from(next.value)
    return true
  }

  /** The bytes up to and without `mark`, of which at most `most`; null where the content ends before. */
  async until(mark: string, most: number): Promise<Buffer | null> {
    for (let from = 0; ; ) {
      const at = this.buffer.indexOf(mark, from, 'latin1')
      if (at >= 0 && at <= most) {
        const found = Buffer.from(this.buffer.subarray(0, at))
        this.drop(at + mark.length)
        return found
      }
      if (at > most || this.buffer.length > most) throw this.error('corrupt', `a record header of more than ${most} bytes`)
      from = Math.max(0, this.buffer.length - mark.length)
      if (!(await this.more())) return null
    }
  }

  /** Skips line ends; false where the content ends. */
  async skipLineEnds(): Promise<boolean> {
    for (;;) {
      let i = 0
      while (i < this.buffer.length && (this.buffer[i] === 13 || this.buffer[i] === 10)) i++
      this.drop(i)
      if (this.buffer.length > 0) return true
      if (!(await this.more())) return false
    }
  }

  /** The next `length` bytes, null where they are not wanted; false where the content ends before. */
  async take(length: number, wanted: boolean): Promise<Buffer | null | false> {
    const parts: Buffer[] = []
    for (let left = length; left > 0; ) {
      if (this.buffer.length === 0 && !(await this.more())) return false
      const n = Math.min(left, this.buffer.length)
      if (wanted) parts.push(Buffer.from(this.buffer.subarray(0, n)))
      this.drop(n)
      left -= n
    }
    return wanted ? Buffer.concat(parts) : null
  }

  error(code: 'corrupt' | 'truncated', what: string): SourceError {
    const message = `${this.path}: ${what}, at byte ${this.offset} of the content`
    return new SourceError(code, message, { file: this.path, offset: this.offset }, 'fetch the file again')
  }

  close(): Promise<unknown> {
    return this.pieces.return(undefined)
  }

  private drop(n: number): void {
    this.buffer = this.buffer.subarray(n)
    this.offset += n
  }
}

/**
 * The records of a WARC file (ISO 28500), also where each is a gzip member of its own. `wanted` is asked with the headers.
 * @throws SourceError `truncated`, `corrupt` with the offset of the record
 */
export async function* warcRecords(
  path: string,
  wanted: (headers: ReadonlyMap<string, string>, length: number) => boolean,
): AsyncGenerator<WarcRecord> {
  const bytes = new Bytes(path)
  try {
    while (await bytes.skipLineEnds()) {
      const offset = bytes.offset
      const head = await bytes.until('\r\n\r\n', longestHeader)
      if (head === null) throw bytes.error('truncated', 'ends within the header of a record')
      const [version, ...lines] = head.toString('utf8').split('\r\n')
      const headers = /^WARC\/\d+\.\d+$/.test(version ?? '') ? headersOf(lines) : null
      const length = Number(headers?.get('content-length') ?? Number.NaN)
      if (!headers || !Number.isSafeInteger(length) || length < 0) {
        const message = `${path}: no WARC record begins at byte ${offset} of the content`
        throw new SourceError('corrupt', message, { file: path, offset }, 'fetch the file again')
      }
      const body = await bytes.take(length, wanted(headers, length))
      if (body === false) throw bytes.error('truncated', `ends within the record that begins at byte ${offset}`)
      yield { offset, headers, length, body }
    }
  } finally {
    await bytes.close()
  }
}
