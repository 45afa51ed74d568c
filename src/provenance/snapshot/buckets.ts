import { closeSync, openSync } from 'node:fs'
import { digester, putDigest } from './digest.ts'
import { damaged } from './errors.ts'
import { bucketCount, leafBytes, maxIdBytes, noId, readFully, recordBytes, recordsAt, type Segment, word } from './segment.ts'

/** A segment among those of a snapshot. */
export interface Part {
  readonly segment: Segment
  /** Number of the shard among the shards in the order of their names. */
  readonly shard: number
  /** The segment's codes as codes of the whole snapshot. */
  readonly labels: Int32Array
  readonly sources: Int32Array
}

/** The records of one bucket over all segments, in the order of their leaves, then of shard and row. */
export interface Bucket {
  readonly number: number
  readonly size: number
  /** `size` x 64 bytes. */
  readonly leaves: Buffer
  readonly shards: Uint32Array
  readonly rows: Uint32Array
  /** Codes of the snapshot, -1 where missing. */
  readonly labels: Int32Array
  readonly sources: Int32Array
  /** Milliseconds since 1970, NaN where unknown. */
  readonly times: Float64Array
  /** Reads the file: for single records. */
  id(i: number): string | null
}

/** Records in memory at a time; a bucket larger than this is read whole. */
const windowBytes = 24 * 2 ** 20

const rowsIn = (parts: readonly Part[], from: number, to: number): number =>
  parts.reduce((n, { segment }) => n + (segment.offsets[to] as number) - (segment.offsets[from] as number), 0)

function openFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch {
    throw damaged(path, 'is missing or cannot be opened')
  }
}

/** The wanted buckets in ascending order, each valid until the next. @throws SnapshotError `snapshot-damaged` */
export function* readBuckets(parts: readonly Part[], wanted: (bucket: number) => boolean): Generator<Bucket> {
  const sizes = new Float64Array(bucketCount)
  for (const { segment } of parts)
    for (let b = 0; b < bucketCount; b++)
      sizes[b] = (sizes[b] as number) + (segment.offsets[b + 1] as number) - (segment.offsets[b] as number)
  let memory = Buffer.alloc(0)
  for (let from = 0; from < bucketCount; ) {
    if (!wanted(from)) {
      from++
      continue
    }
    let to = from + 1
    let total = sizes[from] as number
    while (to < bucketCount && wanted(to) && (total + (sizes[to] as number)) * recordBytes <= windowBytes) total += sizes[to++] as number
    if (memory.length < total * recordBytes)
      memory = Buffer.allocUnsafeSlow(Math.min(Math.max(total * recordBytes, windowBytes), total * recordBytes * 2))
    const window = loadWindow(parts, from, to, memory)
    for (let b = from; b < to; b++) yield bucketOf(b, parts, window)
    from = to
  }
}

interface Window {
  readonly from: number
  readonly bytes: Buffer
  readonly words: Uint32Array
  /** Number of the record in `bytes` at which the window of each part begins. */
  readonly starts: Float64Array
}

function loadWindow(parts: readonly Part[], from: number, to: number, bytes: Buffer): Window {
  const starts = new Float64Array(parts.length)
  let at = 0
  for (const [p, { segment }] of parts.entries()) {
    const first = segment.offsets[from] as number
    const rows = (segment.offsets[to] as number) - first
    starts[p] = at
    if (rows === 0) continue
    const fd = openFile(segment.path)
    try {
      readFully(fd, segment.path, bytes.subarray(at * recordBytes, (at + rows) * recordBytes), recordsAt + first * recordBytes)
    } finally {
      closeSync(fd)
    }
    at += rows
  }
  return { from, bytes, words: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2), starts }
}

function bucketOf(number: number, parts: readonly Part[], window: Window): Bucket {
  const size = rowsIn(parts, number, number + 1)
  const at = new Uint32Array(size)
  const owner = new Uint32Array(size)
  let n = 0
  for (const [p, { segment }] of parts.entries()) {
    const first = segment.offsets[number] as number
    const count = (segment.offsets[number + 1] as number) - first
    const start = (window.starts[p] as number) + first - (segment.offsets[window.from] as number)
    for (let i = 0; i < count; i++) {
      at[n] = start + i
      owner[n++] = p
    }
  }
  const order = sortRecords(at, owner, parts, window)
  return gather(number, order, at, owner, parts, window)
}

