/** Tokens that are one unit of a document frequency: a repetition within them counts once. */
export const passageTokens = 2048

export interface Passage {
  /** Keyed digest of its content. */
  readonly key: number
  /** Passages with the smallest are kept. */
  readonly order: number
  /** Code of the record's label, -1 for none. */
  readonly label: number
  readonly tokens: Int32Array
}

/** Passages in the order of `order`, each content once. */
export interface PassageSample {
  readonly keys: Int32Array
  readonly orders: Float64Array
  readonly labels: Int32Array
  /** Where the tokens of each passage end. */
  readonly ends: Int32Array
  readonly tokens: Int32Array
}

export const emptySample = (): PassageSample => ({
  keys: new Int32Array(0),
  orders: new Float64Array(0),
  labels: new Int32Array(0),
  ends: new Int32Array(0),
  tokens: new Int32Array(0),
})

/** A sample while it grows. */
export interface Sampling {
  list: Passage[]
  /** An order above it is not among the smallest. */
  bound: number
}

export const startSampling = (): Sampling => ({ list: [], bound: Number.POSITIVE_INFINITY })

/** `tokens` is called only where the passage may be among the `size` smallest. */
export function offer(s: Sampling, size: number, order: number, passage: () => Passage): void {
  if (order > s.bound) return
  s.list.push(passage())
  if (s.list.length < 2 * size) return
  s.list = smallest(s.list, size)
  if (s.list.length === size) s.bound = (s.list[size - 1] as Passage).order
}

function compare(a: Passage, b: Passage): number {
  const difference = a.order - b.order || a.key - b.key || a.label - b.label
  if (difference !== 0) return difference
  for (let i = 0; i < a.tokens.length && i < b.tokens.length; i++) {
    if (a.tokens[i] !== b.tokens[i]) return (a.tokens[i] as number) - (b.tokens[i] as number)
  }
  return a.tokens.length - b.tokens.length
}

function smallest(list: readonly Passage[], size: number): Passage[] {
  const sorted = [...list].sort(compare)
  const isFirst = (p: Passage, i: number): boolean => {
    const before = sorted[i - 1]
    return !before || before.key !== p.key || before.label !== p.label || before.order !== p.order
  }
  return sorted.filter(isFirst).slice(0, size)
}

export function passagesOf(sample: PassageSample): Passage[] {
  return Array.from(sample.keys, (key, i) => ({
    key,
    order: sample.orders[i] as number,
    label: sample.labels[i] as number,
    tokens: sample.tokens.subarray(i ? sample.ends[i - 1] : 0, sample.ends[i]),
  }))
}

export function sampleOf(list: readonly Passage[], size: number): PassageSample {
  const kept = smallest(list, size)
  const ends = new Int32Array(kept.length)
  const tokens = new Int32Array(kept.reduce((sum, p) => sum + p.tokens.length, 0))
  let at = 0
  kept.forEach((p, i) => {
    tokens.set(p.tokens, at)
    at += p.tokens.length
    ends[i] = at
  })
  return {
    keys: Int32Array.from(kept, (p) => p.key),
    orders: Float64Array.from(kept, (p) => p.order),
    labels: Int32Array.from(kept, (p) => p.label),
    ends,
    tokens,
  }
}

export const mergeSamples = (a: PassageSample, b: PassageSample, size: number): PassageSample =>
  sampleOf([...passagesOf(a), ...passagesOf(b)], size)
