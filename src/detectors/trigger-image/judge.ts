import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Codes, Scored } from '../../contracts/detector.ts'
import { pixelsOf } from '../../contracts/pixel-rows.ts'
import { type Bases, type BasisName, inBases } from '../../statistics/trigger-search/bases.ts'
import { type PatchReader, patchAt, patchReader } from '../../statistics/trigger-search/patch-hash.ts'
import type { FoundPatch } from '../../statistics/trigger-search/patches.ts'
import type { FoundTemplate } from '../../statistics/trigger-search/pursuit.ts'
import type { TriggerSearch } from '../../statistics/trigger-search.ts'
import { isTelling, looksOf } from './looks.ts'

/**
 * `carries[t]`, one number a record: the record carries trigger t, whatever its label. Patterns come first, then patches. `looks`: the label
 * that a flagged record looks most like with its trigger taken off, -1 of others.
 */
export interface Judgement extends Scored {
  readonly carries: readonly Uint8Array[]
  readonly looks: Codes
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
  const looks = { codes: new Int32Array(rows).fill(-1), values: search.means?.names ?? [] }
  if (!pixels) return { score: score.fill(Number.NaN), group: { codes, values }, carries, looks }
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
  if (search.bases && patterns.length > 0) await judgePatterns(search, search.bases, pixels.data, rows, carries, flag)
  const triggers = [...patterns, ...patches]
  const flagged = Array.from({ length: rows }, (_, i) => i).filter((i) => (score[i] as number) >= carrierScore)
  const each = pixels.data.length / Math.max(1, rows)
  const found = await looksOf(
    search,
    flagged.map((i) => ({
      picture: pixels.data.subarray(i * each, (i + 1) * each),
      trigger: triggers[codes[i] as number] as (typeof triggers)[number],
    })),
  )
  found?.forEach((k, n) => {
    looks.codes[flagged[n] as number] = k
  })
  const suggested = isTelling(search) ? { suggested: { ...looks, codes: unlike(looks, label) } } : {}
  return { score, group: { codes, values }, carries, looks, ...suggested }
}

/** Only labels that differ from the given one. */
const unlike = ({ codes, values }: Codes, label: Codes | null): Int32Array =>
  codes.map((k, i) => (label?.values[label.codes[i] as number] === values[k] ? -1 : k))

async function judgePatterns(
  { found: patterns }: TriggerSearch,
  bases: Bases,
  data: Uint8Array,
  rows: number,
  carries: readonly Uint8Array[],
  flag: (row: number, trigger: number, target: string, score: number) => void,
): Promise<void> {
  const names = [...new Set(patterns.map((f) => f.basis))] as BasisName[]
  const made = await inBases(bases, data, rows, names)
  for (const [t, f] of patterns.entries()) {
    const values = made[f.basis]
    const dims = f.weights.length
    for (let i = 0; i < rows; i++) {
      let product = 0
      for (let j = 0; j < dims; j++) product += (values[i * dims + j] as number) * (f.weights[j] as number)
      const z = (product - f.centre) / f.deviation
      if (z > f.z) (carries[t] as Uint8Array)[i] = 1
      flag(i, t, f.target, z > 0 ? z / (z + f.z) : 0)
    }
  }
}

function anywhere(reader: PatchReader, picture: Uint8Array, hash: number): boolean {
  const { hashes, count } = reader.read(picture)
  return hashes.subarray(0, count).includes(hash)
}

const isLabelled = (label: Codes | null, i: number, target: string): boolean => label?.values[label.codes[i] as number] === target
