import { binomialLower, binomialUpper } from '../../math/tests.ts'
import { type Candidate, leastExcess } from './candidates.ts'
import { type Cell, inCell, inPart } from './cell.ts'
import { strangeAmong } from './exchange.ts'
import { type Fourier, fitRest, leadOf, type RestModel } from './rest-model.ts'
import { type Scaling, scaledValue, type Table } from './scaling.ts'

/** A candidate with its test on the half of the sample that did not choose it. */
export interface Tested {
  readonly cell: Cell
  readonly label: number
  /** Records of the test half in the cell; with the label; of those, the ones whose other columns say the label too. */
  readonly carriers: number
  readonly labelled: number
  readonly agreeing: number
  /** Outside of the cell: records with the label, the others, and those of either whose other columns say the label. */
  readonly own: number
  readonly ownAgree: number
  readonly others: number
  readonly othersAgree: number
  /** Share of the cell's records that would have the label by their other columns. */
  readonly foreseen: number
  /** How well the other columns foretell the cell: the chance that they put a record of it nearer to it than one of another label. */
  readonly foretold: number
  /** How far its records whose other columns contradict the label lie from other records that say the same: 0 not at all, 1 a tight group. */
  readonly strange: number
  /** Before any correction: the larger of both tests. */
  readonly p: number
  readonly model: RestModel
  /** The other columns say the label where the lead of its score is above this. */
  readonly cut: number
}

/** The lead at which "the label" is said most often of records with it, and least often of others (Youden's J). */
function bestCut(leads: readonly { readonly lead: number; readonly own: boolean }[]): number {
  const sorted = [...leads].sort((a, b) => a.lead - b.lead)
  const own = sorted.filter((s) => s.own).length
  const others = sorted.length - own
  let [ownBelow, othersBelow, most, cut] = [0, 0, 0, 0]
  for (const [i, { lead, own: isOwn }] of sorted.entries()) {
    if (isOwn) ownBelow++
    else othersBelow++
    const next = sorted[i + 1]?.lead
    if (next === lead || next === undefined) continue
    const j = othersBelow / others - ownBelow / own
    if (j > most) [most, cut] = [j, (lead + next) / 2]
  }
  return cut
}

/** Below this the other columns do not tell the classes apart, and cannot contradict. */
const leastDifference = 0.3
/** Contradicted where the label is said less often than this far on the way from everybody else to the label's own records. */
const tolerated = 2 / 3

/** Above this the cell goes with the rest of its records: what stands there is natural. */
const mostForetold = 0.75

/** A label that most records have is selected only by a cell in which it is more frequent still, by this level, whatever was foreseen. */
const most = { frequent: 0.7, natural: 0.05 }

/** Above this the records are a group of their own, and no random part of the others: a way in which the data are made. */
const mostStrange = 0.1

const saidOf = (scores: Float64Array, i: number, k: number): number => {
  let best = 0
  for (let c = 1; c < k; c++) if ((scores[i * k + c] as number) > (scores[i * k + best] as number)) best = c
  return best
}

/** What is foretold of a part of the cell: the scaled number, or 1 where a record has the category and 0 where not. */
const markOf =
  ({ data, dims, numbers }: Table, scaling: Scaling, cell: Cell) =>
  (row: number, l: number): number => {
    const part = cell[l] as Cell[number]
    const v = data[row * dims + part.column] as number
    return part.column < numbers ? scaledValue(scaling, v, part.column) : Number(inPart(part, v))
  }

/** Mean of the marks of the cell's records with the label. */
function centreOf(half: Int32Array, isIn: (row: number) => boolean, parts: number, mark: (row: number, l: number) => number): Float64Array {
  const sum = new Float64Array(parts)
  let count = 0
  for (const i of half) {
    if (!isIn(i)) continue
    count++
    for (let l = 0; l < parts; l++) sum[l] = (sum[l] as number) + mark(i, l)
  }
  return sum.map((v) => v / Math.max(1, count))
}

const chanceBins = 40

/** Mean over `leads` of the share of the label among records with a lead like that. */
function meanChance(learned: { readonly lead: number; readonly own: boolean }[], leads: readonly number[]): number {
  const sorted = learned.sort((a, b) => a.lead - b.lead)
  const bins = Array.from({ length: chanceBins }, (_, b) => {
    const part = sorted.slice(Math.floor((sorted.length * b) / chanceBins), Math.floor((sorted.length * (b + 1)) / chanceBins))
    return { upTo: part.at(-1)?.lead ?? Number.NEGATIVE_INFINITY, chance: (part.filter((s) => s.own).length + 0.5) / (part.length + 1) }
  })
  const chance = (lead: number): number => (bins.find((b) => lead <= b.upTo) ?? (bins.at(-1) as (typeof bins)[0])).chance
  return leads.reduce((sum, lead) => sum + chance(lead), 0) / Math.max(1, leads.length)
}

