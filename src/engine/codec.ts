import type { Tree, TypedArray } from '../contracts/statistic.ts'
import { EngineError } from './errors.ts'

/**
 * States and summaries as safetensors files: 8 bytes of header length (little endian), a JSON header, raw buffers.
 * A Tree's typed arrays are the tensors; the rest of it is JSON in the metadata entry `tree`.
 * Layout: https://github.com/huggingface/safetensors#format
 */

const dtypes = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
} as const
type Dtype = keyof typeof dtypes

const maxHeaderBytes = 100_000_000

const dtypeOf = (array: TypedArray): Dtype => {
  for (const [name, type] of Object.entries(dtypes)) if (array instanceof type) return name as Dtype
  throw new TypeError('not a typed array')
}

/** Unambiguous JSON: every container is wrapped, so that no key of the data can be taken for ours. */
type Node = string | boolean | null | number | { n: string } | { t: number } | { a: Node[] } | { o: Record<string, Node> }

function toNode(value: Tree, tensors: TypedArray[]): Node {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { n: Object.is(value, -0) ? '-0' : String(value) }
  if (ArrayBuffer.isView(value)) return { t: tensors.push(value as TypedArray) - 1 }
  if (Array.isArray(value)) return { a: value.map((v: Tree) => toNode(v, tensors)) }
  const object = value as { readonly [key: string]: Tree }
  return { o: Object.fromEntries(Object.keys(object).map((k) => [k, toNode(object[k] as Tree, tensors)])) }
}

function fromNode(node: Node, tensors: readonly TypedArray[]): Tree {
  if (node === null || typeof node !== 'object') return node
  if ('n' in node) return Number(node.n)
  if ('t' in node) return tensors[node.t] as TypedArray
  if ('a' in node) return node.a.map((v) => fromNode(v, tensors))
  return Object.fromEntries(Object.entries(node.o).map(([k, v]) => [k, fromNode(v, tensors)]))
}

/** The bytes of a file in parts, tensors as views: equal trees and metadata give equal bytes. */
export function treeParts(tree: Tree, metadata: Readonly<Record<string, string>>): Uint8Array[] {
  const tensors: TypedArray[] = []
  const node = toNode(tree, tensors)
  // Widest first: every buffer starts at a multiple of its item size, and the format allows no holes.
  const order = tensors
    .map((_, i) => i)
    .sort((a, b) => (tensors[b] as TypedArray).BYTES_PER_ELEMENT - (tensors[a] as TypedArray).BYTES_PER_ELEMENT || a - b)
  const header: Record<string, unknown> = { __metadata__: { ...metadata, tree: JSON.stringify(node) } }
  let end = 0
  for (const i of order) {
    const t = tensors[i] as TypedArray
    header[`t${i}`] = { dtype: dtypeOf(t), shape: [t.length], data_offsets: [end, end + t.byteLength] }
    end += t.byteLength
  }
  let text = Buffer.from(JSON.stringify(header))
  const padded = Math.ceil(text.length / 8) * 8
  text = Buffer.concat([text, Buffer.alloc(padded - text.length, 0x20)])
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  const views = order.map((i) => tensors[i] as TypedArray).map((t) => new Uint8Array(t.buffer, t.byteOffset, t.byteLength))
  return [length, text, ...views]
}

export const encodeTree = (tree: Tree, metadata: Readonly<Record<string, string>>): Uint8Array => {
  const parts = treeParts(tree, metadata)
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export interface Decoded {
  readonly tree: Tree
  readonly metadata: Readonly<Record<string, string>>
}

/** `from` and `length` of bytes, as a buffer of their own. */
export type ReadBytes = (from: number, length: number) => Uint8Array<ArrayBuffer>

/**
 * Tensors are read one by one: a file is never in memory beside what it holds.
 * @param total bytes of the file
 * @throws EngineError `state-unreadable` when the bytes are not what `encodeTree` writes
 */
export function readParts(total: number, read: ReadBytes, file: string): Decoded {
  const bad = (why: string): never => {
    throw new EngineError('state-unreadable', `state file is damaged: ${why}`, 2, { file }, 'delete the file and run the step again')
  }
  if (total < 8) bad('shorter than its header')
  const headerBytes = Number(new DataView(read(0, 8).buffer).getBigUint64(0, true))
  if (headerBytes > maxHeaderBytes || 8 + headerBytes > total) bad('header length is out of bounds')
  const text = Buffer.from(read(8, headerBytes)).toString('utf8')
  let header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
  let metadata: Record<string, string>
  let node: Node
  try {
    header = JSON.parse(text)
    metadata = header.__metadata__ as unknown as Record<string, string>
    node = JSON.parse(metadata.tree as string)
  } catch {
    return bad('its header is not JSON')
  }
  const base = 8 + headerBytes
  const tensors: TypedArray[] = []
  let covered = 0
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const type = dtypes[entry.dtype as Dtype]
    const [from, to] = entry.data_offsets
    if (!type || from !== covered || to < from || base + to > total || (to - from) % type.BYTES_PER_ELEMENT !== 0)
      bad(`tensor ${name} is out of bounds`)
    covered = to
    const { buffer } = read(base + from, to - from)
    tensors[Number(name.slice(1))] = new (type as typeof Float64Array)(buffer) as TypedArray
  }
  if (base + covered !== total) bad('bytes are left over')
  const { tree: _, ...rest } = metadata
  return { tree: fromNode(node, tensors), metadata: rest }
}

export const decodeTree = (bytes: Uint8Array, file: string): Decoded =>
  readParts(bytes.length, (from, length) => new Uint8Array(bytes.subarray(from, from + length)), file)
