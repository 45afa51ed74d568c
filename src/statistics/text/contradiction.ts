import { seen } from '../../math/tokens.ts'
import type { RepeatedGrams } from '../repeated-grams.ts'
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
  /** How many of the texts with label `given` contradict it once all `judged` are left out of the model and `ignored` words out of the vote. */
  contradicting(judged: readonly Passage[], given: number, ignored: ReadonlySet<number>): { readonly count: number; readonly of: number }
  contradicts(passage: Passage): boolean
}

export function contentVotes(grams: RepeatedGrams, uniform: readonly Passage[], common: ReadonlySet<number>): ContentVotes {
  const k = grams.classes
  const records = grams.recordsByLabel
  const all = records.reduce((a, b) => a + b, 0)
  const known = new WeakMap<Passage, Int32Array>()
  const vocabulary = vocabularyOf(grams)
  const once = seen()
  const found = new Int32Array(mostWords)
  /** Numbers of the passage's content words. */
  const content = (p: Passage): Int32Array => {
    let own = known.get(p)
    if (!own) {
      once.clear()
      let n = 0
      for (const token of p.tokens) {
        if (n === mostWords) break
        if (!once.add(token) || common.has(token)) continue
        const word = vocabulary.number(token)
        if (word >= 0) found[n++] = word
      }
      own = found.slice(0, n)
      known.set(p, own)
    }
    return own
  }
  const counts = new Float64Array(k)
  /** What a word adds for each label, to `into` from `at` on. */
  const voteOf = (word: number, less: Float64Array, share: Float64Array, into: Float64Array, at: number): void => {
    const { counts: all } = vocabulary
    let total = 0
    for (let l = 0; l < k; l++) {
      const n = Math.max(0, (all[word * k + l] as number) - (less[at + l] as number))
      counts[l] = n
      total += n
    }
    for (let l = 0; l < k; l++) {
      const q = share[l] as number
      into[at + l] = total < 2 ? 0 : Math.log(((counts[l] as number) + prior * q) / ((total + prior) * q))
    }
  }
  const add = (sums: Float64Array, votes: Float64Array, at: number): void => {
    for (let l = 0; l < k; l++) sums[l] = (sums[l] as number) + (votes[at + l] as number)
  }
  const disagrees = (sums: Float64Array, given: number): boolean => sums.some((s, l) => l !== given && s > (sums[given] as number) + 1e-9)
  const shares = Float64Array.from(records, (n) => Math.max(1, n) / all)
  const [itself, vote] = [new Float64Array(k), new Float64Array(k)]
  const contradicts = (p: Passage): boolean => {
    const sums = new Float64Array(k)
    itself.fill(0)
    if (p.label >= 0) itself[p.label] = 1
    for (const word of content(p)) {
      voteOf(word, itself, shares, vote, 0)
      add(sums, vote, 0)
    }
    return disagrees(sums, p.label)
  }
  // Words of the texts that are being judged, in the order of their first occurrence; where each stands among them.
  const words: number[] = []
  let places = new Int32Array(1024)
  let less = new Float64Array(1024 * k)
  let votes = new Float64Array(1024 * k)
  const contradicting: ContentVotes['contradicting'] = (judged, given, ignored) => {
    words.length = 0
    const gone = new Float64Array(k)
    for (const p of judged) {
      if (p.label < 0) continue
      gone[p.label] = (gone[p.label] as number) + 1
      const own = content(p)
      if (vocabulary.size() > places.length) places = grown(places, vocabulary.size())
      for (const word of own) {
        let place = places[word] as number
        if (words[place] !== word) {
          place = words.push(word) - 1
          places[word] = place
          if (words.length * k > less.length) {
            less = grown(less, 2 * less.length)
            votes = grown(votes, less.length)
          }
          less.fill(0, place * k, (place + 1) * k)
        }
        less[place * k + p.label] = (less[place * k + p.label] as number) + 1
      }
    }
    const left = all - gone.reduce((a, b) => a + b, 0)
    const share = Float64Array.from(records, (n, l) => Math.max(1, n - (gone[l] as number)) / Math.max(1, left))
    for (let place = 0; place < words.length; place++) {
      const word = words[place] as number
      if (ignored.has(vocabulary.token(word))) votes.fill(0, place * k, (place + 1) * k)
      else voteOf(word, less, share, votes, place * k)
    }
    let [count, of] = [0, 0]
    const sums = new Float64Array(k)
    for (const p of judged) {
      if (p.label !== given) continue
      sums.fill(0)
      for (const word of content(p)) add(sums, votes, (places[word] as number) * k)
      of++
      if (disagrees(sums, given)) count++
    }
    return { count, of }
  }
  const wrong = new Float64Array(k)
  const labelled = new Float64Array(k)
  for (const p of uniform) {
    if (p.label < 0) continue
    labelled[p.label] = (labelled[p.label] as number) + 1
    if (contradicts(p)) wrong[p.label] = (wrong[p.label] as number) + 1
  }
  const base = wrong.map((n, l) => n / Math.max(1, labelled[l] as number))
  const ceiling = base.map((_, l) => {
    let [right, others] = [0, 0]
    for (let m = 0; m < k; m++) {
      if (m === l) continue
      right += (1 - (base[m] as number)) * (records[m] as number)
      others += records[m] as number
    }
    return right / Math.max(1, others)
  })
  return { classes: k, base, ceiling, contradicting, contradicts }
}

/** Words of the table that may vote, numbered in the order in which they are asked for. */
interface Vocabulary {
  /** -1 for one that is not in the table, or may be a trigger itself. */
  number(token: number): number
  token(word: number): number
  size(): number
  /** [words, classes]: records with it and that label. */
  readonly counts: Uint32Array
}

function vocabularyOf(grams: RepeatedGrams): Vocabulary {
  const k = grams.classes
  let entries = 0
  for (const kind of grams.kinds) if (kind === 1) entries++
  const mask = 2 ** Math.ceil(Math.log2(2 * entries + 2)) - 1
  const slots = new Int32Array(mask + 1)
  grams.hashes.forEach((hash, place) => {
    if (grams.kinds[place] !== 1) return
    let at = hash & mask
    while (slots[at] !== 0) at = (at + 1) & mask
    slots[at] = place + 1
  })
  const placeOf = (token: number): number => {
    let at = token & mask
    for (let place = slots[at] as number; place !== 0; place = slots[at] as number) {
      if (grams.hashes[place - 1] === token) return place - 1
      at = (at + 1) & mask
    }
    return -1
  }
  const unfit = -2
  const numbers = new Int32Array(grams.hashes.length).fill(-1)
  const tokens = new Int32Array(entries)
  const counts = new Uint32Array(entries * k)
  let size = 0
  return {
    number(token) {
      const place = placeOf(token)
      if (place < 0) return -1
      const known = numbers[place] as number
      if (known === unfit) return -1
      if (known >= 0) return known
      if (isPure(grams, place)) {
        numbers[place] = unfit
        return -1
      }
      tokens[size] = token
      counts.set(grams.byLabel.subarray(place * k, (place + 1) * k), size * k)
      numbers[place] = size
      return size++
    },
    token: (word) => tokens[word] as number,
    size: () => size,
    counts,
  }
}

function grown<T extends Int32Array | Float64Array>(array: T, size: number): T {
  const larger = new (array.constructor as new (n: number) => T)(Math.max(size, 2 * array.length))
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
