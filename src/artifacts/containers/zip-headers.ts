import type { Bytes } from '../bytes.ts'

export interface Central {
  readonly name: string
  /** Position of this entry. */
  readonly at: number
  /** Position of the local header. */
  readonly offset: number
  readonly packed: number
  readonly size: number
  readonly method: number
  readonly flags: number
  readonly crc: number
}

export interface Local {
  readonly name: string
  readonly at: number
  /** Position of the content. */
  readonly data: number
  readonly packed: number
  readonly size: number
  readonly method: number
  readonly flags: number
  readonly crc: number
}

export interface Directory {
  readonly entries: readonly Central[]
  /** Members as the end record counts them. */
  readonly stated: number
  /** Bytes before the archive. */
  readonly prefix: number
  readonly start: number
  /** Position after the archive. */
  readonly end: number
  readonly truncated: boolean
}

export const localMagic = Buffer.from([0x50, 0x4b, 3, 4])
const centralMagic = 0x02014b50
const endMagic = Buffer.from([0x50, 0x4b, 5, 6])
const maxComment = 65_535
const endSize = 22

/** Sizes and offset of more than 32 bits, from the extra field of ZIP64. */
function wide(extra: Buffer, fields: readonly number[]): readonly number[] {
  const out = [...fields]
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let from = at + 4
    const to = Math.min(extra.length, from + extra.readUInt16LE(at + 2))
    out.forEach((value, i) => {
      if (value !== 0xffffffff || from + 8 > to) return
      out[i] = Number(extra.readBigUInt64LE(from))
      from += 8
    })
    return out
  }
  return out
}

/** The local header at a position, or null where there is none. */
export function localAt(bytes: Bytes, at: number): Local | null {
  const head = bytes.read(at, 30)
  if (head.length < 30 || !head.subarray(0, 4).equals(localMagic)) return null
  const nameLength = head.readUInt16LE(26)
  const rest = bytes.read(at + 30, nameLength + head.readUInt16LE(28))
  const [size = 0, packed = 0] = wide(rest.subarray(nameLength), [head.readUInt32LE(22), head.readUInt32LE(18)])
  return {
    name: rest.toString('utf8', 0, nameLength),
    at,
    data: at + 30 + nameLength + head.readUInt16LE(28),
    packed,
    size,
    method: head.readUInt16LE(8),
    flags: head.readUInt16LE(6),
    crc: head.readUInt32LE(14),
  }
}

interface End {
  readonly at: number
  readonly end: number
  readonly count: number
  readonly size: number
  readonly offset: number
}

/** The end record nearest to the end of the file whose comment reaches no further. */
function endOf(bytes: Bytes): End | null {
  const from = Math.max(0, bytes.size - endSize - maxComment)
  const tail = bytes.read(from, bytes.size - from)
  for (let i = tail.lastIndexOf(endMagic); i >= 0; i = i === 0 ? -1 : tail.lastIndexOf(endMagic, i - 1)) {
    if (i + endSize > tail.length) continue
    const comment = tail.readUInt16LE(i + 20)
    const at = from + i
    const plain = {
      at,
      end: Math.min(bytes.size, at + endSize + comment),
      count: tail.readUInt16LE(i + 10),
      size: tail.readUInt32LE(i + 12),
      offset: tail.readUInt32LE(i + 16),
    }
    return wideEnd(bytes, plain)
  }
  return null
}

function wideEnd(bytes: Bytes, plain: End): End {
  if (plain.count !== 0xffff && plain.size !== 0xffffffff && plain.offset !== 0xffffffff) return plain
  const locator = bytes.read(plain.at - 20, 20)
  if (locator.length < 20 || locator.readUInt32LE(0) !== 0x07064b50) return plain
  for (const at of [Number(locator.readBigUInt64LE(8)), plain.at - 76]) {
    const record = bytes.read(at, 56)
    if (record.length < 56 || record.readUInt32LE(0) !== 0x06064b50) continue
    return {
      at,
      end: plain.end,
      count: Number(record.readBigUInt64LE(32)),
      size: Number(record.readBigUInt64LE(40)),
      offset: Number(record.readBigUInt64LE(48)),
    }
  }
  return plain
}

/** The central directory as the end record says where it is; null without one. */
export function readDirectory(bytes: Bytes, maxMembers: number): Directory | null {
  const end = endOf(bytes)
  if (end === null) return null
  const start = Math.max(0, end.at - end.size)
  const prefix = Math.max(0, start - end.offset)
  const entries: Central[] = []
  let at = start
  let truncated = false
  while (at + 46 <= end.at) {
    const head = bytes.read(at, 46)
    if (head.length < 46 || head.readUInt32LE(0) !== centralMagic) break
    if (entries.length >= maxMembers) {
      truncated = true
      break
    }
    const nameLength = head.readUInt16LE(28)
    const extraLength = head.readUInt16LE(30)
    const rest = bytes.read(at + 46, nameLength + extraLength)
    const [size = 0, packed = 0, offset = 0] = wide(rest.subarray(nameLength), [
      head.readUInt32LE(24),
      head.readUInt32LE(20),
      head.readUInt32LE(42),
    ])
    entries.push({
      name: rest.toString('utf8', 0, nameLength),
      at,
      offset: offset + prefix,
      packed,
      size,
      method: head.readUInt16LE(10),
      flags: head.readUInt16LE(8),
      crc: head.readUInt32LE(16),
    })
    at += 46 + nameLength + extraLength + head.readUInt16LE(32)
  }
  return { entries, stated: end.count, prefix, start, end: end.end, truncated }
}
