export type Value = string | number | boolean | null
export type Row = Readonly<Record<string, unknown>>

/** The little SQL that DuckDB and PostgreSQL have in common: `$1` for values, one connection. */
export interface Database {
  query(sql: string, values?: readonly Value[]): Promise<readonly Row[]>
  /** All of it or nothing, one writer at a time. */
  transaction<T>(act: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface Patience {
  /** How long another writer is waited for. */
  readonly waitMs: number
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
