/** What an LZ4 frame may not do. */
const broken = (what: string): never => {
  throw new Error(`damaged LZ4 data: ${what}`)
}

/**
 * Decompresses one LZ4 frame (LZ4 Frame Format 1.6.1, as Arrow's LZ4_FRAME buffers are): independent or linked blocks, checksums
 * passed over. Output grows with what is decoded, at most 255 bytes for each byte of input, and not over `maxBytes`.
 */
export function decodeLz4Frame(source: Uint8Array, maxBytes = Number.POSITIVE_INFINITY): Uint8Array {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  if (source.length < 7 || view.getUint32(0, true) !== 0x184d2204) return broken('no frame')
  const flags = source[4] as number
  const blockChecksums = (flags & 0x10) !== 0
  let at = 6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1
  const sized = (flags & 0x08) !== 0 && source.length >= 14 ? Number(view.getBigUint64(6, true)) : 0
  let out = new Uint8Array(Math.min(Math.max(sized, 1024), source.length * 255 + 1024, maxBytes))
  let length = 0
  const reserve = (more: number): void => {
    if (length + more <= out.length) return
    if (length + more > maxBytes) broken('more bytes than are wanted')
    const grown = new Uint8Array(Math.max(out.length * 2, length + more))
    grown.set(out.subarray(0, length))
    out = grown
  }
  for (;;) {
    if (at + 4 > source.length) return broken('cut off')
    const head = view.getUint32(at, true)
    at += 4
    if (head === 0) break
    const size = head & 0x7fffffff
    if (at + size > source.length) return broken('cut off')
    if (head & 0x80000000) {
      reserve(size)
      out.set(source.subarray(at, at + size), length)
      length += size
    } else block(at, at + size)
    at += size + (blockChecksums ? 4 : 0)
  }
  return out.subarray(0, length)

  function block(from: number, end: number): void {
    let i = from
    const extended = (nibble: number): number => {
      let n = nibble
      if (nibble !== 15) return n
      for (;;) {
        if (i >= end) return broken('cut off')
        const b = source[i++] as number
        n += b
        if (b !== 255) return n
      }
    }
    while (i < end) {
      const token = source[i++] as number
      const literals = extended(token >> 4)
      if (i + literals > end) broken('literals run over')
      reserve(literals)
      out.set(source.subarray(i, i + literals), length)
      length += literals
      i += literals
      if (i >= end) return
      const offset = (source[i] as number) | ((source[i + 1] as number) << 8)
      i += 2
      if (offset === 0 || offset > length || i > end) broken('bad offset')
      const copy = extended(token & 15) + 4
      reserve(copy)
      for (let k = 0; k < copy; k++, length++) out[length] = out[length - offset] as number
    }
  }
}
