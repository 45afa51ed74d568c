import type { Attributes } from './attributes.ts'
import { jpeg2000Size, jpegSize } from './codestream.ts'
import { viewOf } from './elements.ts'
import { syntaxes } from './file.ts'
import { DicomProblem } from './problem.ts'

/** Stored values of one frame: rows x columns x samples, interleaved, sign and unused bits dealt with. */
export interface Samples {
  readonly data: Uint8Array | Uint16Array | Int32Array | Float64Array
  /** What the values are now: decoders of JPEG 2000 undo its colour transforms. */
  readonly photometric: string
}

type Codecs = typeof import('dcmjs-codecs')
type Decoder = 'decodeRle' | 'decodeJpeg' | 'decodeJpegLs' | 'decodeJpeg2000' | 'decodeHtJpeg2000'

const jpeg = '1.2.840.10008.1.2.4.'
const decoders: Readonly<Record<string, Decoder>> = {
  '1.2.840.10008.1.2.5': 'decodeRle',
  [`${jpeg}50`]: 'decodeJpeg',
  [`${jpeg}51`]: 'decodeJpeg',
  [`${jpeg}53`]: 'decodeJpeg',
  [`${jpeg}55`]: 'decodeJpeg',
  [`${jpeg}57`]: 'decodeJpeg',
  [`${jpeg}70`]: 'decodeJpeg',
  [`${jpeg}80`]: 'decodeJpegLs',
  [`${jpeg}81`]: 'decodeJpegLs',
  [`${jpeg}90`]: 'decodeJpeg2000',
  [`${jpeg}91`]: 'decodeJpeg2000',
  [`${jpeg}201`]: 'decodeHtJpeg2000',
  [`${jpeg}202`]: 'decodeHtJpeg2000',
  [`${jpeg}203`]: 'decodeHtJpeg2000',
}
const natives: ReadonlySet<string> = new Set(Object.values(syntaxes))

/** Names of a transfer syntax are numbers of others' choosing: only digits and dots are repeated. */
const shown = (uid: string): string => (/^[0-9.]{1,64}$/.test(uid) ? uid : 'of no valid name')

let loaded: Promise<Codecs> | null = null
const codecs = (): Promise<Codecs> => {
  loaded ??= import('dcmjs-codecs').then(async (found) => {
    const module = (found as unknown as { default?: Codecs }).default ?? found
    await module.NativeCodecs.initializeAsync()
    module.log.setLevel('silent')
    return module
  })
  return loaded
}

/** @throws DicomProblem */
export async function samplesOf(bytes: Uint8Array, encapsulated: boolean, syntax: string, a: Attributes): Promise<Samples> {
  if (!encapsulated) {
    if (!natives.has(syntax) && !(syntax in decoders)) throw new DicomProblem(`transfer syntax ${shown(syntax)}`)
    return nativeSamples(bytes, syntax !== syntaxes.big, a)
  }
  const decoder = decoders[syntax]
  if (!decoder) throw new DicomProblem(`transfer syntax ${shown(syntax)}`)
  checkSize(bytes, decoder, a)
  return decoded(await codecs(), decoder, bytes, a)
}

/** Decoders allocate what the codestream declares: it has to be what the file declares. */
function checkSize(bytes: Uint8Array, decoder: Decoder, a: Attributes): void {
  if (decoder === 'decodeRle') return
  const size = decoder === 'decodeJpeg' || decoder === 'decodeJpegLs' ? jpegSize(bytes) : jpeg2000Size(bytes)
  if (!size) throw new DicomProblem('a compressed frame without a header')
  if (size.rows !== a.rows || size.columns !== a.columns)
    throw new DicomProblem(`a compressed frame of ${size.rows} x ${size.columns} pixels where the file declares ${a.rows} x ${a.columns}`)
  if (size.components !== a.samples)
    throw new DicomProblem(`a compressed frame of ${size.components} channels where the file declares ${a.samples}`)
}

