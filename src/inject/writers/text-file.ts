import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

/** Pieces to a new file, compressed where the input was. */
export async function writePieces(out: string, gzip: boolean, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  const from = Readable.from(pieces, { objectMode: false })
  const to = createWriteStream(out, { flags: 'wx' })
  if (gzip) await pipeline(from, createGzip(), to)
  else await pipeline(from, to)
}
