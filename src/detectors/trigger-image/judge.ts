import { codesOf, pixelsOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored } from '../../contracts/detector.ts'
import { type BasisName, inBases } from '../../statistics/trigger-search/bases.ts'
import type { FoundTemplate } from '../../statistics/trigger-search/pursuit.ts'
import type { TriggerSearch } from '../../statistics/trigger-search.ts'

/** `carries[t]`, one bit a record: the record carries trigger t, whatever its label. */
export interface Judgement extends Scored {
  readonly carries: readonly Uint8Array[]
}

/** Carriers score at least this. */
export const carrierScore = 0.5

/** Name of the group of a trigger's carriers: `pattern 1 on cat`. */
export const groupOf = (search: TriggerSearch, t: number): string => `pattern ${t + 1} on ${(search.found[t] as FoundTemplate).target}`

/**
 * How far records of the target class lie beyond the others along each trigger's template: z / (z + threshold), so that carriers have
 * more than a half; the strongest trigger counts. Other records score 0, whether they carry it or not.
 */
export async function judgePatterns(search: TriggerSearch, batch: Batch): Promise<Judgement> {
  const rows = batch.numRows
  const score = new Float64Array(rows)
  const codes = new Int32Array(rows).fill(-1)
  const values = search.found.map((_, t) => groupOf(search, t))
  const pixels = pixelsOf(batch)
  const label = codesOf(batch, 'label')
  const carries = search.found.map(() => new Uint8Array(rows))
  if (!pixels || !search.bases) return { score: score.fill(Number.NaN), group: { codes, values }, carries }
  const names = [...new Set(search.found.map((f) => f.basis))] as BasisName[]
  const made = names.length > 0 ? await inBases(search.bases, pixels.data, rows, names) : null
  for (const [t, f] of search.found.entries()) {
    const data = (made as NonNullable<typeof made>)[f.basis]
    const dims = f.weights.length
    const target = label?.values.indexOf(f.target) ?? -1
    for (let i = 0; i < rows; i++) {
      let product = 0
      for (let j = 0; j < dims; j++) product += (data[i * dims + j] as number) * (f.weights[j] as number)
      const z = (product - f.centre) / f.deviation
      const s = z > 0 ? z / (z + f.z) : 0
      if (z > f.z) (carries[t] as Uint8Array)[i] = 1
      if (target < 0 || label?.codes[i] !== target || s <= (score[i] as number)) continue
      score[i] = s
      codes[i] = t
    }
  }
  return { score, group: { codes, values }, carries }
}
