import type { ShardSpec } from '../../contracts/data.ts'
import type { ArrayHeader } from '../../sources/npy-header.ts'
import type { RowChange } from '../changes.ts'
import { InjectError } from '../errors.ts'
import { columnOf, featurePlaces, storedLabel } from './writer.ts'

/** Bytes that replace others in the items of one array, from the begin of its items. */
export interface Edit {
  readonly array: string
  readonly offset: number
  readonly bytes: Uint8Array
}

/** One value in the array's own type. */
function item(h: ArrayHeader, value: string | number, array: string): Uint8Array {
  const bytes = Buffer.alloc(h.itemBytes)
  const refuse = (why: string): never => {
    throw new InjectError('unsupported', `array ${JSON.stringify(array)} cannot hold ${JSON.stringify(value)}: ${why}`)
  }
  if (h.kind === 'U' || h.kind === 'S') {
    const text = String(value)
    const points = h.kind === 'U' ? Array.from(text, (c) => c.codePointAt(0) as number) : [...Buffer.from(text)]
    if (points.length * (h.kind === 'U' ? 4 : 1) > h.itemBytes) refuse('its items are shorter')
    points.forEach((p, i) => {
      if (h.kind === 'S') bytes[i] = p
      else if (h.bigEndian) bytes.writeUInt32BE(p, 4 * i)
      else bytes.writeUInt32LE(p, 4 * i)
    })
    return bytes
  }
  const n = value === 'true' || value === 'True' ? 1 : value === 'false' || value === 'False' ? 0 : Number(value)
  if (!Number.isFinite(n)) return refuse('its items are numbers')
  if (h.kind === 'f2') return refuse('16-bit floats are not written')
  if (!h.kind.startsWith('f') && !Number.isInteger(n)) return refuse('its items are whole numbers')
  if (h.kind === 'f8') bytes.writeDoubleLE(n)
  else if (h.kind === 'f4') {
    if (!Number.isFinite(Math.fround(n))) refuse('it is outside of their range')
    bytes.writeFloatLE(n)
  } else if (h.kind === 'i8' || h.kind === 'u8') bytes.writeBigInt64LE(BigInt(n))
  else {
    try {
      if (h.kind.startsWith('i')) bytes.writeIntLE(n, 0, h.itemBytes)
      else bytes.writeUIntLE(n, 0, h.itemBytes)
    } catch {
      refuse('it is outside of their range')
    }
  }
  return h.bigEndian ? bytes.reverse() : bytes
}

/** Position of item `j` of `row`, in either order. `j` counts in C order over the axes after the first. */
function position(h: ArrayHeader, row: number, j: number): number {
  if (!h.fortran) return (row * h.dims + j) * h.itemBytes
  let rest = j
  let column = 0
  const axes = h.shape.slice(1)
  const index = axes.map(() => 0)
  for (let a = axes.length - 1; a >= 0; a--) {
    const n = axes[a] as number
    index[a] = rest % n
    rest = Math.floor(rest / n)
  }
  for (let a = axes.length - 1; a >= 0; a--) column = column * (axes[a] as number) + (index[a] as number)
  return (column * h.rows + row) * h.itemBytes
}

/** What a change writes into the aligned arrays of a shard. */
export function* editsOf(shard: ShardSpec, headers: ReadonlyMap<string, ArrayHeader>, change: RowChange): Generator<Edit> {
  const { row, label, text, response, image, numbers } = change
  const headerOf = (array: string): ArrayHeader => {
    const header = headers.get(array)
    if (!header) throw new InjectError('missing-field', `${shard.id}: no array ${JSON.stringify(array)}`)
    return header
  }
  const scalars = [
    ['label', label === undefined ? undefined : storedLabel(shard, label)],
    ['text', text],
    ['response', response],
  ] as const
  for (const [role, value] of scalars) {
    if (value === undefined) continue
    const array = columnOf(shard, role)
    const h = headerOf(array)
    yield { array, offset: position(h, row, 0), bytes: item(h, value, array) }
  }
  for (const { column, item: j, value } of featurePlaces(shard, numbers ?? [])) {
    const h = headerOf(column)
    yield { array: column, offset: position(h, row, j ?? 0), bytes: item(h, value, column) }
  }
  if (!image) return
  const array = columnOf(shard, 'image')
  const h = headerOf(array)
  if (!h.fortran) yield { array, offset: position(h, row, 0), bytes: image }
  else for (let j = 0; j < h.dims; j++) yield { array, offset: position(h, row, j), bytes: image.subarray(j, j + 1) }
}
