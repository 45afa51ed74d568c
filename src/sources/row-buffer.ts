import type { Cells, ChunkTap } from '../contracts/chunk.ts'
import type { Batch, IssueSink } from '../contracts/data.ts'
import { handOver, type RoleOptions, usedColumns } from './assemble.ts'
import { limits } from './limits.ts'

/** Rows of a text file on their way into a batch. */
export interface RowBuffer {
  /** Columns by position, as `push` expects their values. */
  readonly names: readonly string[]
  readonly values: unknown[][]
  /** Takes the row whose values were put into `values`; true when the batch is full. */
  push(row: number, line: number, size: number): boolean
  /** The rows since the last flush as a batch; null where there are none or all are rejected. */
  flush(): Batch | null
}

/** What a tap sees besides the columns that have a role. */
export interface Tapped {
  readonly tap: ChunkTap
  /** Further columns that `push` expects. */
  readonly names: readonly string[]
  /** Columns that were gathered elsewhere; called once for each flush. */
  readonly take?: () => ReadonlyMap<string, Cells>
}

export function rowBuffer(roles: RoleOptions, file: string, issue: IssueSink, tapped?: Tapped): RowBuffer {
  const names = [...new Set([...(roles.tapOnly ? [] : usedColumns(roles.columns)), ...(tapped?.names ?? [])])]
  const values: unknown[][] = names.map(() => [])
  let rows: number[] = []
  let lines: number[] = []
  let size = 0
  return {
    names,
    values,
    push(row, line, bytes) {
      rows.push(row)
      lines.push(line)
      size += bytes
      return rows.length >= limits.batchRows || size >= limits.batchBytes
    },
    flush() {
      const columns = new Map<string, Cells>(names.map((name, k) => [name, { kind: 'values', values: values[k] as unknown[] }]))
      const at = lines
      const chunk = { rows: Uint32Array.from(rows), lines: (i: number) => at[i] as number, columns }
      for (let k = 0; k < values.length; k++) values[k] = []
      rows = []
      lines = []
      size = 0
      if (!tapped?.take) return handOver(chunk, roles, file, issue, tapped?.tap)
      const whole = { ...chunk, columns: tapped.take() }
      return handOver(chunk, roles, file, issue, () => tapped.tap(whole))
    },
  }
}
