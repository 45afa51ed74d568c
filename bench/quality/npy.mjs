import { readFileSync, writeFileSync } from 'node:fs'

const readers = {
  '|u1': (b) => b,
  '|b1': (b) => b,
  '<i8': (b) => Float64Array.from(new BigInt64Array(b.buffer, b.byteOffset, b.length / 8), Number),
  '<f8': (b) => new Float64Array(b.buffer, b.byteOffset, b.length / 8),
}

/** The values of a .npy file of bytes, int64 or float64 as numbers. */
export function readNpy(path) {
  const bytes = readFileSync(path)
  const headerBytes = bytes.readUInt16LE(8)
  const header = bytes.toString('latin1', 10, 10 + headerBytes)
  const descr = /'descr': '([^']+)'/.exec(header)?.[1]
  const read = readers[descr]
  if (bytes[6] !== 1 || !read) throw new Error(`${path}: cannot read ${descr}`)
  return read(Buffer.from(Uint8Array.prototype.slice.call(bytes, 10 + headerBytes)))
}

/** Writes bytes as a .npy file of this shape. */
export function writeNpy(path, shape, data) {
  const head = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`
  const padded = `${head}${' '.repeat(63 - ((10 + head.length) % 64))}\n`
  writeFileSync(
    path,
    Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([padded.length, 0]), Buffer.from(padded), data]),
  )
}
