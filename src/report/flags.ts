import type { FlagFormat } from '../contracts/pipeline.ts'
import { openTable, type TableColumn, type TableWriter, type Texts } from './table-writer.ts'

export type RowKind = 'flags' | 'scores'

/** Columns of `length` rows. `detector` and `rule` may be one name for all rows; columns left out are null. */
export interface FlagColumns {
  readonly length: number
  readonly id?: Texts
  readonly shard: Texts | string
  /** 0-based within the shard's file. */
  readonly row: Uint32Array
  readonly detector: Texts | string
  /** Flags only. */
  readonly rule?: Texts | string
  /** 0..1; NaN is written as null. */
  readonly score: Float64Array
  /** 0..1; NaN is written as null. */
  readonly pValue?: Float64Array
  /** Flags only: the cell whose threshold applied. */
  readonly group?: Texts
  readonly givenLabel?: Texts
  readonly suggestedLabel?: Texts
}

export type RowWriter = TableWriter<FlagColumns>

const flagColumns: readonly TableColumn<FlagColumns>[] = [
  { name: 'id', type: 'text', of: (r) => r.id },
  { name: 'shard', type: 'text', of: (r) => r.shard },
  { name: 'row', type: 'row', of: (r) => r.row },
  { name: 'detector', type: 'text', of: (r) => r.detector },
  { name: 'rule', type: 'text', of: (r) => r.rule },
  { name: 'score', type: 'number', of: (r) => r.score },
  { name: 'p_value', type: 'number', of: (r) => r.pValue },
  { name: 'group', type: 'text', of: (r) => r.group },
  { name: 'given_label', type: 'text', of: (r) => r.givenLabel },
  { name: 'suggested_label', type: 'text', of: (r) => r.suggestedLabel },
]
const columnsOf = (kind: RowKind): readonly TableColumn<FlagColumns>[] =>
  kind === 'flags' ? flagColumns : flagColumns.filter((c) => c.name !== 'rule' && c.name !== 'group')

/** Writes flags or scores as they come. @throws {ReportError} `unwritable` */
export const openRowWriter = (path: string, format: FlagFormat, kind: RowKind): Promise<RowWriter> =>
  openTable(path, format, columnsOf(kind))
