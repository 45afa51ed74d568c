import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Codes, Scored } from '../../contracts/detector.ts'
import { pixelsOf } from '../../contracts/pixel-rows.ts'
import { type BasisName, inBases } from '../../statistics/trigger-search/bases.ts'
import { type PatchReader, patchAt, patchReader } from '../../statistics/trigger-search/patch-hash.ts'
import type { FoundPatch } from '../../statistics/trigger-search/patches.ts'
import type { FoundTemplate } from '../../statistics/trigger-search/pursuit.ts'
import type { TriggerSearch } from '../../statistics/trigger-search.ts'

/** `carries[t]`, one number a record: the record carries trigger t, whatever its label. Patterns come first, then patches. */
export interface Judgement extends Scored {
  readonly carries: readonly Uint8Array[]
}

/** All patches, those of a fixed place first. */
export const patchesOf = ({ fixed, patches }: TriggerSearch): readonly FoundPatch[] => [...fixed.found, ...patches.found]

/** Carriers score at least this. */
export const carrierScore = 0.5
const patchScore = 0.9

export const patternGroup = (f: FoundTemplate, t: number): string => `pattern ${t + 1} on ${f.target}`
export const patchGroup = (f: FoundPatch, t: number): string => (f.target === null ? `patch ${t + 1}` : `patch ${t + 1} on ${f.target}`)

/**
 * How far records of the target class lie beyond the others along each pattern's template: z / (z + threshold), so that carriers have
 * more than a half; the strongest pattern counts. Records with a patch score 0.9. Other records score 0, whether they carry it or not.
 */
export async function judge(search: TriggerSearch, batch: Batch): Promise<Judgement> {
  const rows = batch.numRows
  const { found: patterns } = search
  const patches = patchesOf(search)
  const values = [...patterns.map(patternGroup), ...patches.map((f, k) => patchGroup(f, patterns.length + k))]
  const carries = values.map(() => new Uint8Array(rows))
  const score = new Float64Array(rows)
  const codes = new Int32Array(rows).fill(-1)
  const pixels = pixelsOf(batch)
  if (!pixels) return { score: score.fill(Number.NaN), group: { codes, values }, carries }
  const label = codesOf(batch, 'label')
  const flag = (i: number, t: number, target: string | null, s: number): void => {
    if (!(s > (score[i] as number)) || !(target === null || isLabelled(label, i, target))) return
    score[i] = s
    codes[i] = t
  }
  for (const [t, { key, rung, hash, corner, target }] of patches.entries()) {
    const reader = patchReader(pixels, rung, key)
    const each = pixels.data.length / Math.max(1, rows)
    for (let i = 0; i < rows; i++) {
      const picture = pixels.data.subarray(i * each, (i + 1) * each)
      if (!(corner === null ? anywhere(reader, picture, hash) : reader.hashOf(patchAt(picture, pixels, rung.side, corner)) === hash))
        continue
      ;(carries[patterns.length + t] as Uint8Array)[i] = 1
      flag(i, patterns.length + t, target, patchScore)
    }
  }
  if (!search.bases || patterns.length === 0) return { score, group: { codes, values }, carries }
  const names = [...new Set(patterns.map((f) => f.basis))] as BasisName[]
  const made = await inBases(search.bases, pixels.data, rows, names)
  for (const [t, f] of patterns.entries()) {
    const data = made[f.basis]
    const dims = f.weights.length
    for (let i = 0; i < rows; i++) {
      let product = 0
      for (let j = 0; j < dims; j++) product += (data[i * dims + j] as number) * (f.weights[j] as number)
      const z = (product - f.centre) / f.deviation
      if (z > f.z) (carries[t] as Uint8Array)[i] = 1
      flag(i, t, f.target, z > 0 ? z / (z + f.z) : 0)
    }
  }
  return { score, group: { codes, values }, carries }
}

function anywhere(reader: PatchReader, picture: Uint8Array, hash: number): boolean {
  const { hashes, count } = reader.read(picture)
  return hashes.subarray(0, count).includes(hash)
}

const isLabelled = (label: Codes | null, i: number, target: string): boolean => label?.values[label.codes[i] as number] === target