/** The place of each record of the bucket, in order. */
function sortRecords(at: Uint32Array, owner: Uint32Array, parts: readonly Part[], { bytes, words }: Window): Uint32Array {
  const size = at.length
  const bits = Math.max(1, Math.ceil(Math.log2(Math.max(size, 2))))
  const low = 2 ** bits
  // 53 bits of a double: as many bits of the leaf (those of the bucket left out) as the index leaves free
  const keep = 31 - bits
  const keys = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    const o = (at[i] as number) * recordBytes
    const high = bytes.readUInt32BE(o) & 0x3fffff
    const next = bytes.readUInt32BE(o + 4)
    keys[i] = (high * 2 ** keep + Math.floor(next / 2 ** (32 - keep))) * low + i
  }
  keys.sort()
  const order = new Uint32Array(size)
  const prefix = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    const key = keys[i] as number
    const p = Math.floor(key / low)
    prefix[i] = p
    order[i] = key - p * low
  }
  const compareLeaves = (a: number, b: number): number => {
    const x = (at[a] as number) * recordBytes
    const y = (at[b] as number) * recordBytes
    return bytes.compare(bytes, y, y + leafBytes, x, x + leafBytes)
  }
  const place = (i: number): number =>
    (parts[owner[i] as number] as Part).shard * 2 ** 32 + (words[(at[i] as number) * word.all + word.row] as number)
  for (let low = 0; low < size; ) {
    let high = low + 1
    while (high < size && prefix[high] === prefix[low]) high++
    if (high - low > 1) {
      const run = order.subarray(low, high)
      const first = run[0] as number
      if (run.every((i) => compareLeaves(first, i) === 0)) run.sort((a, b) => place(a) - place(b))
      else run.sort((a, b) => compareLeaves(a, b) || place(a) - place(b))
    }
    low = high
  }
  return order
}

function gather(
  number: number,
  order: Uint32Array,
  at: Uint32Array,
  owner: Uint32Array,
  parts: readonly Part[],
  { words }: Window,
): Bucket {
  const size = order.length
  const leafWords = new Uint32Array((size * leafBytes) / 4)
  const times = new Float64Array(size)
  const timeWords = new Uint32Array(times.buffer)
  const shards = new Uint32Array(size)
  const rows = new Uint32Array(size)
  const labels = new Int32Array(size)
  const sources = new Int32Array(size)
  const ids = new Uint32Array(size)
  const from = new Uint32Array(size)
  for (let i = 0; i < size; i++) {
    const k = order[i] as number
    const p = owner[k] as number
    const part = parts[p] as Part
    const o = (at[k] as number) * word.all
    for (let w = 0; w < leafBytes / 4; w++) leafWords[i * (leafBytes / 4) + w] = words[o + w] as number
    timeWords[2 * i] = words[o + word.time] as number
    timeWords[2 * i + 1] = words[o + word.time + 1] as number
    rows[i] = words[o + word.row] as number
    shards[i] = part.shard
    labels[i] = code(part.labels, words[o + word.label] as number, part)
    sources[i] = code(part.sources, words[o + word.source] as number, part)
    ids[i] = words[o + word.id] as number
    from[i] = p
  }
  const leaves = Buffer.from(leafWords.buffer)
  const id = (i: number): string | null => {
    const { segment } = parts[from[i] as number] as Part
    const text = readId(segment, ids[i] as number)
    if (text !== null && !isIdOf(text, leaves, i))
      throw damaged(segment.path, 'the id of a record is not the one that its leaf was made from: it was changed')
    return text
  }
  return { number, size, leaves, shards, rows, labels, sources, times, id }
}

const plain = digester(null)

/** Ids that were cut, or that UTF-8 cannot say, are not those that were digested. */
function isIdOf(id: string, leaves: Buffer, i: number): boolean {
  const digest = Buffer.alloc(16)
  putDigest(plain.text(`i${id}`), digest, 0, 16)
  return (
    digest.equals(leaves.subarray(i * leafBytes, i * leafBytes + 16)) || id.includes('\ufffd') || Buffer.byteLength(id) > maxIdBytes - 4
  )
}

const missing = 0xffffffff

function code(codes: Int32Array, raw: number, part: Part): number {
  if (raw === missing) return -1
  const found = codes[raw]
  if (found === undefined) throw damaged(part.segment.path, 'a record has a label or a source that the dictionary lacks')
  return found
}

function readId(segment: Segment, place: number): string | null {
  if (place === noId) return null
  if (place + 2 > segment.idsBytes) throw damaged(segment.path, 'the id of a record lies outside of the ids')
  const fd = openFile(segment.path)
  try {
    const size = Buffer.alloc(2)
    readFully(fd, segment.path, size, segment.idsAt + place)
    const bytes = Buffer.alloc(size.readUInt16LE(0))
    if (place + 2 + bytes.length > segment.idsBytes) throw damaged(segment.path, 'the id of a record lies outside of the ids')
    readFully(fd, segment.path, bytes, segment.idsAt + place + 2)
    return bytes.toString('utf8')
  } finally {
    closeSync(fd)
  }
}
