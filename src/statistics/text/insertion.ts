import { gammaln } from 'simple-statistics'

/** Concentration of the prior of a phrase's own habits. */
const concentration = 15
const commonClasses = 300

/** Neighbours are compared by class: a common token is its own, all others are one, and so are the two ends of a text. */
const classes = { other: 0, start: 1, end: 2, first: 3 } as const

export interface Neighbourhood {
  readonly tokens: Int32Array
  readonly from: number
  readonly to: number
}

/** Bayes factors in nats: the neighbours are random tokens of the same texts, against: the phrase has neighbours of its own. */
export interface Insertion {
  readonly left: number
  readonly right: number
  readonly occurrences: number
}

export function neighbourClasses(mostCommon: Int32Array): (token: number) => number {
  const code = new Map<number, number>()
  mostCommon.subarray(0, commonClasses).forEach((token, i) => {
    code.set(token, classes.first + i)
  })
  return (token) => code.get(token) ?? classes.other
}

function bayesFactor(counts: ReadonlyMap<number, number>, total: number, expected: ReadonlyMap<number, number>): number {
  let random = 0
  let habit = gammaln(concentration) - gammaln(concentration + total)
  for (const [c, n] of counts) {
    const q = expected.get(c) ?? 1e-6
    random += n * Math.log(q)
    habit += gammaln(concentration * q + n) - gammaln(concentration * q)
  }
  return random - habit
}

/**
 * The label-free insertion test: a natural phrase has habits (Polya's urn), one that was put at random places has none.
 * A Bayes factor has mean 1 where the phrase has habits, so that 1 / factor is a p-value (Vovk and Wang 2021).
 */
export function insertionOf(occurrences: readonly Neighbourhood[], classOf: (token: number) => number): Insertion {
  const expected = new Map<number, number>()
  const left = new Map<number, number>()
  const right = new Map<number, number>()
  const bump = (map: Map<number, number>, c: number, by = 1): void => {
    map.set(c, (map.get(c) ?? 0) + by)
  }
  let total = 0
  for (const { tokens, from, to } of occurrences) {
    bump(left, from > 0 ? classOf(tokens[from - 1] as number) : classes.start)
    bump(right, to < tokens.length ? classOf(tokens[to] as number) : classes.end)
    for (let i = 0; i < tokens.length; i++) {
      if (i >= from && i < to) continue
      bump(expected, classOf(tokens[i] as number))
      total++
    }
    bump(expected, classes.start)
    bump(expected, classes.end)
    total += 2
  }
  for (const [c, n] of expected) expected.set(c, n / total)
  const n = occurrences.length
  return { left: bayesFactor(left, n, expected), right: bayesFactor(right, n, expected), occurrences: n }
}
