import { codesOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { RecordRef } from '../contracts/finding.ts'
import type { FlagColumns } from '../report/flags.ts'

/** Strongest first; equal scores in the order of shard and row, so that the list does not depend on who found what first. */
const stronger = (a: RecordRef, b: RecordRef): number => b.score - a.score || (a.shard < b.shard ? -1 : a.shard > b.shard ? 1 : a.row - b.row)

/** The strongest flagged records in bounded memory. */
export class TopRecords {
  private kept: RecordRef[] = []
  private floor = Number.NEGATIVE_INFINITY

  constructor(private readonly size: number) {}

  add(rows: FlagColumns, batch: Batch): void {
    const source = codesOf(batch, 'source')
    for (let i = 0; i < rows.score.length; i++) {
      const score = rows.score[i] as number
      if (score < this.floor) continue
      this.kept.push({
        id: rows.id[i] ?? null,
        shard: rows.shard[i] as string,
        row: rows.row[i] as number,
        score,
        pValue: rows.pValue?.[i] ?? null,
        givenLabel: rows.givenLabel[i] ?? null,
        suggestedLabel: rows.suggestedLabel[i] ?? null,
        source: source?.values[source.codes[i] as number] ?? null,
        group: rows.group[i] ?? null,
      })
    }
    if (this.kept.length >= 2 * this.size) this.trim()
  }

  list(): readonly RecordRef[] {
    this.trim()
    return this.kept
  }

  private trim(): void {
    this.kept.sort(stronger)
    this.kept.length = Math.min(this.kept.length, this.size)
    if (this.kept.length === this.size) this.floor = (this.kept[this.size - 1] as RecordRef).score
  }
}
