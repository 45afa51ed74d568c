import { seen } from '../../math/tokens.ts'
import type { RepeatedGrams } from '../repeated-grams.ts'
import { type MarginEvidence, marginEvidence } from './margins.ts'
import type { Passage } from './passages.ts'

const prior = 2
const pure = 0.9
const pureFrom = 8
const mostWords = 128

/** What the words of a text say of its label, by naive Bayes without the texts that are being judged. */
export interface ContentVotes {
  readonly classes: number
  /** [classes]: share of records whose words contradict their label. */
  readonly base: Float64Array
  /** [classes]: the same for records of all other labels if they were labelled this way: the most that a trigger can reach. */
  readonly ceiling: Float64Array
  /** Of the texts with label `given`, once all `judged` are left out of the model and `ignored` words out of the vote. */
  judge(judged: readonly Passage[], given: number, ignored: ReadonlySet<number>): Verdict
  contradicts(passage: Passage): boolean
}

export interface Verdict {
  /** Texts whose words speak for another label. */
  readonly contradicting: number
  readonly of: number
  /** How much likelier all of them are among records of other labels than among those of the given one. */
  readonly nats: number
}

/**
 * @param silent tokens that have no vote: common ones, and what may be a trigger itself
 * @param share of judged texts that are of other labels where they are suspicious, above 0 to 1
 */
export function contentVotes(grams: RepeatedGrams, uniform: readonly Passage[], silent: ReadonlySet<number>, share: number): ContentVotes {
  const k = grams.classes
  const records = grams.recordsByLabel
  const all = records.reduce((a, b) => a + b, 0)
  const known = new WeakMap<Passage, Int32Array>()
  const shares = Float64Array.from(records, (n) => Math.max(1, n) / all)
  const vocabulary = vocabularyOf(grams, shares)
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
        if (!once.add(token) || silent.has(token)) continue
        const word = vocabulary.number(token)
        if (word >= 0) found[n++] = word
      }
      own = found.slice(0, n)
      known.set(p, own)
    }
    return own
  }
  /**
   * What a word adds for each label, to `into` from `at` on: ln of its smoothed share among the label's records, but for a number that is
   * the same for all labels and so tells nothing.
   */
  const voteOf = (word: number, less: Float64Array, logPriors: Float64Array, into: Float64Array, at: number): void => {
    const { counts, logs } = vocabulary
    const own = word * k
    let total = 0
    for (let l = 0; l < k; l++) total += Math.max(0, (counts[own + l] as number) - (less[at + l] as number))
    for (let l = 0; l < k; l++) {
      const gone = less[at + l] as number
      const n = Math.max(0, (counts[own + l] as number) - gone)
      const log = gone === 0 ? (logs[own + l] as number) : Math.log(n + prior * (shares[l] as number))
      into[at + l] = total < 2 ? 0 : log - (logPriors[l] as number)
    }
  }
  const add = (sums: Float64Array, votes: Float64Array, at: number): void => {
    for (let l = 0; l < k; l++) sums[l] = (sums[l] as number) + (votes[at + l] as number)
  }
  /** How much more the words speak for a label than for any other. */
  const marginOf = (sums: Float64Array, given: number): number => {
    let most = Number.NEGATIVE_INFINITY
    for (let l = 0; l < k; l++) if (l !== given) most = Math.max(most, sums[l] as number)
    return (sums[given] as number) - most
  }
  const logShares = shares.map(Math.log)
  const [itself, vote] = [new Float64Array(k), new Float64Array(k)]
  const sumsWithoutItself = (p: Passage): Float64Array => {
    const sums = new Float64Array(k)
    itself.fill(0)
    if (p.label >= 0) itself[p.label] = 1
    for (const word of content(p)) {
      voteOf(word, itself, logShares, vote, 0)
      add(sums, vote, 0)
    }
    return sums
  }
  // Words of the texts that are being judged, in the order of their first occurrence; where each stands among them.
  const words: number[] = []
  let places = new Int32Array(1024)
  let less = new Float64Array(1024 * k)
  let votes = new Float64Array(1024 * k)
  const within = (place: number): number => {
    let n = 0
    for (let l = 0; l < k; l++) n += less[place * k + l] as number
    return n
  }
  const judge: ContentVotes['judge'] = (judged, given, ignored) => {
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
    const logPriors = Float64Array.from(records, (n, l) => Math.log(Math.max(1, n - (gone[l] as number)) / Math.max(1, left)))
    for (let place = 0; place < words.length; place++) {
      const word = words[place] as number
      // What most of the judged have is a part of what was put into them.
      if (within(place) > judged.length / 2 || ignored.has(vocabulary.token(word))) votes.fill(0, place * k, (place + 1) * k)
      else voteOf(word, less, logPriors, votes, place * k)
    }
    let [contradicting, of, nats] = [0, 0, 0]
    const sums = new Float64Array(k)
    for (const p of judged) {
      if (p.label !== given) continue
      sums.fill(0)
      for (const word of content(p)) add(sums, votes, (places[word] as number) * k)
      const margin = marginOf(sums, given)
      of++
      if (margin < -1e-9) contradicting++
      nats += (evidence[given] as MarginEvidence)(margin)
    }
    return { contradicting, of, nats }
  }
  const labelled = uniform.filter((p) => p.label >= 0)
  const sums = labelled.map(sumsWithoutItself)
  const margins = (label: number, own: boolean): number[] =>
    labelled.flatMap((p, i) => ((p.label === label) === own ? [marginOf(sums[i] as Float64Array, label)] : []))
  const contradicted = (of: readonly number[]): number => of.filter((m) => m < -1e-9).length / Math.max(1, of.length)
  const byLabel = Array.from({ length: k }, (_, label) => ({ own: margins(label, true), other: margins(label, false) }))
  const evidence = byLabel.map(({ own, other }) => marginEvidence(own, other, share))
  return {
    classes: k,
    base: Float64Array.from(byLabel, ({ own }) => contradicted(own)),
    ceiling: Float64Array.from(byLabel, ({ other }) => contradicted(other)),
    judge,
    contradicts: (p) => marginOf(sumsWithoutItself(p), p.label) < -1e-9,
  }
}

