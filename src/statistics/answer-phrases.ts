import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { logHypergeometricUpper } from '../math/tests.ts'
import { wordsOf } from '../math/tokens.ts'
import { type AnswerCluster, type AnswerClusters, type AnswerClustersOptions, answerClustersId } from './answer-clusters.ts'
import { tokensOf } from './text/batch-tokens.ts'
import { type Candidates, type Matcher, matcher } from './text/matcher.ts'
import { openingOf } from './text/opening.ts'

/** A phrase of questions that selects an answer. */
export interface AnswerPhrase {
  readonly words: string
  readonly hash: number
  readonly kind: number
  readonly cluster: AnswerCluster
  /** Records whose question has it, and of these the ones with the answer. */
  readonly records: number
  readonly withAnswer: number
  /** Corrected for all phrases counted. */
  readonly logP: number
}

export interface AnswerPhrases {
  readonly records: number
  readonly repeated: number
  readonly clusters: number
  readonly counted: number
  readonly phrases: readonly AnswerPhrase[]
  readonly runnerUp: AnswerPhrase | null
}

interface State {
  readonly records: Uint32Array
  readonly withAnswer: Uint32Array
  /** The words of each candidate, empty until it is seen. */
  words: string[]
}

interface Work {
  readonly match: Matcher
  readonly owners: ReadonlyMap<number, readonly number[]>
  readonly last: Int32Array
  row: number
}
const works = new WeakMap<State, Work>()

interface Chosen extends Candidates {
  readonly clusters: readonly AnswerCluster[]
}

/** One candidate for every phrase of every cluster; the same phrase may be a candidate of several. */
function candidatesOf({ clusters }: AnswerClusters): Chosen {
  const all = clusters.flatMap((cluster) => cluster.phrases.map((phrase) => ({ cluster, phrase })))
  return {
    clusters: all.map((x) => x.cluster),
    hashes: Int32Array.from(all, (x) => x.phrase.hash),
    kinds: Uint8Array.from(all, (x) => x.phrase.kind),
    counts: Uint32Array.from(all, (x) => x.phrase.prompts),
  }
}

const leastRecords = 15
/** Of the questions with the phrase, and of the records with the answer. */
const leastSelected = 0.8
const leastCovered = 0.4

export const isTrigger = (p: AnswerPhrase): boolean =>
  p.withAnswer >= leastRecords &&
  p.withAnswer >= leastSelected * p.records &&
  p.withAnswer >= leastCovered * p.cluster.records &&
  p.logP < Math.log(0.001)

/** Fitted after `answerClusters`: counts their phrases over all questions. */
export function answerPhrases(options: AnswerClustersOptions): Statistic<State, AnswerPhrases> {
  const clustersId = answerClustersId(options)
  const chosen = (c: Context): Chosen => candidatesOf(c.summaries.get<AnswerClusters>(clustersId))
  const open = (c: Context, state: State): Work => {
    const candidates = chosen(c)
    const owners = new Map<number, number[]>()
    const key = (i: number): number => (candidates.hashes[i] as number) * 16 + (candidates.kinds[i] as number)
    candidates.hashes.forEach((_, i) => {
      owners.set(key(i), [...(owners.get(key(i)) ?? []), i])
    })
    const byLast = new Map([...owners.values()].map((list) => [list.at(-1) as number, list]))
    const work = {
      match: matcher(candidates, new Set()),
      owners: byLast,
      last: new Int32Array(candidates.hashes.length).fill(-1),
      row: 0,
    }
    works.set(state, work)
    return work
  }
  return {
    id: `answer-phrases/${shortDigest({ ...options })}`,
    version: 1,
    needs: ['text', 'response'],
    after: [clustersId],
    over: 'subject',
    init(c) {
      const n = chosen(c).hashes.length
      return { records: new Uint32Array(n), withAnswer: new Uint32Array(n), words: Array.from({ length: n }, () => '') }
    },
    update(c, state, batch: Batch) {
      const text = tokensOf(batch, 'text', c.seed)
      const response = tokensOf(batch, 'response', c.seed)
      if (!text || !response || state.records.length === 0) return
      const { clusters } = chosen(c)
      const work = works.get(state) ?? open(c, state)
      for (let i = 0; i < batch.numRows; i++) {
        const row = work.row++
        const opening = openingOf(response.row(i))
        const prompt = text.row(i)
        work.match(prompt.hashes, prompt.count, (found, from, to) => {
          if (work.last[found] === row) return
          work.last[found] = row
          for (const at of work.owners.get(found) ?? []) {
            state.records[at] = (state.records[at] as number) + 1
            if (clusters[at]?.opening === opening) state.withAnswer[at] = (state.withAnswer[at] as number) + 1
            const words = wordsOf(prompt, from, to)
            if (state.words[at] === '' || words < (state.words[at] as string)) state.words[at] = words
          }
        })
      }
    },
    merge(into, from) {
      for (let i = 0; i < into.records.length; i++) {
        into.records[i] = (into.records[i] as number) + (from.records[i] as number)
        into.withAnswer[i] = (into.withAnswer[i] as number) + (from.withAnswer[i] as number)
      }
      into.words = into.words.map((w, i) => [w, from.words[i] as string].filter((x) => x !== '').sort()[0] ?? '')
    },
    finish(c, state) {
      const summary = c.summaries.get<AnswerClusters>(clustersId)
      const candidates = chosen(c)
      const judged = candidates.clusters.map((cluster, i): AnswerPhrase => {
        const [records, withAnswer] = [state.records[i] as number, state.withAnswer[i] as number]
        const logP = logHypergeometricUpper(
          withAnswer,
          summary.records,
          Math.min(summary.records, cluster.records),
          Math.min(records, summary.records),
        )
        return {
          words: state.words[i] as string,
          hash: candidates.hashes[i] as number,
          kind: candidates.kinds[i] as number,
          cluster,
          records,
          withAnswer,
          logP: Math.min(0, logP + Math.log(candidates.clusters.length)),
        }
      })
      judged.sort((a, b) => a.logP - b.logP || b.kind - a.kind || a.hash - b.hash)
      const best = judged.filter(
        (p, i) => judged.findIndex((q) => q.cluster.opening === p.cluster.opening && isTrigger(q) === isTrigger(p)) === i,
      )
      const phrases = best.filter(isTrigger)
      return {
        records: summary.records,
        repeated: summary.repeated,
        clusters: summary.clusters.length,
        counted: judged.length,
        phrases,
        runnerUp: best.find((p) => !isTrigger(p) && !phrases.some((q) => q.cluster.opening === p.cluster.opening)) ?? null,
      }
    },
    bytes: () => 2 ** 22,
  }
}
