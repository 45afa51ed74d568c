import type { Tree } from '../../contracts/statistic.ts'
import type { States } from '../accumulate.ts'
import type { DetectorFlags, FlagResult } from '../flags.ts'
import { strongest } from '../top-records.ts'

/** Name of the state that holds what flags add up to. */
export const flagsName = '#flags'

type Counts = readonly (readonly [string, number])[]

/** What the flags of some partitions add up to, evidence apart. Pairs and not objects: a label may have any name. */
export interface FlagNumbers {
  readonly flagged: number
  readonly byLabel: Counts
  readonly bySource: Counts
  readonly byDetector: readonly (readonly [string, DetectorFlags])[]
}

export const noFlags: FlagNumbers = { flagged: 0, byLabel: [], bySource: [], byDetector: [] }

export const numbersOf = (r: FlagResult): FlagNumbers => ({
  flagged: r.flagged,
  byLabel: [...r.flaggedByLabel],
  bySource: [...r.flaggedBySource],
  byDetector: [...r.byDetector],
})

function combine<T>(a: readonly (readonly [string, T])[], b: readonly (readonly [string, T])[], add: (x: T, y: T) => T) {
  const all = new Map(a)
  for (const [name, value] of b) {
    const before = all.get(name)
    all.set(name, before === undefined ? value : add(before, value))
  }
  return [...all]
}

const sum = (x: number, y: number): number => x + y

/** Associative and, the order of names apart, commutative. */
export const mergeFlags = (a: FlagNumbers, b: FlagNumbers): FlagNumbers => ({
  flagged: a.flagged + b.flagged,
  byLabel: combine(a.byLabel, b.byLabel, sum),
  bySource: combine(a.bySource, b.bySource, sum),
  byDetector: combine(a.byDetector, b.byDetector, (x, y) => ({
    scored: x.scored + y.scored,
    flagged: x.flagged + y.flagged,
    top: strongest([...x.top, ...y.top]),
  })),
})

export const flagResult = (n: FlagNumbers, evidence: States): FlagResult => ({
  flagged: n.flagged,
  flaggedByLabel: new Map(n.byLabel),
  flaggedBySource: new Map(n.bySource),
  byDetector: new Map(n.byDetector),
  evidence,
})

export const flagsTree = (n: FlagNumbers): Tree => JSON.stringify(n)
export const flagsFrom = (tree: Tree): FlagNumbers => JSON.parse(tree as string) as FlagNumbers
