import { type DataSet, type Encoding, viewOf, type Wanted } from './elements.ts'

/** The attributes that make a picture of pixel data (PS3.3, C.7.6, C.11). No other is read. */
const tag = {
  frames: 0x00280008,
  samples: 0x00280002,
  photometric: 0x00280004,
  planar: 0x00280006,
  rows: 0x00280010,
  columns: 0x00280011,
  allocated: 0x00280100,
  stored: 0x00280101,
  high: 0x00280102,
  signed: 0x00280103,
  padding: 0x00280120,
  paddingLimit: 0x00280121,
  centre: 0x00281050,
  width: 0x00281051,
  windowFunction: 0x00281056,
  intercept: 0x00281052,
  slope: 0x00281053,
  redDescriptor: 0x00281101,
  red: 0x00281201,
  segmentedRed: 0x00281221,
  lutDescriptor: 0x00283002,
  lutData: 0x00283006,
  modalityLut: 0x00283000,
  voiLut: 0x00283010,
  frameVoi: 0x00289132,
  frameValues: 0x00289145,
  shared: 0x52009229,
  perFrame: 0x52009230,
  offsets: 0x7fe00001,
  offsetLengths: 0x7fe00002,
} as const

export const framesTag: number = tag.frames
export const pixelTags = { float: 0x7fe00008, double: 0x7fe00009, integer: 0x7fe00010 } as const

const nothing: Wanted['sequences'] = new Map()
const only = (...tags: number[]): Wanted => ({ tags: new Set(tags), sequences: nothing })
const lut = only(tag.lutDescriptor, tag.lutData)
const functionalGroups: Wanted = {
  tags: new Set(),
  sequences: new Map([
    [tag.frameVoi, { tags: only(tag.centre, tag.width, tag.windowFunction).tags, sequences: new Map([[tag.voiLut, lut]]) }],
    [tag.frameValues, only(tag.intercept, tag.slope)],
  ]),
}

export const wanted: Wanted = {
  tags: new Set([
    ...[tag.frames, tag.samples, tag.photometric, tag.planar, tag.rows, tag.columns, tag.allocated, tag.stored, tag.high, tag.signed],
    ...[tag.padding, tag.paddingLimit, tag.centre, tag.width, tag.windowFunction, tag.intercept, tag.slope],
    ...[tag.redDescriptor, tag.redDescriptor + 1, tag.redDescriptor + 2, tag.red, tag.red + 1, tag.red + 2, tag.segmentedRed],
    ...[tag.offsets, tag.offsetLengths],
  ]),
  sequences: new Map([
    [tag.modalityLut, lut],
    [tag.voiLut, lut],
    [tag.shared, functionalGroups],
    [tag.perFrame, functionalGroups],
  ]),
}
export const wantedFrames: Wanted = only(tag.frames)

/** A lookup table: stored value `first` and below give entry 0. */
export interface Lut {
  readonly first: number
  readonly bits: number
  readonly entries: ArrayLike<number>
}

export interface Window {
  readonly centre: number
  readonly width: number
  readonly shape: 'linear' | 'exact' | 'sigmoid'
}

/** How stored values become shades (modality, then value of interest). */
export interface Shading {
  readonly slope: number
  readonly intercept: number
  readonly modality: Lut | null
  readonly window: Window | null
  readonly voi: Lut | null
}

export interface Attributes {
  readonly rows: number
  readonly columns: number
  readonly frames: number
  readonly samples: number
  readonly photometric: string
  readonly planar: boolean
  readonly allocated: number
  readonly stored: number
  readonly high: number
  readonly signed: boolean
  /** Values from the first to the second are no picture; null: all are. */
  readonly padding: readonly [number, number] | null
  /** Red, green, blue. */
  readonly palette: readonly [Lut, Lut, Lut] | null
  readonly segmentedPalette: boolean
  readonly offsets: readonly number[] | null
  shading(frame: number): Shading
}

const text = (value: Uint8Array | undefined): string =>
  value
    ? Buffer.from(value.buffer, value.byteOffset, Math.min(value.length, 256))
        .toString('latin1')
        .replace(/[\0 ]+$/, '')
        .trim()
    : ''

/** The first number of a decimal string (DS, IS); null where there is none. */
const decimal = (value: Uint8Array | undefined): number | null => {
  const first = text(value).split('\\', 1)[0]?.trim() ?? ''
  const n = first === '' ? Number.NaN : Number(first)
  return Number.isFinite(n) ? n : null
}

const short = (value: Uint8Array | undefined, little: boolean, signed = false): number | null => {
  if (!value || value.length < 2) return null
  return signed ? viewOf(value).getInt16(0, little) : viewOf(value).getUint16(0, little)
}

