import { isUtf8 } from 'node:buffer'
import { readContent } from './bytes.ts'
import { SourceError } from './errors.ts'
import { limits } from './limits.ts'

/** An element of a list in a JSON file: of the file's own list (`section` is empty), or of a list that a key of its object holds. */
export interface JsonItem {
  readonly section: string
  readonly value: unknown
  /** Where it begins, in bytes. */
  readonly offset: number
}

const maxDepth = 100
const quote = 34
const backslash = 92
/** Bytes that mean something inside of an element: brackets and the mark of a string. */
const means = new Uint8Array(256)
for (const c of '"[]{}') means[c.charCodeAt(0)] = 1

const isSpace = (c: number): boolean => c === 32 || c === 10 || c === 13 || c === 9

/**
 * The elements of the lists in a JSON file that is a list, or an object of lists, one in memory at a time: brackets are counted, and
 * what stands between them is parsed by itself. Values that are no lists are passed over.
 * @throws SourceError `corrupt`, `truncated`, `too-large`, with the offset
 */
export async function* jsonItems(path: string): AsyncGenerator<JsonItem> {
  const fail = (code: 'corrupt' | 'truncated' | 'too-large', what: string, offset: number): never => {
    throw new SourceError(code, `${path}: byte ${offset}: ${what}`, { file: path, offset }, 'export the file again')
  }
  let depth = 0
  /** Depth of the elements: 1 where the file is a list, 2 in an object of lists; 0 before anything. */
  let level = 0
  let inString = false
  let escaped = false
  let inList = false
  let section = ''
  let key: number[] | null = null
  let start = -1
  let parts: Buffer[] = []
  let held = 0
  let at = 0
  const parse = (bytes: Buffer, offset: number): unknown => {
    if (!isUtf8(bytes)) return fail('corrupt', 'is not UTF-8', offset)
    try {
      return JSON.parse(bytes.toString('utf8'))
    } catch {
      return fail('corrupt', 'is not JSON', offset)
    }
  }
  for await (const piece of readContent(path)) {
    let from = start < 0 ? -1 : 0
    const out: JsonItem[] = []
    const take = (end: number): void => {
      const bytes = Buffer.concat([...parts, piece.subarray(from, end)])
      parts = []
      held = 0
      const offset = start
      start = -1
      from = -1
      out.push({ section, value: parse(bytes, offset), offset })
    }
    for (let i = 0; i < piece.length; i++) {
      if (!inString && start >= 0 && depth > level) while (i < piece.length && !means[piece[i] as number]) i++
      else if (inString && !key) while (i < piece.length && piece[i] !== quote && piece[i] !== backslash && !escaped) i++
      if (i === piece.length) break
      const c = piece[i] as number
      if (inString) {
        if (escaped) escaped = false
        else if (c === backslash) escaped = true
        else if (c === quote) inString = false
        if (key && inString) key.push(c)
        if (key && key.length > limits.nameLength) fail('too-large', 'a key of more than 4,096 bytes', at + i)
        continue
      }
      if (isSpace(c)) continue
      if (depth === 0 && level !== 0) fail('corrupt', 'goes on after its end', at + i)
      if (depth === 0 && c !== 91 && c !== 123) {
        if (at + i < 3 && (c === 0xef || c === 0xbb || c === 0xbf)) continue
        fail('corrupt', 'is neither a list nor an object', at + i)
      }
      const isItem = inList && depth === level
      if (isItem && start < 0 && c !== 44 && c !== 93) {
        start = at + i
        from = i
      }
      if (c === quote) {
        inString = true
        if (level === 2 && depth === 1) key = []
      } else if (c === 91 || c === 123) {
        if (depth === 0) {
          level = c === 91 ? 1 : 2
          inList = c === 91
        } else if (level === 2 && depth === 1) {
          inList = c === 91
          section = key ? Buffer.from(key).toString('utf8') : ''
          key = null
        }
        depth++
        if (depth > maxDepth) fail('too-large', `more than ${maxDepth} levels`, at + i)
      } else if (c === 93 || c === 125) {
        if (isItem && start >= 0) take(i)
        depth--
        if (depth < level) inList = false
      } else if (c === 44 && isItem && start >= 0) take(i)
    }
    if (start >= 0) {
      parts.push(Buffer.from(piece.subarray(from)))
      held += piece.length - from
      if (held > limits.recordBytes) fail('too-large', `more than ${limits.recordBytes} bytes in one element`, start)
    }
    at += piece.length
    yield* out
  }
  if (depth > 0 || inString) fail('truncated', 'ends within a list or an object', at)
  if (level === 0) fail('corrupt', 'is empty', at)
}
