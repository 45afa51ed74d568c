/**
 * A table of 2^bits saturating counters, the sum of any number of which is one: `cells` alone, or, where few are not 0, the places of those
 * (`at`, ascending) with their counts. Equal counts have equal representations after `packed`.
 */
export interface Counts {
  readonly bits: number
  readonly at: Uint32Array
  readonly cells: Uint8Array | Uint16Array
}

export const emptyCounts = (bits: number, width: 8 | 16): Counts => ({
  bits,
  at: new Uint32Array(0),
  cells: width === 8 ? new Uint8Array(0) : new Uint16Array(0),
})

const isDense = (c: Counts): boolean => c.cells.length === 2 ** c.bits
const most = (cells: Uint8Array | Uint16Array): number => (cells.BYTES_PER_ELEMENT === 1 ? 0xff : 0xffff)

/** The whole table, for reading and counting; a table that is one already is not copied. */
export function dense(c: Counts): Uint8Array | Uint16Array {
  if (isDense(c)) return c.cells
  const cells = c.cells instanceof Uint8Array ? new Uint8Array(2 ** c.bits) : new Uint16Array(2 ** c.bits)
  for (let i = 0; i < c.at.length; i++) cells[c.at[i] as number] = c.cells[i] as number
  return cells
}

/** Places of the counters that are not 0, ascending; most are, so four bytes are looked at at once. */
function filledIn(cells: Uint8Array | Uint16Array): { readonly at: Uint32Array; readonly count: number } {
  const wide = new Uint32Array(cells.buffer, cells.byteOffset, cells.byteLength / 4)
  const each = 4 / cells.BYTES_PER_ELEMENT
  // Beyond this many the whole table takes no more room than they.
  const at = new Uint32Array(Math.ceil(cells.byteLength / (4 + cells.BYTES_PER_ELEMENT)))
  let count = 0
  for (let w = 0; w < wide.length; w++) {
    if (wide[w] === 0) continue
    for (let i = w * each; i < (w + 1) * each; i++) if (cells[i] !== 0) at[count++] = i
    if (count >= at.length) break
  }
  return { at, count }
}

export function packed(bits: number, cells: Uint8Array | Uint16Array): Counts {
  const { at, count } = filledIn(cells)
  if (count >= at.length) return { bits, at: new Uint32Array(0), cells }
  const kept = cells instanceof Uint8Array ? new Uint8Array(count) : new Uint16Array(count)
  for (let j = 0; j < count; j++) kept[j] = cells[at[j] as number] as number
  return { bits, at: at.slice(0, count), cells: kept }
}

/** Their sum; neither is changed. */
export function addCounts(a: Counts, b: Counts): Counts {
  const cells = isDense(a) ? a.cells.slice() : dense(a)
  const limit = most(cells)
  if (isDense(b)) {
    const more = b.cells
    for (let i = 0; i < more.length; i++) {
      const n = more[i] as number
      if (n !== 0) cells[i] = Math.min(limit, (cells[i] as number) + n)
    }
  } else {
    for (let j = 0; j < b.at.length; j++) {
      const i = b.at[j] as number
      cells[i] = Math.min(limit, (cells[i] as number) + (b.cells[j] as number))
    }
  }
  return packed(a.bits, cells)
}
