import { codesOf, column, rowsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Codes, Scored } from '../contracts/detector.ts'
import type { RecordRef } from '../contracts/finding.ts'

/** Strongest first; equal scores in the order of shard and row, so that the list does not depend on who found what first. */
const stronger = (a: RecordRef, b: RecordRef): number =>
  b.score - a.score || (a.shard < b.shard ? -1 : a.shard > b.shard ? 1 : a.row - b.row)

/** Records that a report can name. */
export const topRecords = 200

/** The first of them, strongest first. */
export const strongest = (records: readonly RecordRef[]): readonly RecordRef[] => [...records].sort(stronger).slice(0, topRecords)

/** The strongest flagged records in bounded memory. */
export class TopRecords {
  private kept: RecordRef[] = []
  private floor = Number.NEGATIVE_INFINITY

  constructor(private readonly size: number) {}

  /** Flagged rows of one batch. */
  add(shard: string, batch: Batch, scored: Scored): void {
    const ids = column(batch, 'id')
    const rows = rowsOf(batch)
    const name = (c: Codes | null | undefined, i: number) => c?.values[c.codes[i] as number] ?? null
    const label = codesOf(batch, 'label')
    const source = codesOf(batch, 'source')
    for (let i = 0; i < rows.length; i++) {
      const score = scored.score[i] as number
      if (score < this.floor) continue
      this.kept.push({
        id: (ids?.get(i) as string | null | undefined) ?? null,
        shard,
        row: rows[i] as number,
        score,
        pValue: scored.pValue?.[i] ?? null,
        givenLabel: name(label, i),
        suggestedLabel: name(scored.suggested, i),
        source: name(source, i),
        group: name(scored.group, i),
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
