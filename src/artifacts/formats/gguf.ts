import type { Bytes } from '../bytes.ts'
import { checkTemplate } from '../texts/chat-template.ts'
import type { Checker } from './checker.ts'

/** Bytes a block and items a block, by GGML type (ggml.h). */
const blocks: { readonly [type: number]: readonly [bytes: number, items: number] } = {
  0: [4, 1],
  1: [2, 1],
  2: [18, 32],
  3: [20, 32],
  6: [22, 32],
  7: [24, 32],
  8: [34, 32],
  9: [36, 32],
  10: [84, 256],
  11: [110, 256],
  12: [144, 256],
  13: [176, 256],
  14: [210, 256],
  15: [292, 256],
  16: [66, 256],
  17: [74, 256],
  18: [98, 256],
  19: [50, 256],
  20: [18, 32],
  21: [110, 256],
  22: [82, 256],
  23: [136, 256],
  24: [1, 1],
  25: [2, 1],
  26: [4, 1],
  27: [8, 1],
  28: [8, 1],
  29: [56, 256],
  30: [2, 1],
  34: [54, 256],
  35: [66, 256],
  39: [17, 32],
}
const scalarBytes: { readonly [type: number]: number } = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
const maxPairs = 1 << 20
const maxTensors = 1 << 20
const maxText = 16 << 20

class GgufError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
  }
}

/** Little-endian fields one after the other, each within the file. */
class Cursor {
  at = 4
  /** Version 1 counts in 32 bits. */
  narrow = false

  constructor(readonly bytes: Bytes) {}

  take(n: number): Buffer {
    const part = this.bytes.read(this.at, n)
    if (part.length < n) throw new GgufError('it is cut off', this.at)
    this.at += n
    return part
  }

  skip(n: number): void {
    if (!(n >= 0) || this.at + n > this.bytes.size) throw new GgufError('a length reaches beyond the file', this.at)
    this.at += n
  }

  u32 = (): number => this.take(4).readUInt32LE(0)
  u64 = (): number => Number(this.take(8).readBigUInt64LE(0))
  count = (): number => (this.narrow ? this.u32() : this.u64())

  text(max = maxText): string {
    const length = this.count()
    const from = this.at
    this.skip(length)
    if (length > max) throw new GgufError(`a text has ${length.toLocaleString('en')} bytes`, from)
    return this.bytes.read(from, length).toString('utf8')
  }
}

function skipValue(c: Cursor, type: number, depth: number): void {
  const size = scalarBytes[type]
  if (size !== undefined) {
    const at = c.at
    if (type === 7) {
      if ((c.take(1)[0] as number) > 1) throw new GgufError('a truth value is neither 0 nor 1', at)
    } else c.skip(size)
    return
  }
  if (type === 8) {
    c.skip(c.count())
    return
  }
  if (type !== 9 || depth > 4) throw new GgufError(`a value is of the unknown type ${type}`, c.at)
  const inner = c.u32()
  const count = c.count()
  const each = scalarBytes[inner]
  if (each !== undefined) c.skip(count * each)
  else if (count > c.bytes.size) throw new GgufError('a list is longer than the file', c.at)
  else for (let i = 0; i < count; i++) skipValue(c, inner, depth + 1)
}

/** GGUF 1 to 3: counts, texts, types, offsets and alignment within bounds; chat templates. No tensor is read. */
export const checkGguf: Checker = ({ bytes, report, note }) => {
  const c = new Cursor(bytes)
  try {
    const version = c.u32()
    if (![1, 2, 3].includes(version)) throw new GgufError(`it is of the unknown version ${version}`, 4)
    c.narrow = version === 1
    const tensors = c.count()
    const pairs = c.count()
    if (tensors > maxTensors || pairs > maxPairs) throw new GgufError(`it says it has ${tensors} tensors and ${pairs} settings`, 8)
    const keys = new Set<string>()
    let alignment = 32
    for (let i = 0; i < pairs; i++) {
      const at = c.at
      const key = c.text(65_535)
      if (keys.has(key)) throw new GgufError(`it has the setting ${key} twice`, at)
      keys.add(key)
      const type = c.u32()
      if (key === 'general.alignment') {
        if (type !== 4) throw new GgufError('its alignment is no 32-bit number', at)
        alignment = c.u32()
        if (alignment === 0 || alignment % 8 !== 0) throw new GgufError(`its alignment is ${alignment}`, at)
      } else if (type === 8 && /^tokenizer\.chat_template(?:\.|$)/.test(key)) checkTemplate(c.text(), key, report)
      else skipValue(c, type, 0)
    }
    checkTensors(c, tensors, alignment)
    note(`GGUF: ${tensors.toLocaleString('en')} tensors, ${pairs.toLocaleString('en')} settings, no code`)
  } catch (error) {
    if (!(error instanceof GgufError)) throw error
    report({
      rule: 'format-violation',
      verdict: 'block',
      subject: 'gguf',
      message: `is damaged as GGUF: ${error.message}.`,
      offset: error.offset,
    })
  }
}

function checkTensors(c: Cursor, count: number, alignment: number): void {
  const names = new Set<string>()
  const ranges: { readonly name: string; readonly offset: number; readonly size: number }[] = []
  for (let i = 0; i < count; i++) {
    const at = c.at
    const name = c.text(1_024)
    if (names.has(name)) throw new GgufError(`it has the tensor ${name} twice`, at)
    names.add(name)
    const dims = c.u32()
    if (dims > 8) throw new GgufError(`the tensor ${name} has ${dims} dimensions`, at)
    let items = 1
    for (let d = 0; d < dims; d++) items *= c.count()
    const type = c.u32()
    const offset = c.u64()
    if (!Number.isSafeInteger(items)) throw new GgufError(`the size of the tensor ${name} overflows`, at)
    if (offset % alignment !== 0) throw new GgufError(`the tensor ${name} is not aligned to ${alignment} bytes`, at)
    const block = blocks[type]
    if (block === undefined && type > 64) throw new GgufError(`the tensor ${name} is of the unknown type ${type}`, at)
    if (block && items % block[1] !== 0) throw new GgufError(`the tensor ${name} is no whole number of blocks`, at)
    ranges.push({ name, offset, size: block ? (items / block[1]) * block[0] : 0 })
  }
  const start = Math.ceil(c.at / alignment) * alignment
  let end = 0
  for (const { name, offset, size } of ranges.sort((a, b) => a.offset - b.offset)) {
    if (offset < end) throw new GgufError(`the tensor ${name} overlaps another`, start + offset)
    end = offset + size
    if (start + end > c.bytes.size) throw new GgufError(`the tensor ${name} reaches beyond the file`, start + offset)
  }
}
