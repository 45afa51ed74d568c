import type { Bytes } from '../bytes.ts'
import type { Report } from '../observation.ts'
import { itemBytes } from '../pickle/joblib.ts'
import { type Literal, parseLiteral } from './python-literal.ts'

const maxHeaderBytes = 1 << 20

/** Bytes of one item, 'object' where it is or holds a pickled object, null where the type is unknown. */
function sizeOf(descr: Literal, depth = 0): number | 'object' | null {
  if (typeof descr === 'string') return /^[<>|=]?O\d*$/.test(descr) ? 'object' : itemBytes(descr)
  if (!Array.isArray(descr) || depth > 16) return null
  // (descr, shape) or fields
  if (descr.length === 2 && (typeof descr[0] === 'string' || Array.isArray(descr[0])) && !Array.isArray(descr[0]?.[0])) {
    const one = sizeOf(descr[0] as Literal, depth + 1)
    const shape = Array.isArray(descr[1]) ? descr[1] : [descr[1]]
    if (shape.every((n) => typeof n === 'number')) return typeof one === 'number' ? one * shape.reduce((a, n) => a * (n as number), 1) : one
  }
  let total = 0
  for (const field of descr as readonly Literal[]) {
    if (!Array.isArray(field) || field.length < 2) return null
    const one = sizeOf(field[1] as Literal, depth + 1)
    if (typeof one !== 'number') return one
    const shape = field[2]
    total +=
      one *
      (Array.isArray(shape)
        ? shape.reduce((a: number, n) => a * (typeof n === 'number' ? n : Number.NaN), 1)
        : typeof shape === 'number'
          ? shape
          : 1)
  }
  return Number.isFinite(total) ? total : null
}

/** Checks header and length of an array file; position of the pickle where the items are objects, else null. */
export function checkNpy(bytes: Bytes, report: Report): number | null {
  const wrong = (subject: string, message: string, offset = 0): null => {
    report({ rule: 'format-violation', verdict: 'block', subject, message: `${message}.`, offset })
    return null
  }
  const head = bytes.read(0, 12)
  const major = head[6] ?? 0
  if (head.length < 10 || ![1, 2, 3].includes(major))
    return wrong('version', `is an array file of the unknown version ${major}.${head[7] ?? 0}`, 6)
  const wide = major > 1
  const length = wide ? (head.length === 12 ? head.readUInt32LE(8) : -1) : head.readUInt16LE(8)
  const from = wide ? 12 : 10
  if (length < 0 || length > maxHeaderBytes || from + length > bytes.size)
    return wrong('header', 'is an array file whose header is longer than it may be', 8)
  let header: Literal
  try {
    header = parseLiteral(bytes.read(from, length).toString(major === 3 ? 'utf8' : 'latin1'))
  } catch (error) {
    return wrong('header', `is an array file whose header cannot be read: ${(error as Error).message}`, from)
  }
  if (header === null || typeof header !== 'object' || Array.isArray(header))
    return wrong('header', 'is an array file whose header is no dictionary', from)
  const { descr, fortran_order: order, shape, ...others } = header as { readonly [key: string]: Literal }
  if (Object.keys(others).length > 0 || descr === undefined || typeof order !== 'boolean' || !Array.isArray(shape))
    return wrong('header', 'is an array file whose header has other keys than descr, fortran_order and shape', from)
  if (!shape.every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0))
    return wrong('shape', 'is an array file whose shape is not one of whole numbers', from)
  const size = sizeOf(descr)
  if (size === 'object') return from + length
  if (size === null) return wrong('dtype', `is an array file of the unknown type ${JSON.stringify(descr).slice(0, 100)}`, from)
  const wanted = shape.reduce((product: number, n) => product * (n as number), size)
  const there = bytes.size - from - length
  if (wanted > there)
    return wrong(
      'length',
      `is an array file of ${there.toLocaleString('en')} bytes where its header promises ${wanted.toLocaleString('en')}`,
      bytes.size,
    )
  if (wanted < there)
    report({
      rule: 'format-violation',
      verdict: 'note',
      subject: 'trailing',
      message: `${(there - wanted).toLocaleString('en')} bytes follow the array.`,
      offset: from + length + wanted,
    })
  return null
}
