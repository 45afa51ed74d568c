import { damaged, Output } from './output.ts'

/** Bits of a bzip2 stream, the highest first. */
class Bits {
  #at = 0
  #bit = 0

  constructor(readonly source: Uint8Array) {}

  read(n: number): number {
    let value = 0
    for (let left = n; left > 0; ) {
      if (this.#at >= this.source.length) damaged('bzip2')
      const take = Math.min(left, 8 - this.#bit)
      value = value * 2 ** take + (((this.source[this.#at] as number) >> (8 - this.#bit - take)) & (2 ** take - 1))
      left -= take
      this.#bit += take
      if (this.#bit === 8) {
        this.#bit = 0
        this.#at++
      }
    }
    return value
  }

  alignAndEnd(): number {
    if (this.#bit > 0) {
      this.#bit = 0
      this.#at++
    }
    return this.#at
  }
}

interface Table {
  readonly limits: readonly number[]
  readonly bases: readonly number[]
  readonly symbols: readonly number[]
}

const maxBits = 20

/** A canonical Huffman code from the lengths of its words. */
function tableOf(lengths: readonly number[]): Table {
  const limits: number[] = []
  const bases: number[] = []
  const symbols: number[] = []
  let code = 0
  for (let bits = 1; bits <= maxBits; bits++) {
    code *= 2
    bases[bits] = symbols.length - code
    for (let s = 0; s < lengths.length; s++) {
      if (lengths[s] !== bits) continue
      symbols.push(s)
      code++
    }
    limits[bits] = code
  }
  return { limits, bases, symbols }
}

function decode(bits: Bits, { limits, bases, symbols }: Table): number {
  let code = 0
  for (let n = 1; n <= maxBits; n++) {
    code = code * 2 + bits.read(1)
    if (code < (limits[n] as number)) return symbols[code + (bases[n] as number)] ?? damaged('bzip2')
  }
  return damaged('bzip2')
}

const groupSize = 50

/** Which of the 256 bytes occur. */
function readSymbols(bits: Bits): number[] {
  const used = bits.read(16)
  const symbols: number[] = []
  for (let i = 0; i < 16; i++) {
    if ((used & (0x8000 >> i)) === 0) continue
    const some = bits.read(16)
    for (let j = 0; j < 16; j++) if ((some & (0x8000 >> j)) !== 0) symbols.push(i * 16 + j)
  }
  return symbols
}

function readTables(bits: Bits, size: number): { readonly tables: readonly Table[]; readonly selectors: readonly number[] } {
  const groups = bits.read(3)
  const count = bits.read(15)
  if (groups < 2 || groups > 6 || count === 0) damaged('bzip2')
  const order = Array.from({ length: groups }, (_, i) => i)
  const selectors: number[] = []
  for (let i = 0; i < count; i++) {
    let j = 0
    while (bits.read(1) === 1) if (++j >= groups) damaged('bzip2')
    const [chosen = 0] = order.splice(j, 1)
    order.unshift(chosen)
    selectors.push(chosen)
  }
  const tables: Table[] = []
  for (let t = 0; t < groups; t++) {
    let length = bits.read(5)
    const lengths: number[] = []
    for (let s = 0; s < size; s++) {
      while (bits.read(1) === 1) length += bits.read(1) === 0 ? 1 : -1
      if (length < 1 || length > maxBits) damaged('bzip2')
      lengths.push(length)
    }
    tables.push(tableOf(lengths))
  }
  return { tables, selectors }
}

/** One block: Huffman codes, move to front, the inverse of Burrows and Wheeler, runs. */
function block(bits: Bits, maxBlock: number, out: Output): void {
  bits.read(32)
  if (bits.read(1) === 1) damaged('bzip2')
  const origin = bits.read(24)
  const front = readSymbols(bits)
  const end = front.length + 1
  const { tables, selectors } = readTables(bits, front.length + 2)
  const text = new Uint32Array(maxBlock)
  const counts = new Uint32Array(256)
  let length = 0
  let run = 0
  let weight = 1
  const put = (byte: number, times: number): void => {
    if (length + times > maxBlock) damaged('bzip2')
    counts[byte] = (counts[byte] as number) + times
    text.fill(byte, length, length + times)
    length += times
  }
  for (let i = 0; ; i++) {
    const table = tables[selectors[Math.floor(i / groupSize)] ?? -1] ?? damaged('bzip2')
    const symbol = decode(bits, table)
    if (symbol <= 1) {
      run += weight * (symbol + 1)
      weight *= 2
      if (run > maxBlock) damaged('bzip2')
      continue
    }
    if (run > 0) {
      put(front[0] as number, run)
      run = 0
      weight = 1
    }
    if (symbol === end) break
    const [byte = 0] = front.splice(symbol - 1, 1)
    front.unshift(byte)
    put(byte, 1)
  }
  if (origin >= length) damaged('bzip2')
  let sum = 0
  const starts = counts.map((n) => {
    sum += n
    return sum - n
  })
  for (let i = 0; i < length; i++) {
    const byte = (text[i] as number) & 0xff
    const to = starts[byte] as number
    starts[byte] = to + 1
    text[to] = ((text[to] as number) & 0xff) | (i << 8)
  }
  unrun(text, length, origin, out)
}

/** Four equal bytes are followed by the number of further ones. */
function unrun(text: Uint32Array, length: number, origin: number, out: Output): void {
  let at = (text[origin] as number) >>> 8
  let last = -1
  let same = 0
  for (let i = 0; i < length; i++) {
    const entry = text[at] as number
    const byte = entry & 0xff
    at = entry >>> 8
    if (same === 4) {
      for (let n = 0; n < byte; n++) out.push(last)
      same = 0
      last = -1
      continue
    }
    same = byte === last ? same + 1 : 1
    last = byte
    out.push(byte)
  }
}

/** All streams of a bzip2 file. @throws {Unreadable} */
export function bunzip2(source: Uint8Array, maxBytes: number): Buffer {
  const out = new Output(maxBytes, source.length * 4)
  let rest = source
  do {
    if (rest[0] !== 0x42 || rest[1] !== 0x5a || rest[2] !== 0x68) break
    const level = (rest[3] as number) - 0x30
    if (!(level >= 1 && level <= 9)) damaged('bzip2')
    const bits = new Bits(rest.subarray(4))
    for (;;) {
      const magic = bits.read(48)
      if (magic === 0x177245385090) break
      if (magic !== 0x314159265359) damaged('bzip2')
      block(bits, level * 100_000, out)
    }
    bits.read(32)
    rest = rest.subarray(4 + bits.alignAndEnd())
  } while (rest.length > 14)
  return out.buffer()
}
