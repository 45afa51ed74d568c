import type { Bytes } from '../bytes.ts'
import type { Checker } from './checker.ts'
import { parseStrict, StrictJsonError } from './strict-json.ts'

export interface Tensor {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** Position in the file, and bytes. */
  readonly offset: number
  readonly bytes: number
}

const bitsOf: { readonly [dtype: string]: number } = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
}
/** As the library has it. */
const maxHeaderBytes = 100_000_000

export type Fault = { readonly subject: string; readonly message: string; readonly offset: number | null }

/** Tensors of a safetensors file by its header alone, and everything that its specification forbids. No tensor is read. */
export function readSafetensors(bytes: Bytes): {
  readonly tensors: readonly Tensor[]
  readonly metadata: { readonly [key: string]: string }
  readonly faults: readonly Fault[]
} {
  const faults: Fault[] = []
  const wrong = (subject: string, message: string, offset: number | null = null): void => {
    if (faults.length < 100) faults.push({ subject, message, offset })
  }
  const none = { tensors: [], metadata: {}, faults }
  const head = bytes.read(0, 8)
  if (head.length < 8) {
    wrong('header', 'is shorter than the length of its header', bytes.size)
    return none
  }
  const length = Number(head.readBigUInt64LE(0))
  if (length > maxHeaderBytes)
    wrong('header', `says its header has ${length} bytes, and at most ${maxHeaderBytes.toLocaleString('en')} are allowed`, 0)
  else if (8 + length > bytes.size) wrong('header', 'says its header is longer than the file', 0)
  if (faults.length > 0) return none
  const raw = bytes.read(8, length)
  if (raw[0] !== 0x7b) wrong('header', 'has a header that does not begin with {', 8)
  let header: unknown
  try {
    header = parseStrict(raw)
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error
    wrong('header', `has a header that ${error.message}`, 8 + error.offset)
    return none
  }
  if (header === null || typeof header !== 'object' || Array.isArray(header)) {
    wrong('header', 'has a header that is no JSON object', 8)
    return none
  }
  const start = 8 + length
  const tensors: Tensor[] = []
  const metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') readMetadata(value, metadata, wrong)
    else {
      const tensor = readTensor(name, value, start, wrong)
      if (tensor) tensors.push(tensor)
    }
  }
  checkLayout(tensors, start, bytes.size, wrong)
  return { tensors, metadata, faults }
}

type Wrong = (subject: string, message: string, offset?: number | null) => void

function readMetadata(value: unknown, into: Record<string, string>, wrong: Wrong): void {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    wrong('__metadata__', 'has metadata that is no object')
    return
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === 'string') into[key] = text
    else wrong('__metadata__', `has metadata that is no text: ${key}`)
  }
}

function readTensor(name: string, value: unknown, start: number, wrong: Wrong): Tensor | null {
  const entry = value as { dtype?: unknown; shape?: unknown; data_offsets?: unknown } | null
  if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) {
    wrong(name, `describes the tensor ${name} by no object`)
    return null
  }
  const { dtype, shape, data_offsets: offsets } = entry
  const isCount = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0
  if (typeof dtype !== 'string' || bitsOf[dtype] === undefined) {
    wrong(name, `gives the tensor ${name} a type that is unknown`)
    return null
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    wrong(name, `gives the tensor ${name} a shape that is not one of whole numbers`)
    return null
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || (offsets[0] as number) > (offsets[1] as number)) {
    wrong(name, `gives the tensor ${name} no two ascending offsets`)
    return null
  }
  const [from, to] = offsets as [number, number]
  const items = shape.reduce((product, n) => product * n, 1)
  if (!Number.isSafeInteger(items)) wrong(name, `gives the tensor ${name} a shape whose size overflows`)
  else if ((items * (bitsOf[dtype] as number)) / 8 !== to - from)
    wrong(
      name,
      `gives the tensor ${name} ${(to - from).toLocaleString('en')} bytes where type and shape need ${((items * (bitsOf[dtype] as number)) / 8).toLocaleString('en')}`,
    )
  return { name, dtype, shape, offset: start + from, bytes: to - from }
}

/** Tensors lie one behind the other: no holes, no overlaps, nothing after the last. */
function checkLayout(tensors: readonly Tensor[], start: number, size: number, wrong: Wrong): void {
  let at = start
  for (const tensor of [...tensors].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (tensor.offset > at)
      wrong(
        tensor.name,
        `has ${(tensor.offset - at).toLocaleString('en')} bytes before the tensor ${tensor.name} that no tensor claims`,
        at,
      )
    else if (tensor.offset < at) wrong(tensor.name, `has tensors that overlap at ${tensor.name}`, tensor.offset)
    at = Math.max(at, tensor.offset + tensor.bytes)
  }
  if (at > size) wrong('end', 'has tensors that reach beyond the end of the file', size)
  else if (at < size) wrong('end', `has ${(size - at).toLocaleString('en')} bytes after the last tensor`, at)
}

export const checkSafetensors: Checker = ({ bytes, report, note }) => {
  const { tensors, faults } = readSafetensors(bytes)
  for (const { subject, message, offset } of faults)
    report({ rule: 'format-violation', verdict: 'block', subject, message: `is a safetensors file that ${message}.`, offset })
  if (faults.length === 0) note(`safetensors: ${tensors.length.toLocaleString('en')} tensors, no code`)
}
