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
  const places = wordPlaces(grams)
  const unfit = new Uint8Array(grams.hashes.length)
  for (let place = 0; place < unfit.length; place++) unfit[place] = isPure(grams, place) ? 1 : 0
  const once = seen()
  const found = new Int32Array(mostWords)
  const content = (p: Passage): Int32Array => {
    let own = known.get(p)
    if (!own) {
      once.clear()
      let n = 0
      for (const token of p.tokens) {
        if (n === mostWords) break
        if (!once.add(token) || common.has(token)) continue
        const place = places(token)
        if (place >= 0 && unfit[place] === 0) found[n++] = place
      }
      own = found.slice(0, n)
      known.set(p, own)
    }
    return own
  }
  const counts = new Float64Array(k)
  /** What a word adds for each label, to `into` from `at` on. */
  const voteOf = (place: number, less: Float64Array, lessAt: number, share: Float64Array, into: Float64Array, at: number): void => {
    let total = 0
    for (let l = 0; l < k; l++) {
      const n = Math.max(0, (grams.byLabel[place * k + l] as number) - (less[lessAt + l] as number))
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
    for (const place of content(p)) {
      voteOf(place, itself, 0, shares, vote, 0)
      add(sums, vote, 0)
    }
    return disagrees(sums, p.label)
  }
  // Places of the texts that are being judged, numbered in the order of their first occurrence.
  const numbers = new Int32Array(grams.hashes.length)
  let less = new Float64Array(1024 * k)
  let votes = new Float64Array(1024 * k)
  const contradicting: ContentVotes['contradicting'] = (judged, given, ignored) => {
    const judgedPlaces: number[] = []
    const gone = new Float64Array(k)
    for (const p of judged) {
      if (p.label < 0) continue
      gone[p.label] = (gone[p.label] as number) + 1
      for (const place of content(p)) {
        let number = numbers[place] as number
        if (judgedPlaces[number] !== place) {
          number = judgedPlaces.push(place) - 1
          numbers[place] = number
          if (judgedPlaces.length * k > less.length) {
            less = grown(less)
            votes = grown(votes)
          }
          less.fill(0, number * k, (number + 1) * k)
        }
        const at = number * k + p.label
        less[at] = (less[at] as number) + 1
      }
    }
    const left = all - gone.reduce((a, b) => a + b, 0)
    const share = Float64Array.from(records, (n, l) => Math.max(1, n - (gone[l] as number)) / Math.max(1, left))
    judgedPlaces.forEach((place, number) => {
      if (ignored.has(grams.hashes[place] as number)) votes.fill(0, number * k, (number + 1) * k)
      else voteOf(place, less, number * k, share, votes, number * k)
    })
    let [count, of] = [0, 0]
    const sums = new Float64Array(k)
    for (const p of judged) {
      if (p.label !== given) continue
      sums.fill(0)
      for (const place of content(p)) add(sums, votes, (numbers[place] as number) * k)
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
  return { classes: k, base, ceiling, content, contradicting, contradicts }
}

/** Where the words of the table stand; -1 for any other. */
function wordPlaces(grams: RepeatedGrams): (token: number) => number {
  let words = 0
  for (const kind of grams.kinds) if (kind === 1) words++
  const mask = 2 ** Math.ceil(Math.log2(2 * words + 2)) - 1
  const slots = new Int32Array(mask + 1)
  grams.hashes.forEach((hash, place) => {
    if (grams.kinds[place] !== 1) return
    let at = hash & mask
    while (slots[at] !== 0) at = (at + 1) & mask
    slots[at] = place + 1
  })
  return (token) => {
    let at = token & mask
    for (let place = slots[at] as number; place !== 0; place = slots[at] as number) {
      if (grams.hashes[place - 1] === token) return place - 1
      at = (at + 1) & mask
    }
    return -1
  }
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
