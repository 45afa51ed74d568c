/** DICOM files as bytes, for tests: explicit VR, little or big endian, or implicit. */
export type Value = string | number | readonly number[] | Uint8Array | readonly Dataset[]
export type Dataset = Readonly<Record<number, readonly [vr: string, value: Value]>>

export interface FileOptions {
  readonly syntax?: string
  readonly little?: boolean
  readonly implicit?: boolean
  readonly bare?: boolean
}

const long = new Set(['OB', 'OW', 'SQ', 'UN', 'OF', 'OD'])

function valueBytes(vr: string, value: Value, o: FileOptions): Buffer {
  if (value instanceof Uint8Array) return Buffer.concat([value, Buffer.alloc(value.length % 2)])
  if (vr === 'SQ') return Buffer.concat((value as readonly Dataset[]).map((d) => item(encode(d, o), o)))
  if (typeof value === 'string') return Buffer.from(value.length % 2 ? `${value}${vr === 'UI' ? '\0' : ' '}` : value, 'latin1')
  const numbers = typeof value === 'number' ? [value] : (value as readonly number[])
  const out = Buffer.alloc(2 * numbers.length)
  numbers.forEach((n, i) => {
    const at = 2 * i
    if (o.little === false) out.writeUInt16BE(n & 0xffff, at)
    else out.writeUInt16LE(n & 0xffff, at)
  })
  return out
}

const u16 = (n: number, { little }: FileOptions): Buffer => {
  const b = Buffer.alloc(2)
  if (little === false) b.writeUInt16BE(n)
  else b.writeUInt16LE(n)
  return b
}
const u32 = (n: number, { little }: FileOptions): Buffer => {
  const b = Buffer.alloc(4)
  if (little === false) b.writeUInt32BE(n)
  else b.writeUInt32LE(n)
  return b
}
const tagOf = (tag: number, o: FileOptions): Buffer => Buffer.concat([u16(Math.floor(tag / 65_536), o), u16(tag % 65_536, o)])
const item = (content: Uint8Array, o: FileOptions): Buffer => Buffer.concat([tagOf(0xfffee000, o), u32(content.length, o), content])

export function encode(dataset: Dataset, o: FileOptions = {}): Buffer {
  const parts: Buffer[] = []
  for (const tag of Object.keys(dataset)
    .map(Number)
    .sort((a, b) => a - b)) {
    const [vr, value] = dataset[tag] as readonly [string, Value]
    const bytes = valueBytes(vr, value, o)
    if (o.implicit) parts.push(tagOf(tag, o), u32(bytes.length, o), bytes)
    else if (long.has(vr)) parts.push(tagOf(tag, o), Buffer.from(vr), Buffer.alloc(2), u32(bytes.length, o), bytes)
    else parts.push(tagOf(tag, o), Buffer.from(vr), u16(bytes.length, o), bytes)
  }
  return Buffer.concat(parts)
}

/** Pixel data of compressed frames: one fragment a frame behind an empty offset table. */
export const encapsulate = (frames: readonly Uint8Array[], o: FileOptions = {}): Buffer =>
  Buffer.concat([
    tagOf(0x7fe00010, o),
    Buffer.from('OB\0\0'),
    u32(0xffffffff, o),
    item(Buffer.alloc(0), o),
    ...frames.map((f) => item(Buffer.concat([f, Buffer.alloc(f.length % 2)]), o)),
    tagOf(0xfffee0dd, o),
    u32(0, o),
  ])

export function fileOf(body: Uint8Array, { syntax = '1.2.840.10008.1.2.1', bare = false }: FileOptions = {}): Buffer {
  if (bare) return Buffer.from(body)
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), encode({ 131088: ['UI', syntax] }), body])
}

export const patient = 'Doe^Jane^SECRET'

export interface ImageOptions extends FileOptions {
  readonly rows: number
  readonly columns: number
  readonly samples?: number
  readonly photometric?: string
  readonly allocated?: number
  readonly stored?: number
  readonly signed?: boolean
  readonly more?: Dataset
}

export const attributes = (o: ImageOptions): Dataset => ({
  524384: ['CS', 'OT'],
  1048592: ['PN', patient],
  2621442: ['US', o.samples ?? 1],
  2621444: ['CS', o.photometric ?? 'MONOCHROME2'],
  2621456: ['US', o.rows],
  2621457: ['US', o.columns],
  2621696: ['US', o.allocated ?? 8],
  2621697: ['US', o.stored ?? o.allocated ?? 8],
  2621698: ['US', (o.stored ?? o.allocated ?? 8) - 1],
  2621699: ['US', o.signed ? 1 : 0],
  ...o.more,
})

/** `pixels`: bytes as they stand in the file, or 16-bit words. */
export const image = (o: ImageOptions, pixels: Uint8Array | readonly number[]): Buffer =>
  fileOf(encode({ ...attributes(o), 2145386512: ['OW', pixels] }, o), o)

export const compressed = (o: ImageOptions, frames: readonly Uint8Array[]): Buffer =>
  fileOf(Buffer.concat([encode(attributes(o)), encapsulate(frames)]), o)
