import type { ArrayHeader } from '../../sources/npy-header.ts'

/** Offset and length, in bytes of the items, of what stays when rows (ascending) go: in either order of the items. */
export function* keptRanges(
  { rows, dims, itemBytes, fortran }: ArrayHeader,
  dropped: readonly number[],
): Generator<readonly [number, number]> {
  const [size, columns] = fortran ? [itemBytes, dims] : [dims * itemBytes, 1]
  for (let column = 0; column < columns; column++) {
    const base = column * rows * size
    let from = 0
    for (const row of [...dropped, rows]) {
      if (row > from) yield [base + from * size, (row - from) * size]
      from = row + 1
    }
  }
}

/** The header of an .npy file for fewer rows, as long as it was: what the number no longer needs is padding. */
export function shorterHeader(header: Uint8Array, rows: number): Buffer {
  const text = Buffer.from(header).toString('latin1')
  const shorter = text.replace(/('shape'\s*:\s*\(\s*)\d+/, (_, before: string) => `${before}${rows}`)
  return Buffer.from(`${shorter.slice(0, -1)}${' '.repeat(text.length - shorter.length)}\n`, 'latin1')
}
