import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { readContent } from './bytes.ts'
import { asSourceError, SourceError } from './errors.ts'
import { limits } from './limits.ts'

/** The members of one key: `folder/0001.jpg`, `folder/0001.cls` are the fields jpg and cls of `folder/0001`. */
export interface TarSample {
  readonly key: string
  readonly fields: ReadonlyMap<string, Buffer>
  /** Members that are longer than a record may be, by their field. */
  readonly tooLong: readonly string[]
  readonly bytes: number
}

const mostFields = 64
const mostBytes = limits.imageBytes + limits.recordBytes

/** What comes before the first dot of the name is the key; null for what is no sample: folders, hidden files, odd names. */
function splitName(name: string): { readonly key: string; readonly field: string } | null {
  const clean = name.replace(/^(?:\.\/)+/, '')
  const slash = clean.lastIndexOf('/')
  const dot = clean.indexOf('.', slash + 1)
  if (dot <= slash + 1 || dot === clean.length - 1 || clean.length > limits.nameLength) return null
  return { key: clean.slice(0, dot), field: clean.slice(dot + 1).toLowerCase() }
}

/**
 * The samples of a tar file in the layout of WebDataset: members of one key in a row. Nothing is written to the disk, so that a
 * name with `..` is only a name. Links and devices are passed over.
 * @throws SourceError `truncated`, `corrupt` with the number of the member
 */
export async function* tarSamples(path: string): AsyncGenerator<TarSample> {
  const archive = extract()
  const input = Readable.from(readCopies(path))
  let member = 0
  let ended = false
  input.on('error', (e) => archive.destroy(e))
  input.on('end', () => {
    ended = true
  })
  input.pipe(archive)
  let key: string | null = null
  let fields = new Map<string, Buffer>()
  let tooLong: string[] = []
  let bytes = 0
  const close = (): TarSample | null => {
    const sample = key === null ? null : { key, fields, tooLong, bytes }
    key = null
    fields = new Map()
    tooLong = []
    bytes = 0
    return sample
  }
  try {
    for await (const entry of archive) {
      member++
      const { name, size = 0, type } = entry.header
      const at = type === 'file' || type === 'contiguous-file' ? splitName(name) : null
      if (!at) {
        entry.resume()
        continue
      }
      if (at.key !== key || fields.has(at.field)) {
        const sample = close()
        if (sample) yield sample
        key = at.key
      }
      if (size > limits.imageBytes || bytes + size > mostBytes || fields.size >= mostFields) {
        tooLong.push(at.field)
        entry.resume()
        continue
      }
      const parts: Buffer[] = []
      for await (const part of entry) parts.push(part as Buffer)
      fields.set(at.field, Buffer.concat(parts))
      bytes += size
    }
  } catch (e) {
    throw tarError(e, path, member, ended)
  } finally {
    input.destroy()
    archive.destroy()
  }
  const sample = close()
  if (sample) yield sample
}

async function* readCopies(path: string): AsyncGenerator<Buffer> {
  for await (const piece of readContent(path)) yield Buffer.from(piece)
}

function tarError(e: unknown, path: string, member: number, ended: boolean): SourceError {
  if (e instanceof SourceError) return e
  const place = { file: path, row: member }
  const hint = 'fetch or write the archive again'
  if (/Unexpected end/i.test(String((e as Error).message)) || (ended && /premature/i.test(String((e as Error).message))))
    return new SourceError('truncated', `${path}: ends within member ${member} of the archive`, place, hint)
  if (/tar header|invalid/i.test(String((e as Error).message)))
    return new SourceError('corrupt', `${path}: no tar header follows member ${member} of the archive`, place, hint)
  return asSourceError(e, path, `cannot be read after member ${member}`)
}
