import type { Limits } from '../budget.ts'
import type { Bytes } from '../bytes.ts'
import type { Report } from '../observation.ts'

export interface Checked {
  readonly bytes: Bytes
  readonly name: string
  readonly report: Report
  readonly limits: Limits
  /** Names of publishers that are allowed; none: they are not looked at. */
  readonly publishers: readonly string[]
  /** Bytes of a file beside this one; null where there is none, or where nothing is known of the folder. */
  readonly sibling: (name: string) => number | null
  /** A sentence for the report that accuses nobody. */
  readonly note: (text: string) => void
}

/** Reads one format by its bounds and reports what it should not hold. */
export type Checker = (checked: Checked) => void
