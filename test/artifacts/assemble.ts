/** A small assembler of pickles: bytes by opcode, so that tests hold what no pickler writes. Nothing is ever unpickled. */

const u16 = (n: number): Buffer => Buffer.from([n & 0xff, n >> 8])
export const u32 = (n: number): Buffer => {
  const out = Buffer.alloc(4)
  out.writeUInt32LE(n)
  return out
}
export const u64 = (n: number): Buffer => {
  const out = Buffer.alloc(8)
  out.writeBigUInt64LE(BigInt(n))
  return out
}

export type Part = string | number | Buffer | readonly Part[]

/** Text is one byte a character, a number is a byte. */
export const bytesOf = (...parts: readonly Part[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string'
        ? Buffer.from(part, 'latin1')
        : typeof part === 'number'
          ? Buffer.from([part])
          : Buffer.isBuffer(part)
            ? part
            : bytesOf(...part),
    ),
  )

export const proto = (n: number): Buffer => bytesOf(0x80, n)
export const global = (module: string, name: string): Buffer => bytesOf('c', module, '\n', name, '\n')
/** SHORT_BINUNICODE */
export const text = (value: string): Buffer => {
  const content = Buffer.from(value, 'utf8')
  return content.length < 256 ? bytesOf(0x8c, content.length, content) : bytesOf('X', u32(content.length), content)
}
export const binbytes = (value: Buffer): Buffer => bytesOf('B', u32(value.length), value)
export const stackGlobal = (module: string, name: string): Buffer => bytesOf(text(module), text(name), 0x93)
export const put = (i: number): Buffer => bytesOf('q', i)
export const get = (i: number): Buffer => bytesOf('h', i)
export const tuple1 = 0x85
export const tuple2 = 0x86
export const reduce = 'R'
export const newobj = 0x81
export const newobjEx = 0x92
export const build = 'b'
export const mark = '('
export const stop = '.'
export const pop = '0'
export const none = 'N'
export const emptyDict = '}'
export const emptyTuple = ')'
export const memoize = 0x94
export const ext = (code: number): Buffer => bytesOf(0x82, code)
export const ext2 = (code: number): Buffer => bytesOf(0x83, u16(code))
export const ext4 = (code: number): Buffer => bytesOf(0x84, u32(code))
export const frame = (...parts: readonly Part[]): Buffer => {
  const content = bytesOf(...parts)
  return bytesOf(0x95, u64(content.length), content)
}

/** `module.name(argument)` as `__reduce__` makes it. */
export const calls = (module: string, name: string, argument = 'id'): Buffer =>
  bytesOf(proto(2), global(module, name), text(argument), tuple1, reduce, stop)
export const calls4 = (module: string, name: string, argument = 'id'): Buffer =>
  bytesOf(proto(4), stackGlobal(module, name), memoize, text(argument), tuple1, reduce, stop)
