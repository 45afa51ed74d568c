import { inflateRawSync, constants as zlib } from 'node:zlib'
import { type DataSet, type Encoding, headerAt, readDataSet, viewOf, type Wanted } from './elements.ts'
import { DicomProblem } from './problem.ts'

export const syntaxes = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  big: '1.2.840.10008.1.2.2',
} as const

/** A file up to its pixels: the attributes asked for, and the rest of the bytes from the first element that was not read. */
export interface DicomFile {
  readonly syntax: string
  readonly dataSet: DataSet
  /** Bytes of the data set: inflated where the file is deflated. */
  readonly view: DataView
  readonly next: number
  readonly cut: boolean
}

const preamble = 128
const meta: Encoding = { explicit: true, little: true }
const transferSyntax = 0x00020010
const none: Wanted['sequences'] = new Map()

/** The mark of PS3.10: `DICM` behind 128 bytes of anything. */
export const hasMark = (b: Uint8Array): boolean =>
  b.length >= preamble + 4 && b[128] === 0x44 && b[129] === 0x49 && b[130] === 0x43 && b[131] === 0x4d

/** A file or data set without the mark, as older programs write it: it begins with an element of group 2 or 8. */
export function startsLikeDataSet(b: Uint8Array): boolean {
  if (b.length < 16) return false
  const little = (b[0] === 2 || b[0] === 8) && b[1] === 0 && b[3] === 0
  const big = b[0] === 0 && b[1] === 8 && b[2] === 0
  if (!little && !big) return false
  const vr = capitals(b, 4)
  return vr || viewOf(b).getUint32(4, little) < 1024
}

const capitals = (b: Uint8Array, at: number): boolean => [at, at + 1].every((i) => (b[i] as number) >= 0x41 && (b[i] as number) <= 0x5a)

const textOf = (value: Uint8Array | undefined): string =>
  value
    ? Buffer.from(value)
        .toString('latin1')
        .replace(/[\0 ]+$/, '')
        .trim()
    : ''

/** Two bytes that are a VR say that it is explicit, whatever the file declares. */
function encodingAt(bytes: Uint8Array, at: number, declared: string): Encoding {
  if (declared === syntaxes.big) return { explicit: true, little: false }
  const explicit = bytes.length >= at + 6 && capitals(bytes, at + 4)
  if (declared !== '' && declared !== syntaxes.implicit && declared !== syntaxes.explicit) return { explicit: true, little: true }
  // Groups are small numbers: one that is only small when its bytes are swapped is big endian.
  if (declared === '' && bytes.length >= at + 2 && bytes[at] === 0 && bytes[at + 1] !== 0) return { explicit, little: false }
  return { explicit, little: true }
}

/**
 * @param until tag of the first element that is not to be read
 * @param maxBytes of a data set that has to be inflated
 * @throws DicomProblem
 */
export function openFile(bytes: Uint8Array, wanted: Wanted, until: (tag: number) => boolean, maxBytes: number): DicomFile {
  let at = hasMark(bytes) ? preamble + 4 : 0
  if (at === 0 && !startsLikeDataSet(bytes)) throw new DicomProblem('not DICOM')
  const view = viewOf(bytes)
  let declared = ''
  if (Math.floor((headerAt(view, at, bytes.length, meta)?.tag ?? 0) / 65_536) === 2) {
    const group = readDataSet(
      view,
      at,
      bytes.length,
      meta,
      { tags: new Set([transferSyntax]), sequences: none },
      (tag) => tag >= 0x00030000,
    )
    if (group.cut) throw new DicomProblem('DICOM that ends within its file header')
    declared = textOf(group.dataSet.values.get(transferSyntax))
    at = group.next
  }
  if (declared === syntaxes.deflated) return openInflated(bytes.subarray(at), wanted, until, maxBytes)
  const encoding = encodingAt(bytes, at, declared)
  const { dataSet, next, cut } = readDataSet(view, at, bytes.length, encoding, wanted, until)
  const guessed = encoding.little ? (encoding.explicit ? syntaxes.explicit : syntaxes.implicit) : syntaxes.big
  return { syntax: declared || guessed, dataSet, view, next, cut }
}

function openInflated(deflated: Uint8Array, wanted: Wanted, until: (tag: number) => boolean, maxBytes: number): DicomFile {
  let bytes: Uint8Array
  try {
    bytes = inflateRawSync(deflated, { maxOutputLength: maxBytes, finishFlush: zlib.Z_SYNC_FLUSH })
  } catch (error) {
    const large = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE'
    throw new DicomProblem(large ? `deflated DICOM of more than ${maxBytes} bytes` : 'damaged deflated DICOM')
  }
  const view = viewOf(bytes)
  const encoding: Encoding = { explicit: true, little: true }
  return { syntax: syntaxes.deflated, view, ...readDataSet(view, 0, bytes.length, encoding, wanted, until) }
}
