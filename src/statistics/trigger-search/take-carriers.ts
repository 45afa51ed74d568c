import { gemm32, matrix32 } from '../../math/gemm32.ts'
import { inBases } from './bases.ts'
import type { Candidate } from './class-scan.ts'
import type { ClassRows, Search } from './prepare.ts'
import type { FoundTemplate } from './pursuit.ts'
import { pixelMoments, recoverTrigger, recoverWave, undoOf } from './recover.ts'
import { type Half, halfSums, type Scores, templatesOf } from './refine.ts'
import { splitCarriers } from './split.ts'
import { fitTail, type TailFit } from './tail.ts'
import { strongestWave } from './waves.ts'

const clear = Math.log(1e-2)
const maxParts = 4

/** Scores of all rows, the one that carriers exceed, and the centre below it that it is measured from. */
interface Cut extends Scores, Pick<TailFit, 'threshold' | 'reference'> {}

/**
 * The template once more from the carriers in both halves, and what they look like; where carriers are of several kinds, one for each.
 * Null where no row or every row is one.
 */
export async function takeCarriers(
  s: Search,
  c: ClassRows,
  candidate: Candidate,
  round: number,
): Promise<{ readonly found: FoundTemplate[]; readonly others: Int32Array } | null> {
  const { basis, template } = candidate
  const { dims } = s.pool
  const data = (await inBases(s.bases, c.pixels, c.rows, [basis]))[basis]
  const half: Half = { data, rows: c.rows, dims }
  const scores = (await gemm32(matrix32(data, c.rows, dims), matrix32(template.weights, 1, dims), { transB: true })).data
  const first: Cut = { weights: template.weights, scores, threshold: template.fit.threshold, reference: template.fit.reference }
  const whole = (await sharpened(half, [rowsAbove(first)]))[0] ?? first
  const carriers = rowsOf(rowsAbove(whole))
  if (carriers.length === 0 || carriers.length === c.rows) return null
  const parts = await partsOf(s, c, carriers)
  const cuts =
    parts.length === 1
      ? [whole]
      : await sharpened(
          half,
          parts.map((rows) => membersOf(rows, c.rows)),
        )
  const kept = cuts.every((cut) => cut !== null) ? (cuts as Cut[]) : [whole]
  const carries = kept.map(rowsAbove)
  const others = Int32Array.from({ length: c.rows }, (_, r) => r).filter((r) => !carries.some((rows) => rows[r]))
  if (others.length === 0) return null
  return { others, found: kept.map((cut, i) => ({ ...foundBy(s, c, candidate, cut, carries[i] as Uint8Array, others), round })) }
}

const rowsAbove = ({ scores, threshold }: Cut): Uint8Array => Uint8Array.from(scores, (v) => Number(v > threshold))
const rowsOf = (members: Uint8Array): number[] => Array.from(members.keys()).filter((r) => members[r])
const membersOf = (rows: readonly number[], all: number): Uint8Array => {
  const out = new Uint8Array(all)
  for (const r of rows) out[r] = 1
  return out
}

/** Templates of these members, with thresholds of their own; null where their scores have no second mode. */
async function sharpened(half: Half, sets: readonly Uint8Array[]): Promise<(Cut | null)[]> {
  const made = await templatesOf(half, halfSums(half), sets)
  return made.map((m) => {
    const fit = m && fitTail(Float32Array.from(m.scores).sort())
    return m && fit && fit.logP < clear ? { ...m, threshold: fit.threshold, reference: fit.reference } : null
  })
}

/** Carriers by kind, told apart in the basis in which patterns are peaks. */
async function partsOf(s: Search, c: ClassRows, carriers: readonly number[]): Promise<number[][]> {
  const { dims } = s.pool
  const pixels = new Uint8Array(carriers.length * s.each)
  carriers.forEach((r, i) => {
    pixels.set(c.pixels.subarray(r * s.each, (r + 1) * s.each), i * s.each)
  })
  const { pix } = await inBases(s.bases, pixels, carriers.length, ['pix'])
  const done: number[][] = []
  const open: number[][] = [carriers.map((_, i) => i)]
  while (open.length > 0) {
    const part = open.pop() as number[]
    const rows = new Float32Array(part.length * dims)
    part.forEach((i, k) => {
      rows.set(pix.subarray(i * dims, (i + 1) * dims), k * dims)
    })
    const side = done.length + open.length + 1 < maxParts ? splitCarriers(rows, part.length, dims) : null
    if (!side) done.push(part)
    else
      open.push(
        part.filter((_, k) => side[k]),
        part.filter((_, k) => !side[k]),
      )
  }
  return done
    .map((part) => part.map((i) => carriers[i] as number))
    .sort((a, b) => b.length - a.length || (a[0] as number) - (b[0] as number))
}

function foundBy(
  s: Search,
  c: ClassRows,
  candidate: Candidate,
  cut: Cut,
  carries: Uint8Array,
  others: Int32Array,
): Omit<FoundTemplate, 'round'> {
  const { centre, deviation } = cut.reference
  const carriers = rowsOf(carries)
  const inside = pixelMoments(c.pixels, s.each, carriers)
  const outside = pixelMoments(c.pixels, s.each, others)
  const backgrounds = [outside, s.elsewhere(c.name)]
  const { basis, logP, logMode, logAssociation, logMixture, ratio, fresh, rest } = candidate
  return {
    target: c.name,
    basis,
    weights: cut.weights,
    centre,
    deviation,
    z: (cut.threshold - centre) / deviation,
    logP,
    logMode,
    logAssociation,
    logMixture,
    ratio,
    fresh,
    rest,
    carriers: carriers.length,
    rows: c.rows,
    trigger:
      basis === 'waves'
        ? recoverWave(s.shape, inside, backgrounds, strongestWave(cut.weights, s.pool.planes), c.name)
        : recoverTrigger(s.shape, inside, backgrounds, c.name),
    undo: undoOf(inside, backgrounds),
    difference: Float32Array.from(inside.mean, (v, i) => v - (outside.mean[i] as number)),
  }
}
