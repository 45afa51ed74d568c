/** What selects records: one value (of a category the code, and `text` where it is known), an interval with both ends, or missing values, of one column. */
export type Part =
  | { readonly column: number; readonly kind: 'value'; readonly value: number; readonly text?: string }
  | { readonly column: number; readonly kind: 'interval'; readonly low: number; readonly high: number }
  | { readonly column: number; readonly kind: 'missing' }

/** One part, or two of different columns together. */
export type Cell = readonly Part[]

export function inPart(part: Part, v: number): boolean {
  if (part.kind === 'missing') return Number.isNaN(v)
  return part.kind === 'value' ? v === part.value : v >= part.low && v <= part.high
}

/** Is row `i` of the matrix in the cell? */
export const inCell = (cell: Cell, data: ArrayLike<number>, dims: number, i: number): boolean =>
  cell.every((part) => inPart(part, data[i * dims + part.column] as number))

export const columnsOf = (cell: Cell): number[] => cell.map((part) => part.column)

/** Both ends of a value or interval, NaN of missing values. */
export const bounds = (part: Part | undefined): readonly [number, number] =>
  part?.kind === 'value' ? [part.value, part.value] : part?.kind === 'interval' ? [part.low, part.high] : [Number.NaN, Number.NaN]

/** Of two cells of the same columns: can a record be in both? */
export const overlap = (a: Cell, b: Cell): boolean =>
  a.every((part, l) => {
    const [[low, high], [from, to]] = [bounds(part), bounds(b[l])]
    return low <= to && from <= high
  })