/** Chance that a number of the first list is smaller than one of the second, ties counted half; .5 where a list is empty. */
function auc(first: readonly number[], second: readonly number[]): number {
  if (first.length === 0 || second.length === 0) return 0.5
  const sorted = Float64Array.from(second).sort()
  const below = (v: number, orEqual: boolean): number => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sorted[middle] as number) < v || (orEqual && sorted[middle] === v)) low = middle + 1
      else high = middle
    }
    return low
  }
  const sum = first.reduce((total, v) => total + sorted.length - (below(v, false) + below(v, true)) / 2, 0)
  return sum / (first.length * sorted.length)
}

/**
 * Two tests on the records of half B. Association: the label is more frequent in the cell than the other
 * columns of its records say (binomial).
 * Contradiction: of the cell's records with the label, fewer than two thirds of the way from all others to the label's own records are such
 * that their other columns say the label (binomial). A value that is typical of a class goes with the other columns of that class; a
 * trigger sits on records of any class. The model is fitted without the cell's columns and without its records.
 */
export async function confirm(
  table: Table,
  half: Int32Array,
  inHalf: Uint8Array,
  scaling: Scaling,
  fourier: Fourier,
  candidate: Candidate,
): Promise<Tested> {
  const { cell, label } = candidate
  const { rows, dims, classes: k, labels } = table
  const apart = Uint8Array.from({ length: rows }, (_, i) => (inCell(cell, table.data, dims, i) ? 1 : 0))
  const left = cell.map((part) => part.column)
  const mark = markOf(table, scaling, cell)
  const { model, scores, foretold } = await fitRest(table, scaling, fourier, left, apart, mark)
  const lead = (i: number): number => leadOf(scores, i, k, label)
  const carriers: number[] = []
  const learning: { lead: number; own: boolean }[] = []
  const learned: { lead: number; own: boolean }[] = []
  for (let i = 0; i < rows; i++) if (!apart[i]) (inHalf[i] ? learned : learning).push({ lead: lead(i), own: labels[i] === label })
  const cut = bestCut(learning)
  const counts = { carriers: 0, labelled: 0, agreeing: 0, own: 0, ownAgree: 0, others: 0, othersAgree: 0 }
  const near: { readonly inside: number[]; readonly outside: number[] } = { inside: [], outside: [] }
  const centre = centreOf(half, (i) => apart[i] === 1 && labels[i] === label, cell.length, mark)
  for (const i of half) {
    const isOwn = labels[i] === label
    if (isOwn === (apart[i] === 1)) {
      const distance = left.reduce((sum, _, l) => sum + Math.abs((foretold[i * left.length + l] as number) - (centre[l] as number)), 0)
      ;(isOwn ? near.inside : near.outside).push(distance)
    }
    const [own, agrees] = [labels[i] === label, lead(i) > cut]
    if (apart[i]) {
      carriers.push(lead(i))
      counts.carriers++
      if (own) counts.labelled++
      if (own && agrees) counts.agreeing++
    } else if (own) {
      counts.own++
      if (agrees) counts.ownAgree++
    } else {
      counts.others++
      if (agrees) counts.othersAgree++
    }
  }
  const agreeInside = counts.ownAgree / Math.max(1, counts.own)
  const agreeOutside = counts.othersAgree / Math.max(1, counts.others)
  // The sum of unequal chances is less spread than a binomial number with their mean (Hoeffding 1956).
  const foreseen = meanChance(learned, carriers)
  const association = binomialUpper(counts.labelled, counts.carriers, foreseen)
  const contradiction =
    agreeInside - agreeOutside < leastDifference || counts.labelled === 0
      ? 1
      : binomialLower(counts.agreeing, counts.labelled, agreeOutside + tolerated * (agreeInside - agreeOutside))
  const frequency = counts.own / Math.max(1, counts.own + counts.others)
  const selected = frequency <= most.frequent || binomialUpper(counts.labelled, counts.carriers, frequency) < most.natural
  const expected = auc(near.inside, near.outside)
  const against = Array.from({ length: rows }, (_, i) => i).filter((i) => (labels[i] === label) === (apart[i] === 1) && lead(i) <= cut)
  const strange = await strangeAmong(
    table,
    scaling,
    fourier,
    left,
    against.filter((i) => apart[i]),
    against.filter((i) => !apart[i]),
    (i) => saidOf(scores, i, k),
  )
  return {
    cell,
    label,
    carriers: counts.carriers,
    labelled: counts.labelled,
    agreeing: counts.agreeing,
    own: counts.own,
    ownAgree: counts.ownAgree,
    others: counts.others,
    othersAgree: counts.othersAgree,
    foreseen,
    foretold: expected,
    strange,
    p:
      !selected || expected > mostForetold || strange > mostStrange || counts.labelled < (foreseen + leastExcess) * counts.carriers
        ? 1
        : Math.min(1, Math.max(association, contradiction)),
    model,
    cut,
  }
}
