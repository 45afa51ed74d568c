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

export function packed(bits: number, cells: Uint8Array | Uint16Array): Counts {
  let filled = 0
  for (let i = 0; i < cells.length; i++) if (cells[i] !== 0) filled++
  if (filled * (4 + cells.BYTES_PER_ELEMENT) >= cells.byteLength) return { bits, at: new Uint32Array(0), cells }
  const at = new Uint32Array(filled)
  const kept = cells instanceof Uint8Array ? new Uint8Array(filled) : new Uint16Array(filled)
  for (let i = 0, j = 0; i < cells.length; i++) {
    if (cells[i] === 0) continue
    at[j] = i
    kept[j++] = cells[i] as number
  }
  return { bits, at, cells: kept }
}

/** Their sum; neither is changed. */
export function addCounts(a: Counts, b: Counts): Counts {
  const cells = isDense(a) ? a.cells.slice() : dense(a)
  const limit = most(cells)
  const add = (i: number, n: number): void => {
    cells[i] = Math.min(limit, (cells[i] as number) + n)
  }
  if (isDense(b)) {
    for (let i = 0; i < b.cells.length; i++) if (b.cells[i] !== 0) add(i, b.cells[i] as number)
  } else for (let i = 0; i < b.at.length; i++) add(b.at[i] as number, b.cells[i] as number)
  return packed(a.bits, cells)
}
