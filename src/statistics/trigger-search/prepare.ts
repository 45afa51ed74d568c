import type { PixelShape } from '../../contracts/statistic.ts'
import { keyed } from '../../math/rng.ts'
import { type Bases, fitBases, type InBases, inBases, lowFrequencies } from './bases.ts'
import { binRows } from './bins.ts'
import { type Candidate, type HalfBases, leastRows, type Pool, scanClass } from './class-scan.ts'
import { withoutCopies } from './near-duplicates.ts'
import { planeLength, planeShape } from './planes.ts'
import { type PixelMoments, pixelMoments } from './recover.ts'
import { type Whitening, whitening } from './whiten.ts'

/** Records of a class in a row, in the order of their keyed digests. */
export interface ClassRows {
  readonly name: string
  readonly rows: number
  /** [rows, height x width x channels] */
  readonly pixels: Uint8Array
}

const poolRows = 5000
const momentRows = 2000
const frequencies = 16

/** What the search of any class needs. */
export interface Search {
  readonly shape: PixelShape
  readonly each: number
  readonly bases: Bases
  readonly pool: Pool
  readonly white: Whitening
  readonly seed: Uint8Array
  /** Of records of the other classes. */
  readonly elsewhere: (target: string) => PixelMoments
}

/** The records that are no copies of others, and what they are searched with: null where no class can be. @param seed 16 bytes */
export async function prepare(
  shape: PixelShape,
  classes: readonly ClassRows[],
  seed: Uint8Array,
): Promise<{ readonly kept: readonly ClassRows[]; readonly search: Search | null }> {
  const each = shape.height * shape.width * shape.channels
  const kept: ClassRows[] = []
  for (const c of classes) kept.push(only(c, each, await withoutCopies(c.pixels, c.rows, shape)))
  if (kept.length < 2 || kept.every((c) => c.rows < leastRows)) return { kept, search: null }
  const head = (c: ClassRows, most: number) => ({
    rows: Math.min(c.rows, most),
    pixels: c.pixels.subarray(0, Math.min(c.rows, most) * each),
  })
  const bases = await fitBases(
    shape,
    kept.map((c) => head(c, momentRows)),
  )
  const quota = Math.ceil(poolRows / (kept.length - 1))
  const pool = await poolOf(
    bases,
    kept.map((c) => head(c, quota)),
  )
  const labels = pool.starts.slice(1).flatMap((end, i) => new Array(end - (pool.starts[i] as number)).fill(i) as number[])
  const white = await whitening(pool.bases.dct, pool.dims, labels, lowFrequencies(shape, frequencies))
  return { kept, search: { shape, each, bases, pool, white, seed, elsewhere: elsewhereOf(kept, each, quota) } }
}

function elsewhereOf(kept: readonly ClassRows[], each: number, quota: number): Search['elsewhere'] {
  return (target) => {
    const parts = kept.filter((c) => c.name !== target)
    const rows = parts.map((c) => Math.min(c.rows, quota))
    const pixels = new Uint8Array(rows.reduce((a, b) => a + b, 0) * each)
    let at = 0
    parts.forEach((c, i) => {
      const part = c.pixels.subarray(0, (rows[i] as number) * each)
      pixels.set(part, at)
      at += part.length
    })
    return pixelMoments(pixels, each, Array(pixels.length / each).keys())
  }
}

/** The best direction of a class. @param round 1, 2, ... : triggers found before were taken out */
export async function scan(s: Search, c: ClassRows, code: number, round: number): Promise<Candidate | null> {
  const halfOf = async (first: number): Promise<HalfBases> => {
    const half = only(
      c,
      s.each,
      Int32Array.from({ length: Math.ceil((c.rows - first) / 2) }, (_, i) => 2 * i + first),
    )
    return { rows: half.rows, bases: await inBases(s.bases, half.pixels, half.rows, s.pool.names) }
  }
  const random = keyed(s.seed, `trigger search ${c.name} ${round}`)
  return (await scanClass([await halfOf(0), await halfOf(1)], code, s.pool, s.white, random))[0] ?? null
}

export function only(c: ClassRows, each: number, rows: Int32Array): ClassRows {
  if (rows.length === c.rows) return c
  const pixels = new Uint8Array(rows.length * each)
  rows.forEach((r, i) => {
    pixels.set(c.pixels.subarray(r * each, (r + 1) * each), i * each)
  })
  return { name: c.name, rows: rows.length, pixels }
}

async function poolOf(bases: Bases, parts: readonly { readonly rows: number; readonly pixels: Uint8Array }[]): Promise<Pool> {
  const starts = [0]
  for (const p of parts) starts.push((starts[starts.length - 1] as number) + p.rows)
  const rows = starts[starts.length - 1] as number
  const dims = planeLength(planeShape(bases.shape))
  const { names } = bases
  const all = Object.fromEntries(names.map((name) => [name, new Float32Array(rows * dims)])) as unknown as InBases
  for (const [i, p] of parts.entries()) {
    const made = await inBases(bases, p.pixels, p.rows, names)
    for (const name of names) all[name].set(made[name], (starts[i] as number) * dims)
  }
  const bins = Object.fromEntries(names.map((name) => [name, binRows(all[name], dims)])) as unknown as Pool['bins']
  return { names, planes: planeShape(bases.shape), rows, dims, bases: all, bins, starts }
}
