import type { PixelShape } from '../../contracts/statistic.ts'
import type { RecoveredTrigger } from '../../contracts/trigger.ts'
import { keyed } from '../../math/rng.ts'
import { benjaminiHochberg } from '../../math/tests.ts'
import { type Bases, type BasisName, basisNames, fitBases, type InBases, inBases, lowFrequencies } from './bases.ts'
import { binRows } from './bins.ts'
import { type Candidate, leastRows, type Pool, scanClass } from './class-scan.ts'
import { withoutCopies } from './near-duplicates.ts'
import { planeLength, planeShape } from './planes.ts'
import { type PixelMoments, pixelMoments } from './recover.ts'
import { takeCarriers } from './take-carriers.ts'
import { type Whitening, whitening } from './whiten.ts'

/** Records of a class in a row, in the order of their keyed digests. */
export interface ClassRows {
  readonly name: string
  readonly rows: number
  /** [rows, height x width x channels] */
  readonly pixels: Uint8Array
}

/** What a class's records were tested for. */
export interface ClassTest {
  readonly name: string
  /** Records searched: those of the sample that are no copies of others. */
  readonly rows: number
  /** 1, 2, ... : triggers found before were taken out. */
  readonly round: number
  /** Natural logarithm, at most 0. */
  readonly logP: number
  readonly basis: BasisName | null
  readonly ratio: number
}

/** A direction in which carriers stand apart, and how to score any record by it. */
export interface FoundTemplate {
  readonly target: string
  readonly basis: BasisName
  /** [planeLength], length 1. */
  readonly weights: Float32Array
  readonly centre: number
  readonly deviation: number
  /** A record scores (product with the weights - centre) / deviation; carriers have more than this. */
  readonly z: number
  readonly logP: number
  readonly logMode: number
  readonly logAssociation: number
  readonly ratio: number
  readonly fresh: readonly [number, number]
  readonly rest: readonly [number, number]
  /** Carriers in the sample, and the class's records in it. */
  readonly carriers: number
  readonly rows: number
  readonly trigger: RecoveredTrigger
  /** [height x width x channels]: mean of carriers - mean of the others of the class, in grey levels. */
  readonly difference: Float32Array
}

export interface Pursuit {
  /** Null where no class could be searched. */
  readonly bases: Bases | null
  readonly tests: readonly ClassTest[]
  readonly found: readonly FoundTemplate[]
}

const poolRows = 5000
const momentRows = 2000
const frequencies = 16
/** False discovery rate over classes at which a trigger is taken for found. */
const level = 0.01
const maxRounds = 4
/** More classes take hours: the largest are searched. */
export const maxClasses = 256

/** Searches the records of every class for triggers; `left` are the records that are no carriers and no copies of others. @param seed 16 bytes */
export async function pursue(
  shape: PixelShape,
  classes: readonly ClassRows[],
  seed: Uint8Array,
): Promise<Pursuit & { readonly left: readonly ClassRows[] }> {
  const each = shape.height * shape.width * shape.channels
  const kept: ClassRows[] = []
  for (const c of classes) kept.push(only(c, each, await withoutCopies(c.pixels, c.rows, shape)))
  if (kept.length < 2 || kept.every((c) => c.rows < leastRows)) return { bases: null, tests: [], found: [], left: kept }
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
  const search: Search = { shape, each, bases, pool, white, seed, elsewhere: elsewhereOf(kept, each, quota) }
  const tests: ClassTest[] = []
  const first = new Map<number, Candidate>()
  for (const code of largestClasses(kept)) {
    const c = kept[code] as ClassRows
    const best = await scan(search, c, code, 1)
    tests.push(testOf(c, 1, best))
    if (best) first.set(code, best)
  }
  const codes = [...first.keys()]
  const searched = tests.length
  const adjusted = benjaminiHochberg(
    codes.map((code) => Math.exp((first.get(code) as Candidate).logP)),
    searched,
  )
  const found: FoundTemplate[] = []
  const left = [...kept]
  for (const [i, code] of codes.entries()) {
    if ((adjusted[i] as number) > level) continue
    let rest = kept[code] as ClassRows
    let next: Candidate | null = first.get(code) as Candidate
    for (let round = 1; next && next.logP <= Math.log(round === 1 ? 1 : level / searched); ) {
      const taken = await takeCarriers(search, rest, next)
      if (!taken) break
      found.push(...taken.found)
      rest = only(rest, each, taken.others)
      left[code] = rest
      if (rest.rows < leastRows || ++round > maxRounds) break
      next = await scan(search, rest, code, round)
      tests.push(testOf(rest, round, next))
    }
  }
  return { bases, tests, found, left }
}

/** Codes of the classes that are searched, ascending. */
const largestClasses = (kept: readonly ClassRows[]): number[] =>
  [...kept.keys()]
    .filter((code) => (kept[code] as ClassRows).rows >= leastRows)
    .sort((a, b) => (kept[b] as ClassRows).rows - (kept[a] as ClassRows).rows || a - b)
    .slice(0, maxClasses)
    .sort((a, b) => a - b)

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

const testOf = (c: ClassRows, round: number, best: Candidate | null): ClassTest => ({
  name: c.name,
  rows: c.rows,
  round,
  logP: best?.logP ?? 0,
  basis: best?.basis ?? null,
  ratio: best?.ratio ?? 0,
})

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

async function scan(s: Search, c: ClassRows, code: number, round: number): Promise<Candidate | null> {
  const own = await inBases(s.bases, c.pixels, c.rows)
  const random = keyed(s.seed, `trigger search ${c.name} ${round}`)
  return (await scanClass(own, c.rows, code, s.pool, s.white, random))[0] ?? null
}

function only(c: ClassRows, each: number, rows: Int32Array): ClassRows {
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
  const all = Object.fromEntries(basisNames.map((name) => [name, new Float32Array(rows * dims)])) as unknown as InBases
  for (const [i, p] of parts.entries()) {
    const made = await inBases(bases, p.pixels, p.rows)
    for (const name of basisNames) all[name].set(made[name], (starts[i] as number) * dims)
  }
  const bins = Object.fromEntries(basisNames.map((name) => [name, binRows(all[name], dims)])) as unknown as Pool['bins']
  return { rows, dims, bases: all, bins, starts }
}
