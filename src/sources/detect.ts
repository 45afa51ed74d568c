import { readHead } from './bytes.ts'
import { SourceError } from './errors.ts'
import type { SourceFormat } from './format.ts'
import { formatNamed, formats } from './registry.ts'

const hintFor = (head: Uint8Array): string => {
  const text = Buffer.from(head.subarray(0, 64)).toString('latin1').trimStart()
  if (text.startsWith('[')) return 'a JSON array is not read: write one object a line (JSONL)'
  if (text.startsWith('%PDF')) return 'PDF is not read: export the records as CSV, JSONL or Parquet'
  if (head[0] === 0x80 && (head[1] as number) <= 5) return 'pickle is not read, reading it would run code: save as .npy, CSV or Parquet'
  if (head.subarray(0, 4).every((v) => v === 0)) return 'the file begins with zeros: fetch it again'
  return `formats: ${formats.map((f) => f.name).join(', ')}; name one with \`format:\``
}

/** By content; where several formats recognise it, by extension. A binary format's own marks outrank text. */
export async function detectFormat(path: string, shown: string, override?: string): Promise<SourceFormat> {
  const { head, size, gzip } = await readHead(path)
  if (size === 0) throw new SourceError('empty', `${shown}: is empty`, { file: path })
  if (override !== undefined) {
    const format = formatNamed(override)
    if (format) return format
    const known = formats.map((f) => f.name).join(', ')
    throw new SourceError('invalid-spec', `format ${JSON.stringify(override)} is not known`, { file: path }, `formats: ${known}`)
  }
  const name = path.toLowerCase().replace(/\.gz$/, '')
  const found = formats.filter((f) => f.detect(head, path))
  const format = found.find((f) => f.extensions.some((x) => name.endsWith(x))) ?? found[0]
  if (!format) throw new SourceError('unknown-format', `${shown}: the content is of no known format`, { file: path }, hintFor(head))
  if (gzip && !format.gzip) {
    throw new SourceError(
      'unsupported',
      `${shown}: gzip is read around CSV, JSONL, WARC and tar only, not ${format.name}`,
      { file: path },
      'decompress it',
    )
  }
  return format
}
