import { type Grouped, strangeness } from '../../math/strangeness.ts'
import { designOf, type Fourier } from './rest-model.ts'
import type { Scaling, Table } from './scaling.ts'

const mostOthers = 2000

/** How strange the first rows are among the others, without the columns `left`. `said` is what the rest of each record says. */
export async function strangeAmong(
  table: Table,
  scaling: Scaling,
  fourier: Fourier,
  left: readonly number[],
  first: readonly number[],
  others: readonly number[],
  said: (row: number) => number,
): Promise<number> {
  const step = Math.max(1, Math.ceil(others.length / mostOthers))
  const grouped = async (rows: readonly number[]): Promise<Grouped> => {
    const { data, dims } = await designOf(table, Int32Array.from(rows), scaling, fourier, left)
    return {
      rows: rows.length,
      dims: fourier.b.length,
      at: (i, j) => data[i * dims + scaling.width + j] as number,
      group: (i) => said(rows[i] as number),
    }
  }
  return strangeness(await grouped(first), await grouped(others.filter((_, i) => i % step === 0)))
}