/** Entries of 8 bits may be packed two a word: then the value has just as many bytes as entries. */
function lutOf(descriptor: Uint8Array | undefined, data: Uint8Array | undefined, little: boolean, signed: boolean): Lut | null {
  if (!descriptor || descriptor.length < 6 || !data) return null
  const view = viewOf(descriptor)
  const count = view.getUint16(0, little) || 65_536
  const bits = view.getUint16(4, little)
  if (bits < 1 || bits > 16) return null
  const first = signed ? view.getInt16(2, little) : view.getUint16(2, little)
  if (data.length < 2 * count && data.length >= count && bits <= 8) return { first, bits, entries: data.subarray(0, count) }
  const values = viewOf(data)
  const entries = new Uint16Array(Math.min(count, data.length >> 1))
  for (let i = 0; i < entries.length; i++) entries[i] = values.getUint16(2 * i, little)
  return entries.length > 0 ? { first, bits, entries } : null
}

const shapes: Readonly<Record<string, Window['shape']>> = { LINEAR_EXACT: 'exact', SIGMOID: 'sigmoid' }

function windowOf(values: DataSet['values']): Window | null {
  const centre = decimal(values.get(tag.centre))
  const width = decimal(values.get(tag.width))
  if (centre === null || width === null || !(width > 0)) return null
  const shape = shapes[text(values.get(tag.windowFunction))] ?? 'linear'
  return { centre, width, shape: shape === 'linear' && width < 1 ? 'exact' : shape }
}

const empty: DataSet = { encoding: { explicit: true, little: true }, values: new Map(), sequences: new Map() }

export function attributesOf(dataSet: DataSet): Attributes {
  const { values, encoding, sequences } = dataSet
  const { little }: Encoding = encoding
  const number = (t: number): number | null => short(values.get(t), little)
  const stored = number(tag.stored) ?? number(tag.allocated) ?? 0
  const signed = number(tag.signed) === 1
  const palette = [0, 1, 2].map((c) => lutOf(values.get(tag.redDescriptor + c), values.get(tag.red + c), little, signed))
  const padding = short(values.get(tag.padding), little, signed)
  const paddingLimit = short(values.get(tag.paddingLimit), little, signed) ?? padding
  const group = (frame: number, t: number): DataSet =>
    sequences.get(tag.perFrame)?.[frame]?.sequences.get(t)?.[0] ?? sequences.get(tag.shared)?.[0]?.sequences.get(t)?.[0] ?? empty
  const lutIn = (of: DataSet, t: number, isSigned: boolean): Lut | null => {
    const found = of.sequences.get(t)?.[0]
    return found ? lutOf(found.values.get(tag.lutDescriptor), found.values.get(tag.lutData), little, isSigned) : null
  }
  return {
    rows: number(tag.rows) ?? 0,
    columns: number(tag.columns) ?? 0,
    frames: framesOf(dataSet),
    samples: number(tag.samples) ?? 1,
    photometric: text(values.get(tag.photometric)).toUpperCase(),
    planar: number(tag.planar) === 1,
    allocated: number(tag.allocated) ?? 0,
    stored,
    high: number(tag.high) ?? stored - 1,
    signed,
    padding: padding === null || paddingLimit === null ? null : [Math.min(padding, paddingLimit), Math.max(padding, paddingLimit)],
    palette: palette.every((l) => l !== null) ? (palette as unknown as readonly [Lut, Lut, Lut]) : null,
    segmentedPalette: values.has(tag.segmentedRed),
    offsets: offsetsOf(values.get(tag.offsets)),
    shading(frame) {
      const own = group(frame, tag.frameValues).values
      const frameVoi = group(frame, tag.frameVoi)
      const slope = decimal(own.get(tag.slope)) ?? decimal(values.get(tag.slope)) ?? 1
      return {
        slope: slope === 0 ? 1 : slope,
        intercept: decimal(own.get(tag.intercept)) ?? decimal(values.get(tag.intercept)) ?? 0,
        modality: lutIn(dataSet, tag.modalityLut, signed),
        window: windowOf(frameVoi.values) ?? windowOf(values),
        voi: lutIn(frameVoi, tag.voiLut, true) ?? lutIn(dataSet, tag.voiLut, signed),
      }
    },
  }
}

/** Frames that the file declares, 1 where it does not say. */
export function framesOf({ values }: DataSet): number {
  const declared = decimal(values.get(tag.frames)) ?? 1
  return declared >= 1 ? Math.floor(declared) : 1
}

/** The extended offset table: 64-bit, always little endian where pixels are encapsulated. */
function offsetsOf(value: Uint8Array | undefined): readonly number[] | null {
  if (!value || value.length < 8) return null
  const view = viewOf(value)
  return Array.from({ length: value.length >> 3 }, (_, i) => Number(view.getBigUint64(8 * i, true)))
}