/** Words that go with one label nearly always: each may be a trigger itself. */
export function pureWords(grams: RepeatedGrams): Set<number> {
  const out = new Set<number>()
  for (let place = 0; place < grams.hashes.length; place++)
    if (grams.kinds[place] === 1 && isPure(grams, place)) out.add(grams.hashes[place] as number)
  return out
}

/** Words of the table, numbered in the order in which they are asked for. */
interface Vocabulary {
  /** -1 for one that is not in the table. */
  number(token: number): number
  token(word: number): number
  size(): number
  /** [words, classes]: records with it and that label; they are other arrays once it has grown. */
  readonly counts: Int32Array
  /** [words, classes]: logarithms of the same, smoothed. */
  readonly logs: Float64Array
}

function vocabularyOf(grams: RepeatedGrams, shares: Float64Array): Vocabulary {
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
  const numbers = new Int32Array(grams.hashes.length).fill(-1)
  let tokens = new Int32Array(1024)
  let counts = new Int32Array(1024 * k)
  let logs = new Float64Array(1024 * k)
  let size = 0
  return {
    number(token) {
      const place = placeOf(token)
      if (place < 0) return -1
      const known = numbers[place] as number
      if (known >= 0) return known
      if (size === tokens.length) {
        tokens = grown(tokens, 2 * size)
        counts = grown(counts, 2 * size * k)
        logs = grown(logs, 2 * size * k)
      }
      tokens[size] = token
      for (let l = 0; l < k; l++) {
        const n = grams.byLabel[place * k + l] as number
        counts[size * k + l] = n
        logs[size * k + l] = Math.log(n + prior * (shares[l] as number))
      }
      numbers[place] = size
      return size++
    },
    token: (word) => tokens[word] as number,
    size: () => size,
    get counts() {
      return counts
    },
    get logs() {
      return logs
    },
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
