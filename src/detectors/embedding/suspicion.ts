import type { Batch, Column } from '../../contracts/data.ts'
import type { Scored, Setup, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import { discover } from '../label-flip/threshold.ts'

export const vectorRole = (roles: readonly Column[]): 'embedding' | 'features' | null =>
  roles.includes('embedding') ? 'embedding' : roles.includes('features') ? 'features' : null

/** Why a detector that reads vectors cannot run; null where it can. */
export function missingVectors(setup: Setup, needsLabel: boolean): string | null {
  if (!vectorRole(setup.subject)) return 'there are no vectors: no column has the role embedding, features, text or image'
  return needsLabel && !setup.subject.includes('label') ? 'no column has the role label' : null
}

/** A record's suspicion u, in units of which 2 % of the sample reach 1, as a score in 0..1: 1 is .75. Monotone, never 1. */
export const scoreOf = (u: number): number => (1 + u / (1 + Math.abs(u))) / 2
export const suspicionIn = (score: number): number => {
  const t = 2 * score - 1
  return t / (1 - Math.abs(t))
}

/** Below this many units nothing is flagged for review: a quiet data set has no flags. */
export const leastSuspicion = 1.5

/** What a scorer says of a batch beyond its scores. */
export interface Suspected extends Scored {
  /** Names of the numbers that `detail` gives. */
  readonly parts: readonly string[]
  /** Id of the statistic behind the scores. */
  readonly fitId: string
  /** Row i, its class (null without a label), its place on the map, and the most frequent label around it. */
  detail(i: number): Omit<Suspect, 'score' | 'group'>
  /** Size of the calibration set; p-values are multiples of 1 / (calibration + 1). 0 without one. */
  readonly calibration: number
}

/** One of the most suspicious records. */
export interface Suspect {
  readonly name: string | null
  readonly score: number
  readonly x: number
  readonly y: number
  readonly parts: readonly number[]
  /** The most frequent label among its neighbours, and its share of them; null where that is not known. */
  readonly near: string | null
  /** Label of the record's group, where it stands apart with others. */
  readonly group: string | null
}

export const scoreBins = 4096

/** Of what the vectors consist, where classes fall into parts without any poison: counts of the texts' words, or columns of the data. */
export type Parted = 'words' | 'columns'

interface State {
  rows: number
  /** Of scores in 0..1. */
  histogram: Float64Array
  /** Records with p-value (r + 1) / length. */
  ranks: Float64Array
  fitId: string
  parted: Parted | null
  parts: readonly string[]
  top: Suspect[]
  /** The strongest that stand apart with their group. */
  members: Suspect[]
  /** Records by group. */
  groups: Record<string, number>
}

export interface SuspicionTally {
  readonly rows: number
  readonly histogram: Float64Array
  readonly ranks: Float64Array
  readonly fitId: string
  readonly parted: Parted | null
  readonly parts: readonly string[]
  readonly top: readonly Suspect[]
  readonly members: readonly Suspect[]
  readonly groups: Readonly<Record<string, number>>
}

const kept = 400

/** By everything that is kept of them, so that equal lists are in equal order. */
const stronger = (a: Suspect, b: Suspect): number =>
  b.score - a.score || compare(a.name ?? '', b.name ?? '') || a.x - b.x || a.y - b.y || compare(a.parts.join(), b.parts.join())
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const trimmed = (list: readonly Suspect[]): Suspect[] => [...list].sort(stronger).slice(0, kept)

/** A full list's last score: weaker records need not be looked at. */
const floorOf = (list: readonly Suspect[]): number => (list.length === kept ? (list[kept - 1] as Suspect).score : Number.NEGATIVE_INFINITY)

/** Integers, and the strongest records: the same for every order of merging. */
export const suspicionTally: Tally<State, SuspicionTally> = {
  init: () => ({
    rows: 0,
    histogram: new Float64Array(scoreBins),
    ranks: new Float64Array(0),
    fitId: '',
    parted: null,
    parts: [],
    top: [],
    members: [],
    groups: {},
  }),
  update(_: Context, state: State, batch: Batch, scored: Scored) {
    const { score, pValue, calibration, parts, detail, group, fitId } = scored as Suspected
    if (state.ranks.length === 0 && calibration > 0) state.ranks = new Float64Array(calibration + 1)
    state.parts = parts
    state.fitId = fitId
    state.parted ??= partedBy(batch)
    const groups = new Map(Object.entries(state.groups))
    const [topFloor, memberFloor] = [floorOf(state.top), floorOf(state.members)]
    for (let i = 0; i < batch.numRows; i++) {
      const s = score[i] as number
      if (Number.isNaN(s)) continue
      state.rows++
      bump(state.histogram, Math.min(scoreBins - 1, Math.floor(s * scoreBins)))
      if (pValue && !Number.isNaN(pValue[i])) bump(state.ranks, Math.round((pValue[i] as number) * state.ranks.length) - 1)
      const member = group ? (group.values[group.codes[i] as number] ?? null) : null
      if (member !== null) groups.set(member, (groups.get(member) ?? 0) + 1)
      const isTop = s >= topFloor
      const isMember = member !== null && s >= memberFloor
      if (!isTop && !isMember) continue
      const suspect = { ...detail(i), score: s, group: member }
      if (isTop) state.top.push(suspect)
      if (isMember) state.members.push(suspect)
    }
    state.groups = sorted(groups)
    state.top = trimmed(state.top)
    state.members = trimmed(state.members)
  },
  merge(into: State, from: State) {
    into.rows += from.rows
    for (let i = 0; i < scoreBins; i++) into.histogram[i] = (into.histogram[i] as number) + (from.histogram[i] as number)
    if (into.ranks.length === 0) into.ranks = from.ranks.slice()
    else for (let i = 0; i < from.ranks.length; i++) into.ranks[i] = (into.ranks[i] as number) + (from.ranks[i] as number)
    into.parted ??= from.parted
    if (into.fitId === '') Object.assign(into, { parts: from.parts, fitId: from.fitId })
    into.top = trimmed([...into.top, ...from.top])
    into.members = trimmed([...into.members, ...from.members])
    const groups = new Map(Object.entries(into.groups))
    for (const [name, n] of Object.entries(from.groups)) groups.set(name, (groups.get(name) ?? 0) + n)
    into.groups = sorted(groups)
  },
  finish: (_: Context, state: State) => state,
}

function partedBy(batch: Batch): Parted | null {
  const embedding = batch.schema.fields.find((f) => f.name === 'embedding')
  if (!embedding) return 'columns'
  return embedding.metadata.get('made') === 'hashed-text' ? 'words' : null
}

const bump = (counts: Float64Array, at: number): void => {
  counts[at] = (counts[at] as number) + 1
}

const sorted = (groups: ReadonlyMap<string, number>): Record<string, number> =>
  Object.assign(Object.create(null), Object.fromEntries([...groups].sort(([a], [b]) => compare(a, b))))

/** A budget of fewer records flags none: in a small set the strongest few are always the ordinary end of the tail. */
const leastBudget = 5

/** The smallest score from which at most `budget` of the records lie, and of at least `leastSuspicion`; null where that is none. */
export function cutWithin(tally: SuspicionTally, budget: number): number | null {
  const most = Math.floor(budget * tally.rows)
  const floor = scoreOf(leastSuspicion)
  let above = 0
  let bin = scoreBins - 1
  for (; bin >= 0 && bin / scoreBins >= floor; bin--) {
    above += tally.histogram[bin] as number
    if (above > most) break
  }
  const cut = Math.max((bin + 1) / scoreBins, floor)
  return cut < 1 && most >= leastBudget ? cut : null
}

/** Records in the bins from a score on. */
export const recordsFrom = ({ histogram }: SuspicionTally, score: number): number =>
  histogram.reduce((sum, n, bin) => (bin / scoreBins >= score ? sum + n : sum), 0)

/** Rows flagged under a false discovery rate: the score above which p is at most that of Benjamini and Hochberg; null where none is. */
export function cutByRanks(tally: SuspicionTally, calibration: Float64Array, fdr: number): number | null {
  const { cut } = discover(tally.ranks, fdr)
  if (cut === 0) return null
  const rank = Math.round(cut * (calibration.length + 1))
  const bound = calibration[calibration.length - rank] ?? Number.NEGATIVE_INFINITY
  return Number.isFinite(bound) ? scoreOf(bound + Math.max(1, Math.abs(bound)) * 2 ** -40) : 0
}

/** 0 for a record of a class that is too small to judge: nothing stands out there. NaN without a label. */
export const quietScores = (labels: Int32Array): Float64Array => Float64Array.from(labels, (code) => (code === -1 ? Number.NaN : 0))

export const unscored =
  (fitId: string) =>
  (batch: Batch): Suspected => ({
    score: new Float64Array(batch.numRows),
    parts: [],
    fitId,
    detail: () => ({ name: null, x: 0, y: 0, parts: [], near: null }),
    calibration: 0,
  })
