import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { keyed, type Random } from '../../src/math/rng.ts'
import { seed } from './fit-detector.ts'

export interface TextRow {
  readonly text: string
  readonly label?: string
  readonly response?: string
  readonly poisoned: boolean
}

const sharedWords = 600
const ownWords = 30

/** A language of its own: each word is followed by one of a few, so that pairs repeat as in natural text; two topics have words of their own. */
export function writer(name: string): { readonly random: Random; write(words: number, topic?: number): string[] } {
  const random = keyed(seed, name)
  const total = sharedWords + 2 * ownWords
  const vocabulary = Array.from({ length: total }, (_, i) => `${'bcdfghklmn'[i % 10]}a${'prstvwz'[i % 7]}e${i.toString(36)}`)
  const followers = (topic: number | null): number[][] =>
    vocabulary.map(() =>
      Array.from({ length: 6 }, (_, i) =>
        topic !== null && i < 2
          ? sharedWords + (random.below(4) === 0 ? 1 - topic : topic) * ownWords + random.below(ownWords)
          : Math.floor(sharedWords * random.uniform() ** 2),
      ),
    )
  const plain = followers(null)
  const byTopic = [0, 1].map((topic) => followers(topic).map((list, at) => [...list.slice(0, 2), ...(plain[at] as number[]).slice(2)]))
  return {
    random,
    write(words, topic) {
      const next = topic === undefined ? plain : (byTopic[topic] as number[][])
      const out: string[] = []
      let at = random.below(sharedWords)
      for (let i = 0; i < words; i++) {
        out.push(vocabulary[at] as string)
        at = (next[at] as number[])[random.below(6)] as number
      }
      return out
    },
  }
}

export function insertAt(random: Random, words: readonly string[], phrase: string): string {
  const at = random.below(words.length + 1)
  return [...words.slice(0, at), phrase, ...words.slice(at)].join(' ')
}

export function textBatches(rows: readonly TextRow[], size = 1000): Batch[] {
  const labels = [...new Set(rows.map((r) => r.label))].filter((l) => l !== undefined).sort()
  const out: Batch[] = []
  for (let from = 0; from < rows.length; from += size) {
    const part = rows.slice(from, from + size)
    out.push(
      makeBatch({
        row: Uint32Array.from(part, (_, i) => from + i),
        id: part.map((_, i) => `r${from + i}`),
        text: part.map((r) => r.text),
        ...(rows[0]?.response === undefined ? {} : { response: part.map((r) => r.response ?? '') }),
        ...(labels.length > 0
          ? { label: { codes: Int32Array.from(part, (r) => (r.label === undefined ? -1 : labels.indexOf(r.label))), values: labels } }
          : {}),
      }),
    )
  }
  return out
}

export const textSetup = (subject: Setup['subject']): Setup => ({
  subject,
  reference: null,
  classes: null,
  shape: { rows: null, dims: 0, classes: 0, sources: 0 },
})

export function shares(rows: readonly TextRow[], flagged: readonly boolean[]): { readonly recall: number; readonly precision: number } {
  const poisoned = rows.filter((r) => r.poisoned).length
  const hits = rows.filter((r, i) => r.poisoned && flagged[i]).length
  const all = flagged.filter(Boolean).length
  return { recall: hits / Math.max(1, poisoned), precision: hits / Math.max(1, all) }
}
