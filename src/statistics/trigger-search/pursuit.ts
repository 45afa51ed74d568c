import type { PixelShape } from '../../contracts/statistic.ts'
import type { RecoveredTrigger } from '../../contracts/trigger.ts'
import { benjaminiHochberg } from '../../math/tests.ts'
import type { Bases, BasisName } from './bases.ts'
import { type Candidate, leastRows } from './class-scan.ts'
import { type ClassRows, only, prepare, scan } from './prepare.ts'
import type { Undo } from './recover.ts'
import { takeCarriers } from './take-carriers.ts'

/** What a class's records were tested for. */
export interface ClassTest {
  readonly name: string
  /** Records searched: those of the sample that are no copies of others. */
  readonly rows: number
  /** 1, 2, ... : records with what was found before are left out. */
  readonly round: number
  /** Natural logarithm, at most 0. */
  readonly logP: number
  readonly basis: BasisName | null
  readonly ratio: number
}

/** A direction in which carriers stand apart, and how to score any record by it. */
export interface FoundTemplate {
  readonly target: string
  /** Of the test that found it; one test may find several. */
  readonly round: number
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
  readonly logMixture: number
  readonly ratio: number
  readonly fresh: readonly [number, number]
  readonly rest: readonly [number, number]
  /** Carriers in the sample, and the class's records in it. */
  readonly carriers: number
  readonly rows: number
  readonly trigger: RecoveredTrigger
  /** [height x width x channels]: mean of carriers - mean of the others of the class, in grey levels. */
  readonly difference: Float32Array
  readonly undo: Undo
}

export interface Pursuit {
  /** Null where no class could be searched. */
  readonly bases: Bases | null
  readonly tests: readonly ClassTest[]
  readonly found: readonly FoundTemplate[]
}

/** False discovery rate over classes at which a trigger is taken for found. */
const level = 0.01
export const maxRounds = 4
/** More classes take hours: the largest are searched. */
export const maxClasses = 256

/** Searches the records of every class for triggers; `left` are the records that are no carriers and no copies of others. @param seed 16 bytes */
export async function pursue(
  shape: PixelShape,
  classes: readonly ClassRows[],
  seed: Uint8Array,
): Promise<Pursuit & { readonly left: readonly ClassRows[] }> {
  const { kept, search } = await prepare(shape, classes, seed)
  if (!search) return { bases: null, tests: [], found: [], left: kept }
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
      const taken = await takeCarriers(search, rest, next, round)
      if (!taken) break
      found.push(...taken.found)
      rest = only(rest, search.each, taken.others)
      left[code] = rest
      if (rest.rows < leastRows || ++round > maxRounds) break
      next = await scan(search, rest, code, round)
      tests.push(testOf(rest, round, next))
    }
  }
  return { bases: search.bases, tests, found, left }
}

/** Codes of the classes that are searched, ascending. */
const largestClasses = (kept: readonly ClassRows[]): number[] =>
  [...kept.keys()]
    .filter((code) => (kept[code] as ClassRows).rows >= leastRows)
    .sort((a, b) => (kept[b] as ClassRows).rows - (kept[a] as ClassRows).rows || a - b)
    .slice(0, maxClasses)
    .sort((a, b) => a - b)

const testOf = (c: ClassRows, round: number, best: Candidate | null): ClassTest => ({
  name: c.name,
  rows: c.rows,
  round,
  logP: best?.logP ?? 0,
  basis: best?.basis ?? null,
  ratio: best?.ratio ?? 0,
})
