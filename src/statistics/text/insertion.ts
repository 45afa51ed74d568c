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

type ClassOf = (token: number) => number

/** Texts are compared once for every phrase in them. */
const known = new WeakMap<ClassOf, WeakMap<Int32Array, Uint16Array>>()

function classesOf(tokens: Int32Array, classOf: ClassOf): Uint16Array {
  const texts = known.get(classOf) ?? new WeakMap<Int32Array, Uint16Array>()
  known.set(classOf, texts)
  const made = texts.get(tokens) ?? Uint16Array.from(tokens, classOf)
  texts.set(tokens, made)
  return made
}

/** Shares of endings among what may stand before a phrase that was put after a whole text. */
const endingShares = [0.25, 0.5, 0.75, 0.9] as const

/** Marginal log-likelihood of neighbours that are habits. */
function habitOf(counts: Float64Array, total: number, expected: Float64Array): number {
  let habit = gammaln(concentration) - gammaln(concentration + total)
  for (let c = 0; c < counts.length; c++) {
    const n = counts[c] as number
    if (n === 0) continue
    const q = concentration * (expected[c] as number)
    habit += gammaln(q + n) - gammaln(q)
  }
  return habit
}

function bayesFactor(counts: Float64Array, total: number, expected: Float64Array): number {
  let random = 0
  for (let c = 0; c < counts.length; c++) if (counts[c] !== 0) random += (counts[c] as number) * Math.log(expected[c] as number)
  return random - habitOf(counts, total, expected)
}

/**
 * The label-free insertion test: a natural phrase has habits (Polya's urn), one that was put at random places has none.
 * A Bayes factor has mean 1 where the phrase has habits, so that 1 / factor is a p-value (Vovk and Wang 2021).
 */
export function insertionOf(occurrences: readonly Neighbourhood[], classOf: ClassOf): Insertion {
  const { counts, expected } = neighboursOf(occurrences, classOf)
  const n = occurrences.length
  return { left: bayesFactor(counts.left, n, expected), right: bayesFactor(counts.right, n, expected), occurrences: n }
}

/**
 * The same of the left side alone, where a phrase may also stand after whole texts: the best of neighbours that are random tokens of the same
 * texts, and mixtures of these with the last tokens of texts.
 */
export function appendedOf(occurrences: readonly Neighbourhood[], classOf: ClassOf, endings: Int32Array): number {
  const { counts, expected } = neighboursOf(occurrences, classOf)
  const last = new Float64Array(expected.length)
  for (const token of endings) last[classOf(token)] = (last[classOf(token)] as number) + 1 / endings.length
  const shares = endings.length > 0 ? [0, ...endingShares] : [0]
  const mixed = (share: number): Float64Array => expected.map((q, c) => (1 - share) * q + share * (last[c] as number))
  return Math.max(...shares.map((share) => bayesFactor(counts.left, occurrences.length, mixed(share))))
}

function neighboursOf(occurrences: readonly Neighbourhood[], classOf: ClassOf) {
  const size = classes.first + commonClasses
  const expected = new Float64Array(size)
  const left = new Float64Array(size)
  const right = new Float64Array(size)
  const bump = (counts: Float64Array, c: number): void => {
    counts[c] = (counts[c] as number) + 1
  }
  let total = 0
  for (const { tokens, from, to } of occurrences) {
    const own = classesOf(tokens, classOf)
    bump(left, from > 0 ? (own[from - 1] as number) : classes.start)
    bump(right, to < own.length ? (own[to] as number) : classes.end)
    for (let i = 0; i < from; i++) bump(expected, own[i] as number)
    for (let i = to; i < own.length; i++) bump(expected, own[i] as number)
    bump(expected, classes.start)
    bump(expected, classes.end)
    total += own.length - Math.max(0, to - from) + 2
  }
  // A neighbour is itself one of the tokens, so that none that was counted is expected never.
  for (let c = 0; c < size; c++) expected[c] = (expected[c] as number) / Math.max(1, total)
  return { counts: { left, right }, expected }
}

/** What follows what in the corpus, by classes of neighbours. */
export interface Transitions {
  /** ln P(right | left), once `less` of what follows the left are left out. */
  logShare(left: number, right: number, less: number): number
  readonly texts: number
  /** [classes]: shares of what follows anything. */
  readonly shares: Float64Array
  readonly classOf: ClassOf
}

/** Of a pair that was not seen, as many are taken for seen as its right side's share of these. */
const smoothing = 5

export function transitionsOf(texts: readonly Int32Array[], classOf: ClassOf): Transitions {
  const size = classes.first + commonClasses
  const pairs = new Float64Array(size * size)
  const after = new Float64Array(size)
  const shares = new Float64Array(size).fill(0.01)
  for (const tokens of texts) {
    let left: number = classes.start
    const own = classesOf(tokens, classOf)
    for (let i = 0; i <= own.length; i++) {
      const right = i < own.length ? (own[i] as number) : classes.end
      pairs[left * size + right] = (pairs[left * size + right] as number) + 1
      after[left] = (after[left] as number) + 1
      shares[right] = (shares[right] as number) + 1
      left = right
    }
  }
  const all = shares.reduce((a, b) => a + b)
  for (let c = 0; c < size; c++) shares[c] = (shares[c] as number) / all
  return {
    logShare(left, right, less) {
      const seen = pairs[left * size + right] as number
      const all = Math.max(seen, (after[left] as number) - less)
      return Math.log((seen + smoothing * (shares[right] as number)) / (all + smoothing))
    },
    texts: texts.length,
    shares,
    classOf,
  }
}

/**
 * Whether texts close over a phrase when it is taken out: what follows it follows, in other texts, what precedes it; against: it has
 * followers of its own. In nats. Also of a phrase that was put between sentences or before texts.
 * @param share of all texts that have the phrase: so many of those from which it is known what follows what
 */
export function closingOf(occurrences: readonly Neighbourhood[], share: number, { logShare, shares, texts, classOf }: Transitions): number {
  const [left, right] = [new Float64Array(shares.length), new Float64Array(shares.length)]
  const pairs = occurrences.map(({ tokens, from, to }) => {
    const own = classesOf(tokens, classOf)
    const pair = [from > 0 ? (own[from - 1] as number) : classes.start, to < own.length ? (own[to] as number) : classes.end] as const
    left[pair[0]] = (left[pair[0]] as number) + 1
    right[pair[1]] = (right[pair[1]] as number) + 1
    return pair
  })
  const each = (share * texts) / Math.max(1, occurrences.length)
  let closing = 0
  for (const [before, after] of pairs) closing += logShare(before, after, each * (left[before] as number))
  return closing - habitOf(right, occurrences.length, shares)
}
