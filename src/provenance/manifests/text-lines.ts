import { isUtf8 } from 'node:buffer'

export interface TextLine {
  /** 1-based. */
  readonly line: number
  /** Without its line end; null where its bytes are no UTF-8. */
  readonly text: string | null
}

const lineFeed = 10

/** UTF-16 with a byte order mark, as some shells write it, becomes UTF-8; other bytes stay. The mark of UTF-8 is taken off. */
function asUtf8(bytes: Buffer): Buffer {
  const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0
  if (mark === 0xfffe || mark === 0xfeff) {
    return Buffer.from(new TextDecoder(mark === 0xfffe ? 'utf-16le' : 'utf-16be').decode(bytes), 'utf8')
  }
  return bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? bytes.subarray(3) : bytes
}

/**
 * Lines that end in LF, CR LF, or (where the file has NUL and no LF, as `--zero` writes it) in NUL. Every byte is in one line.
 * What follows the last line end is a line where it is not empty.
 */
export function* textLines(file: Buffer): Generator<TextLine> {
  const bytes = asUtf8(file)
  const whole = isUtf8(bytes)
  const end = bytes.includes(lineFeed) || !bytes.includes(0) ? lineFeed : 0
  for (let at = 0, line = 1; at < bytes.length; line++) {
    const next = bytes.indexOf(end, at)
    const stop = next < 0 ? bytes.length : next
    const last = end === lineFeed && stop > at && bytes[stop - 1] === 13 ? stop - 1 : stop
    const piece = bytes.subarray(at, last)
    yield { line, text: whole || isUtf8(piece) ? piece.toString('utf8') : null }
    at = stop + 1
  }
}
