import { SourceError } from './errors.ts'
import { limits } from './limits.ts'

export type ArrayKind = 'f2' | 'f4' | 'f8' | 'i1' | 'i2' | 'i4' | 'i8' | 'u1' | 'u2' | 'u4' | 'u8' | 'b1' | 'U' | 'S'

/** One array of an .npy file: NumPy's format 1.0 to 3.0 (numpy.lib.format). */
export interface ArrayHeader {
  readonly kind: ArrayKind
  readonly bigEndian: boolean
  readonly fortran: boolean
  readonly shape: readonly number[]
  readonly rows: number
  /** Items in one row: the product of the other axes. */
  readonly dims: number
  readonly itemBytes: number
  /** Where the items begin. */
  readonly offset: number
}

export const isNpy = (head: Uint8Array): boolean =>
  head[0] === 0x93 && head[1] === 0x4e && head[2] === 0x55 && head[3] === 0x4d && head[4] === 0x50 && head[5] === 0x59

export const maxHeaderBytes = 65_536

/** Bytes of magic, version, length and header, or null where `head` is too short to say. */
export function headerLength(head: Uint8Array, file: string, shown = file): number | null {
  if (head.length < 12) return null
  if (!isNpy(head)) throw new SourceError('corrupt', `${shown}: not an .npy array`, { file, offset: 0 })
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const version = head[6] as number
  if (version < 1 || version > 3)
    throw new SourceError('unsupported', `${shown}: .npy version ${version} is not known`, { file, offset: 6 })
  const length = version === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true)
  if (length > maxHeaderBytes) throw new SourceError('corrupt', `${shown}: an .npy header of ${length} bytes`, { file, offset: 8 })
  return length
}

const number = /^[0-9]{1,16}$/

/** `head` holds the whole header; `shown` is how messages call the array. Nothing is evaluated: only the dictionary that NumPy writes is recognised. */
export function parseHeader(head: Uint8Array, length: number, file: string, shown = file): ArrayHeader {
  const start = head[6] === 1 ? 10 : 12
  const text = Buffer.from(head.buffer, head.byteOffset + start, length - start).toString('latin1')
  const bad = (what: string): never => {
    throw new SourceError('corrupt', `${shown}: .npy header: ${what}`, { file, offset: start })
  }
  if (/'descr'\s*:\s*\[/.test(text)) {
    throw new SourceError('unsupported', `${shown}: structured arrays are not read`, { file }, 'save each field as an array of its own')
  }
  const match =
    /^\{\s*'descr'\s*:\s*'([^']{1,32})'\s*,\s*'fortran_order'\s*:\s*(True|False)\s*,\s*'shape'\s*:\s*\(([0-9L,\s]*)\)\s*,?\s*\}\s*$/.exec(
      text,
    )
  if (!match) return bad('not the dictionary that NumPy writes')
  const [, descr = '', order, axes = ''] = match
  const { kind, itemBytes, bigEndian } = dtype(descr, file, shown)
  const parts = axes.split(',').map((s) => s.trim().replace(/L$/, ''))
  if (parts.at(-1) === '') parts.pop()
  if (!parts.every((p) => number.test(p))) return bad('unreadable shape')
  const shape = parts.map(Number)
  const rows = shape[0] ?? 1
  const dims = shape.slice(1).reduce((a, b) => a * b, 1)
  const place = { file, offset: start }
  if (shape.length === 0) throw new SourceError('unsupported', `${shown}: a single value, not an array of records`, place)
  if (shape.length > 8 || !Number.isSafeInteger(rows * dims * itemBytes)) return bad(`impossible shape (${shape.join(', ')})`)
  if (rows > 0 && (dims === 0 || itemBytes === 0)) return bad(`records of no width, shape (${shape.join(', ')})`)
  if (dims > limits.dims) throw new SourceError('too-large', `${shown}: ${dims} values in one record`, place)
  if (rows > 2 ** 32 - 1) throw new SourceError('too-large', `${shown}: ${rows} records in one file`, place)
  return { kind, bigEndian, fortran: order === 'True' && dims > 1, shape, rows, dims, itemBytes, offset: length }
}

function dtype(descr: string, file: string, shown: string): { kind: ArrayKind; itemBytes: number; bigEndian: boolean } {
  const match = /^([<>|=])?([a-zA-Z?])(\d{0,9})$/.exec(descr)
  const [, order = '|', letter = '', size = ''] = match ?? []
  if (letter === 'O') {
    throw new SourceError(
      'unsafe',
      `${shown}: holds Python objects, which only unpickling could read: that would run code from the file`,
      { file },
      'save it with a numeric or string dtype',
    )
  }
  const n = Number(size)
  const bigEndian = order === '>'
  if (letter === 'U' && size !== '' && n * 4 <= 2 ** 24) return { kind: 'U', itemBytes: n * 4, bigEndian }
  if (letter === 'S' && size !== '' && n <= 2 ** 24) return { kind: 'S', itemBytes: n, bigEndian: false }
  const kind = letter === '?' ? 'b1' : letter + size
  if (/^(f[248]|[iu][1248]|b1)$/.test(kind)) return { kind: kind as ArrayKind, itemBytes: Number(kind[1]), bigEndian }
  throw new SourceError(
    'unsupported',
    `${shown}: dtype ${JSON.stringify(descr)} is not read`,
    { file },
    'floats, integers, booleans and strings are',
  )
}

const kindNames: Record<string, string> = { f: 'float', i: 'int', u: 'uint', b: 'bool', U: 'string', S: 'bytes' }

/** `float16[50000, 10]` */
export const arrayType = (h: ArrayHeader): string => {
  const name = kindNames[h.kind[0] as string] as string
  const bits = h.kind === 'b1' || h.kind === 'U' || h.kind === 'S' ? '' : String(h.itemBytes * 8)
  return `${name}${bits}[${h.shape.join(', ')}]`
}
