import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { FlagFormat } from '../contracts/pipeline.ts'
import { csvRecords } from '../sources/csv-records.ts'
import { scan, stream } from '../sources/parquet-engine.ts'
import { ReviewError } from './errors.ts'

export interface Flag {
  readonly id: string | null
  readonly shard: string
  readonly row: number
  readonly detector: string
  readonly rule: string
  readonly score: number
  readonly pValue: number | null
  readonly group: string | null
  readonly givenLabel: string | null
  readonly suggestedLabel: string | null
}

const names = ['id', 'shard', 'row', 'detector', 'rule', 'score', 'p_value', 'group', 'given_label', 'suggested_label'] as const
type Cells = readonly (string | number | null)[]

function toFlag(cells: Cells, path: string): Flag {
  const [id, shard, row, detector, rule, score, pValue, group, givenLabel, suggestedLabel] = cells
  const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value))
  const flag = {
    id: text(id),
    shard: String(shard),
    row: Number(row),
    detector: String(detector),
    rule: String(rule),
    score: Number(score),
    pValue: pValue === null || pValue === undefined ? null : Number(pValue),
    group: text(group),
    givenLabel: text(givenLabel),
    suggestedLabel: text(suggestedLabel),
  }
  if (shard !== null && Number.isInteger(flag.row) && flag.row >= 0 && flag.score >= 0 && flag.score <= 1) return flag
  throw new ReviewError('not-a-run', `${path}: a row is no flag`, 'audit again: the file was changed', { file: path })
}

/** In CSV, text that a spreadsheet would run has an apostrophe in front. */
const withoutApostrophe = (text: string): string => (/^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text)

const rowsOf: { readonly [F in FlagFormat]: (path: string) => AsyncGenerator<Cells> } = {
  async *parquet(path) {
    const columns = names.map((n) => `"${n}"`).join(', ')
    for await (const chunk of stream(path, `SELECT ${columns} FROM ${scan(path, false)}`, 200))
      for (const row of chunk.getRows()) yield row as unknown as Cells
  },
  async *csv(path) {
    let header = true
    for await (const { rows } of csvRecords(path, { delimiter: ',', newline: '\n' })) {
      for (const row of rows) {
        if (!header) yield row.map((cell) => (cell === '' ? null : withoutApostrophe(cell)))
        header = false
      }
    }
  },
  async *jsonl(path) {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      const record = JSON.parse(line) as Record<string, string | number | null>
      yield names.map((name) => record[name] ?? null)
    }
  },
}

/**
 * The rows of a run's `flags.*`, in the order of the file.
 * @throws SourceError where it cannot be read; ReviewError `not-a-run` at what is no flag
 */
export async function* readFlags(path: string, format: FlagFormat): AsyncGenerator<Flag> {
  for await (const cells of rowsOf[format](path)) yield toFlag(cells, path)
}