function decoded({ Context, NativeCodecs }: Codecs, decoder: Decoder, bytes: Uint8Array, a: Attributes): Samples {
  const context = new Context({
    width: a.columns,
    height: a.rows,
    bitsAllocated: a.allocated,
    bitsStored: a.stored,
    samplesPerPixel: a.samples,
    pixelRepresentation: a.signed ? 1 : 0,
    planarConfiguration: a.planar ? 1 : 0,
    photometricInterpretation: a.photometric,
    encodedBuffer: Uint8Array.from(bytes),
  })
  let out: InstanceType<Codecs['Context']>
  try {
    out = NativeCodecs[decoder](context, {})
  } catch (error) {
    if ((error as Error | null)?.name === 'RuntimeError') loaded = null
    throw new DicomProblem(`a damaged compressed frame (${decoder.slice('decode'.length)})`)
  }
  const buffer = out.getDecodedBuffer() ?? new Uint8Array(0)
  const size = buffer.length / (a.rows * a.columns * a.samples)
  if (size !== 1 && size !== 2 && size !== 4) throw new DicomProblem('a compressed frame of another size than the file declares')
  const planar = decoder === 'decodeRle' ? out.getPlanarConfiguration() === 1 : false
  const whole = decoder !== 'decodeRle'
  const high = whole ? a.stored - 1 : a.high
  const data = unpacked(buffer, true, { ...a, allocated: 8 * size, high, planar })
  const undone = decoder === 'decodeJpeg2000' || decoder === 'decodeHtJpeg2000'
  return { data, photometric: undone && a.samples === 3 ? 'RGB' : a.photometric }
}

function nativeSamples(bytes: Uint8Array, little: boolean, a: Attributes): Samples {
  if (a.photometric !== 'YBR_FULL_422') return { data: unpacked(bytes, little, a), photometric: a.photometric }
  if (a.allocated !== 8 || a.columns % 2 !== 0) throw new DicomProblem('YBR_FULL_422 of other than 8 bits and even width')
  const data = new Uint8Array(a.rows * a.columns * 3)
  for (let i = 0, j = 0; j < data.length; i += 4, j += 6) {
    const [y1, y2, cb, cr] = bytes.subarray(i, i + 4) as unknown as [number, number, number, number]
    data.set([y1, cb, cr, y2, cb, cr], j)
  }
  return { data, photometric: 'YBR_FULL' }
}

type Layout = Pick<Attributes, 'rows' | 'columns' | 'samples' | 'allocated' | 'stored' | 'high' | 'signed' | 'planar'>

function unpacked(bytes: Uint8Array, little: boolean, a: Layout): Samples['data'] {
  const cells = a.rows * a.columns
  const count = cells * a.samples
  if (a.allocated === 1) return Uint8Array.from({ length: count }, (_, i) => ((bytes[i >> 3] as number) >> (i & 7)) & 1)
  if (a.allocated !== 8 && a.allocated !== 16 && a.allocated !== 32) throw new DicomProblem(`${a.allocated} bits a sample`)
  if (bytes.length < (count * a.allocated) / 8) throw new DicomProblem('pixel data that is too short')
  if (a.stored < 1 || a.stored > a.allocated || a.high < a.stored - 1 || a.high >= a.allocated)
    throw new DicomProblem(`${a.stored} bits stored up to bit ${a.high} of ${a.allocated}`)
  const raw = rawOf(bytes, little, a.allocated, count)
  const data = a.stored === a.allocated && !a.signed ? raw : cut(raw, a)
  return a.planar && a.samples > 1 ? interleaved(data, cells, a.samples) : data
}

function rawOf(bytes: Uint8Array, little: boolean, allocated: number, count: number): Uint8Array | Uint16Array | Float64Array {
  if (allocated === 8) return bytes.subarray(0, count)
  const view = viewOf(bytes)
  const out = allocated === 16 ? new Uint16Array(count) : new Float64Array(count)
  if (allocated === 16) for (let i = 0; i < count; i++) out[i] = view.getUint16(2 * i, little)
  else for (let i = 0; i < count; i++) out[i] = view.getUint32(4 * i, little)
  return out
}

/** The stored bits alone, with their sign. */
function cut(raw: Uint8Array | Uint16Array | Float64Array, { stored, high, signed }: Layout): Samples['data'] {
  const shift = 2 ** (high + 1 - stored)
  const range = 2 ** stored
  const half = range / 2
  const out = stored > 31 ? new Float64Array(raw.length) : signed || stored > 16 ? new Int32Array(raw.length) : new Uint16Array(raw.length)
  for (let i = 0; i < raw.length; i++) {
    const value = Math.floor((raw[i] as number) / shift) % range
    out[i] = signed && value >= half ? value - range : value
  }
  return out
}

function interleaved(planes: Samples['data'], cells: number, samples: number): Samples['data'] {
  const out = new (planes.constructor as new (n: number) => Uint16Array)(planes.length)
  for (let c = 0; c < samples; c++) for (let i = 0; i < cells; i++) out[i * samples + c] = planes[c * cells + i] as number
  return out
}
