import type { RepeatedGrams } from '../repeated-grams.ts'
import { findGram } from './gram-table.ts'
import type { Passage } from './passages.ts'

const prior = 2
/** A word this pure in this many records may be a trigger itself: it has no vote. */
const pure = 0.9
const pureFrom = 8
const mostWords = 128

/** What the words of a text say of its label, by naive Bayes without the texts that are being judged. */
export interface ContentVotes {
  readonly classes: number
  /** [classes]: share of records whose other words contradict their label. */
  readonly base: Float64Array
  /** [classes]: the same for records of all other labels if they were labelled this way: the most that a trigger can reach. */
  readonly ceiling: Float64Array
  /** Places of the passage's content words in the table. */
  content(passage: Passage): Int32Array
  /** How many of the texts with label `given` contradict it once all `judged` are left out of the model and `ignored` words out of the vote. */
  contradicting(judged: readonly Passage[], given: number, ignored: ReadonlySet<number>): { readonly count: number; readonly of: number }
  contradicts(passage: Passage): boolean
}

export function contentVotes(grams: RepeatedGrams, uniform: readonly Passage[], common: ReadonlySet<number>): ContentVotes {
  const k = grams.classes
  const records = grams.recordsByLabel
  const all = records.reduce((a, b) => a + b, 0)
  const known = new WeakMap<Passage, Int32Array>()
  const content = (p: Passage): Int32Array => {
    let places = known.get(p)
    if (!places) {
      const found = new Set<number>()
      for (const token of p.tokens) {
        if (found.size === mostWords) break
        const place = common.has(token) ? -1 : findGram(grams, token, 1)
        if (place >= 0 && !isPure(grams, place)) found.add(place)
      }
      places = Int32Array.from(found)
      known.set(p, places)
    }
    return places
  }
  const counts = new Float64Array(k)
  /** [classes]: what a word adds for each label. */
  const voteOf = (place: number, less: (l: number) => number, share: (l: number) => number): Float64Array => {
    const out = new Float64Array(k)
    let total = 0
    for (let l = 0; l < k; l++) {
      counts[l] = Math.max(0, (grams.byLabel[place * k + l] as number) - less(l))
      total += counts[l] as number
    }
    if (total < 2) return out
    for (let l = 0; l < k; l++) {
      const q = share(l)
      out[l] = Math.log(((counts[l] as number) + prior * q) / ((total + prior) * q))
    }
    return out
  }
  const add = (sums: Float64Array, vote: Float64Array): void => {
    for (let l = 0; l < k; l++) sums[l] = (sums[l] as number) + (vote[l] as number)
  }
  const disagrees = (sums: Float64Array, given: number): boolean => sums.some((s, l) => l !== given && s > (sums[given] as number) + 1e-9)
  const contradicts = (p: Passage): boolean => {
    const sums = new Float64Array(k)
    for (const place of content(p))
      add(
        sums,
        voteOf(
          place,
          (l) => (l === p.label ? 1 : 0),
          (l) => Math.max(1, records[l] as number) / all,
        ),
      )
    return disagrees(sums, p.label)
  }
  // Places of the texts that are being judged, numbered in the order of their first occurrence.
  const numbers = new Int32Array(grams.hashes.length)
  let less = new Float64Array(1024 * k)
  const contradicting: ContentVotes['contradicting'] = (judged, given, ignored) => {
    const places: number[] = []
    const gone = new Float64Array(k)
    for (const p of judged) {
      if (p.label < 0) continue
      gone[p.label] = (gone[p.label] as number) + 1
      for (const place of content(p)) {
        let number = numbers[place] as number
        if (places[number] !== place) {
          number = places.push(place) - 1
          numbers[place] = number
          if (places.length * k > less.length) less = grown(less)
          less.fill(0, number * k, (number + 1) * k)
        }
        const at = number * k + p.label
        less[at] = (less[at] as number) + 1
      }
    }
    const left = all - gone.reduce((a, b) => a + b, 0)
    const share = (l: number): number => Math.max(1, (records[l] as number) - (gone[l] as number)) / Math.max(1, left)
    const votes = places.map((place, number) =>
      ignored.has(grams.hashes[place] as number) ? null : voteOf(place, (l) => less[number * k + l] as number, share),
    )
    let [count, of] = [0, 0]
    const sums = new Float64Array(k)
    for (const p of judged) {
      if (p.label !== given) continue
      sums.fill(0)
      for (const place of content(p)) {
        const vote = votes[numbers[place] as number]
        if (vote) add(sums, vote)
      }
      of++
      if (disagrees(sums, given)) count++
    }
    return { count, of }
  }
  const wrong = new Float64Array(k)
  const seen = new Float64Array(k)
  for (const p of uniform) {
    if (p.label < 0) continue
    seen[p.label] = (seen[p.label] as number) + 1
    if (contradicts(p)) wrong[p.label] = (wrong[p.label] as number) + 1
  }
  const base = wrong.map((n, l) => n / Math.max(1, seen[l] as number))
  const ceiling = base.map((_, l) => {
    let [right, others] = [0, 0]
    for (let m = 0; m < k; m++) {
      if (m === l) continue
      right += (1 - (base[m] as number)) * (records[m] as number)
      others += records[m] as number
    }
    return right / Math.max(1, others)
  })
  return { classes: k, base, ceiling, content, contradicting, contradicts }
}

function grown(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * array.length)
  larger.set(array)
  return larger
}

function isPure(grams: RepeatedGrams, place: number): boolean {
  let [most, total] = [0, 0]
  for (let l = 0; l < grams.classes; l++) {
    const n = grams.byLabel[place * grams.classes + l] as number
    most = Math.max(most, n)
    total += n
  }
  return total >= pureFrom && most >= pure * total
}
