import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { dense } from '../math/counts.ts'
import { shortDigest } from '../math/hash.ts'
import { digestOf, wordsOf } from '../math/tokens.ts'
import { type ResponseOpenings, responseOpenings } from './response-openings.ts'
import { tokensOf } from './text/batch-tokens.ts'
import { overlapOf, sharedPhrases } from './text/cluster-phrases.ts'
import { openingOf } from './text/opening.ts'

/** The same answer to questions that have little in common. */
export interface AnswerCluster {
  readonly opening: number
  readonly words: string
  readonly records: number
  /** Different answers / answers of the sample. */
  readonly answers: number
  readonly sampled: number
  readonly overlap: number
  /** Phrases that many of its questions share: candidates for what selects the answer. */
  readonly phrases: readonly { readonly hash: number; readonly kind: number; readonly prompts: number }[]
}

export interface AnswerClusters {
  readonly records: number
  /** Answers that at least thirty records share, whatever their questions. */
  readonly repeated: number
  readonly clusters: readonly AnswerCluster[]
}

interface Prompt {
  readonly key: number
  readonly answer: number
  readonly tokens: Int32Array
}
interface Cluster {
  readonly opening: number
  readonly words: string
  readonly records: number
  readonly prompts: readonly Prompt[]
}
interface State {
  /** By opening. */
  clusters: Cluster[]
}

export interface AnswerClustersOptions {
  readonly bits: number
  /** Records that share an answer. */
  readonly least: number
}

const sampledPrompts = 64
const promptTokens = 96
const mostClusters = 2000
const mostOverlap = 0.12
const mostAnswers = 0.1

const works = new WeakMap<
  State,
  {
    readonly cells: Uint8Array | Uint16Array
    readonly clusters: Map<number, { words: string; records: number; prompts: Prompt[] }>
  }
>()

export const answerClustersId = (options: AnswerClustersOptions): string => `answer-clusters/${shortDigest({ ...options })}`

const byKey = (a: Prompt, b: Prompt): number => a.key - b.key || a.answer - b.answer || a.tokens.length - b.tokens.length

/** Fitted after `responseOpenings`: questions by answer, for answers that many records share. */
export function answerClusters(options: AnswerClustersOptions): Statistic<State, AnswerClusters> {
  const openings = responseOpenings({ bits: options.bits })
  return {
    id: answerClustersId(options),
    version: 1,
    needs: ['text', 'response'],
    after: [openings.id],
    over: 'subject',
    init: () => ({ clusters: [] }),
    update(c: Context, state, batch: Batch) {
      const text = tokensOf(batch, 'text', c.seed)
      const response = tokensOf(batch, 'response', c.seed)
      if (!text || !response) return
      const work = works.get(state) ?? {
        cells: dense(c.summaries.get<ResponseOpenings>(openings.id).counts),
        clusters: new Map(),
      }
      works.set(state, work)
      for (let i = 0; i < batch.numRows; i++) {
        const answer = response.row(i)
        const opening = openingOf(answer)
        if (opening === null || (work.cells[opening >>> (32 - options.bits)] as number) < options.least) continue
        let cluster = work.clusters.get(opening)
        if (!cluster) {
          cluster = { words: wordsOf(answer, 0, 10), records: 0, prompts: [] }
          work.clusters.set(opening, cluster)
        }
        cluster.records++
        const prompt = text.row(i)
        const key = digestOf(prompt)
        const last = cluster.prompts[sampledPrompts - 1]
        if (last && key > last.key) continue
        cluster.prompts.push({ key, answer: digestOf(answer), tokens: prompt.hashes.slice(0, Math.min(prompt.count, promptTokens)) })
        cluster.prompts = smallest(cluster.prompts)
      }
    },
    seal(_, state) {
      const work = works.get(state)
      if (work) state.clusters = sorted([...work.clusters].map(([opening, cluster]) => ({ opening, ...cluster })))
    },
    merge(into, from) {
      const all = new Map(into.clusters.map((k) => [k.opening, k]))
      for (const k of from.clusters) {
        const own = all.get(k.opening)
        all.set(k.opening, own ? { ...own, records: own.records + k.records, prompts: smallest([...own.prompts, ...k.prompts]) } : k)
      }
      into.clusters = sorted([...all.values()])
    },
    finish(c, state) {
      const repeated = state.clusters.filter((k) => k.records >= options.least)
      const clusters = repeated.flatMap((k): AnswerCluster[] => {
        const prompts = k.prompts.map((p) => p.tokens)
        const overlap = overlapOf(prompts)
        const answers = new Set(k.prompts.map((p) => p.answer)).size
        if (overlap >= mostOverlap || answers > Math.max(3, mostAnswers * prompts.length)) return []
        const { opening, words, records } = k
        return [{ opening, words, records, answers, sampled: prompts.length, overlap, phrases: sharedPhrases(prompts) }]
      })
      return { records: c.summaries.get<ResponseOpenings>(openings.id).records, repeated: repeated.length, clusters }
    },
    bytes: () => 2 * mostClusters * sampledPrompts * (promptTokens * 4 + 40),
  }
}

const smallest = (prompts: readonly Prompt[]): Prompt[] => [...prompts].sort(byKey).slice(0, sampledPrompts)

/** Where there are more clusters than are kept, those of the smallest keyed hashes. */
const sorted = (clusters: readonly Cluster[]): Cluster[] => [...clusters].sort((a, b) => a.opening - b.opening).slice(0, mostClusters)
