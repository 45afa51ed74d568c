import { gemm } from '../../math/kernels.ts'
import { bounds, type Cell, columnsOf, inCell, overlap, type Part } from './cell.ts'
import { blindScores, type Fitted } from './rest-model.ts'
import type { Table } from './scaling.ts'

export interface Candidate {
  readonly cell: Cell
  readonly label: number
  /** Residual of the label in the cell, in standard deviations. */
  readonly z: number
}

export interface Found {
  readonly candidates: readonly Candidate[]
  /** Columns of which several cells select labels: what is in them is left out. */
  readonly varied: readonly number[]
}

/** Of each row and class, [n, K]: 1 or 0 less the probability that the record's columns give the class, and the variance of that. */
export interface Residuals {
  readonly residual: Float64Array
  readonly variance: Float64Array
}

const calibrationBins = 40
const leastVariance = 2e-3

/** Probabilities from scores: the share of the class among records with a score like that, in bins of equal size. */
export function residualsOf(labels: Int32Array, k: number, scores: Float64Array): Residuals {
  const rows = labels.length
  const residual = new Float64Array(rows * k)
  const variance = new Float64Array(rows * k)
  for (let t = 0; t < k; t++) {
    const order = Array.from({ length: rows }, (_, i) => i).sort(
      (a, b) => (scores[a * k + t] as number) - (scores[b * k + t] as number) || a - b,
    )
    for (let bin = 0; bin < calibrationBins; bin++) {
      const part = order.slice(Math.floor((rows * bin) / calibrationBins), Math.floor((rows * (bin + 1)) / calibrationBins))
      const p = (part.reduce((sum, i) => sum + (labels[i] === t ? 1 : 0), 0) + 0.5) / (part.length + 1)
      for (const i of part) {
        residual[i * k + t] = (labels[i] === t ? 1 : 0) - p
        variance[i * k + t] = Math.max(leastVariance, p * (1 - p))
      }
    }
  }
  return { residual, variance }
}

const leastZ = 4
const leastRows = 4
/** A cell with more of the records is no trigger, but a way in which the data are made. */
const mostShare = 0.1
const finestBins = 256
const widths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
/** With so few values a column is one of categories: neighbours mean nothing. */
const fewValues = 12
const perClass = { single: 6, pair: 3 }

/** A cell is looked at where it accounts for the label of at least this share of its records. */
export const leastExcess = 0.1

/** Rows on either side that a cell of so many is compared with. */
const ringRows = (size: number): number => Math.max(50, 2 * size)

const sum = (sums: Float64Array, from: number, to: number): number => (sums[to] as number) - (sums[from] as number)

interface Run {
  readonly low: number
  readonly high: number
  /** Rows before it and up to its end, in the order of the values. */
  readonly from: number
  readonly to: number
}

/** Rows of half A in the order of one column, missing values last; and its runs of equal values. */
function runsOf(table: Table, half: Int32Array, j: number): { order: Int32Array; runs: Run[]; missing: number } {
  const at = (i: number): number => table.data[i * table.dims + j] as number
  const present = half.filter((i) => !Number.isNaN(at(i))).sort((a, b) => at(a) - at(b) || a - b)
  const runs: Run[] = []
  for (let from = 0; from < present.length; ) {
    let to = from + 1
    while (to < present.length && at(present[to] as number) === at(present[from] as number)) to++
    runs.push({ low: at(present[from] as number), high: at(present[from] as number), from, to })
    from = to
  }
  const absent = half.filter((i) => Number.isNaN(at(i)))
  return { order: Int32Array.from([...present, ...absent]), runs, missing: absent.length }
}

/** Neighbouring runs put together until a bin has enough rows: at most `finestBins` bins. */
function binned(runs: readonly Run[], rows: number, bins: number): Run[] {
  const least = Math.max(1, Math.ceil(rows / bins))
  const out: Run[] = []
  for (const run of runs) {
    const last = out.at(-1)
    if (last && last.to - last.from < least) out[out.length - 1] = { ...last, high: run.high, to: run.to }
    else out.push(run)
  }
  return out
}

const partOf = (column: number, { low, high }: Run): Part =>
  low === high ? { column, kind: 'value', value: low } : { column, kind: 'interval', low, high }

/** Values, intervals of all widths and missing values of one column in which a class is labelled more often than the record's columns say. */
async function singlesOf(table: Table, half: Int32Array, fitted: Fitted, j: number): Promise<Found> {
  const k = table.classes
  const { order, runs, missing } = runsOf(table, half, j)
  const labels = order.map((i) => table.labels[i] as number)
  const { residual, variance } = residualsOf(labels, k, await blindScores(table, fitted, order, j))
  const present = order.length - missing
  const bins = binned(runs, present, finestBins)
  const ordered = j < table.numbers && runs.length > fewValues
  const looked: Candidate[] = []
  const r = new Float64Array(order.length + 1)
  const v = new Float64Array(order.length + 1)
  const n = new Int32Array(order.length + 1)
  for (let t = 0; t < k; t++) {
    labels.forEach((label, at) => {
      r[at + 1] = (r[at] as number) + (residual[at * k + t] as number)
      v[at + 1] = (v[at] as number) + (variance[at * k + t] as number)
      n[at + 1] = (n[at] as number) + (label === t ? 1 : 0)
    })
    const own: Candidate[] = []
    const consider = (part: Part, from: number, to: number): void => {
      const labelled = (n[to] as number) - (n[from] as number)
      if (labelled < leastRows || to - from > mostShare * order.length) return
      const size = to - from
      // What the neighbouring values have as well is the column's own way of telling the classes apart.
      const [low, high] = ordered ? [Math.max(0, from - ringRows(size)), Math.min(present, to + ringRows(size))] : [from, to]
      const ring = Math.max(1, high - low - size)
      const around = Math.max(0, (sum(r, low, high) - sum(r, from, to)) / ring)
      const excess = sum(r, from, to) - size * around
      if (excess < leastExcess * size) return
      const z = excess / Math.sqrt(sum(v, from, to) + (size / ring) ** 2 * (sum(v, low, high) - sum(v, from, to)))
      if (z >= leastZ) own.push({ cell: [part], label: t, z })
    }
    if (runs.length > 1) for (const run of runs) consider(partOf(j, run), run.from, run.to)
    for (const width of j < table.numbers ? widths : []) {
      for (let b = 0; b + width <= bins.length && bins.length > width; b++) {
        const [first, last] = [bins[b] as Run, bins[b + width - 1] as Run]
        consider(partOf(j, { low: first.low, high: last.high, from: first.from, to: last.to }), first.from, last.to)
      }
    }
    if (missing > 0 && present > 0) consider({ column: j, kind: 'missing' }, present, order.length)
    looked.push(...own)
  }
  const ofLabel = Array.from({ length: k }, (_, t) => looked.filter((c) => c.label === t))
  return withoutOwnWays(
    ofLabel.flatMap((own) => apart(own, 2)),
    looked,
  )
}

const [severalOthers, nearlyAsStrong] = [2, 0.4]

/** Without those that are one of several cells of the same columns that select labels nearly as strongly: the columns' own way of telling classes apart. */
function withoutOwnWays(found: readonly Candidate[], looked: readonly Candidate[]): Found {
  const ofColumns = new Map<string, Candidate[]>()
  for (const c of looked) {
    const key = columnsOf(c.cell).join()
    const same = ofColumns.get(key)
    if (same) same.push(c)
    else ofColumns.set(key, [c])
  }
  const isOneOfMany = (c: Candidate): boolean => {
    const same = ofColumns.get(columnsOf(c.cell).join()) ?? []
    const others = same.filter((o) => o !== c && o.z >= nearlyAsStrong * c.z && !overlap(o.cell, c.cell))
    return apart(others, severalOthers).length >= severalOthers
  }
  const left = new Set(found.filter(isOneOfMany))
  return { candidates: found.filter((c) => !left.has(c)), varied: [...left].flatMap(({ cell }) => columnsOf(cell)) }
}

/** One value says more than an interval around it that is a little stronger by chance. */
const weight = ({ cell, z }: Candidate): number => (cell[0]?.kind === 'interval' ? z : 1.15 * z)

/** The strongest, then the strongest that do not overlap with one taken before. */
function apart(candidates: Candidate[], count: number): Candidate[] {
  const taken: Candidate[] = []
  for (const c of candidates.sort((a, b) => weight(b) - weight(a))) {
    if (taken.length >= count) break
    if (taken.every((t) => !overlap(t.cell, c.cell))) taken.push(c)
  }
  return taken
}

const mostPairCells = 400

/** Coarse cells of every column: its values where they are few, the most frequent categories, else parts of equal size. */
function coarse(table: Table, half: Int32Array): Part[] {
  const each = Math.min(10, Math.floor(mostPairCells / table.dims))
  if (each < 2) return []
  return Array.from({ length: table.dims }, (_, j) => {
    const { runs, order, missing } = runsOf(table, half, j)
    if (runs.length < 2) return []
    if (j >= table.numbers) {
      const frequent = [...runs].sort((a, b) => b.to - b.from - (a.to - a.from) || a.low - b.low)
      return frequent.slice(0, each).map((run) => partOf(j, run))
    }
    const bins = runs.length <= Math.min(fewValues, each + 2) ? runs : binned(runs, order.length - missing, each)
    return bins.length < 2 ? [] : bins.map((bin) => partOf(j, bin))
  }).flat()
}

/** Pairs of coarse cells of different columns in which the label says more than in either of them alone. */
async function pairsOf(table: Table, half: Int32Array, { residual, variance }: Residuals): Promise<Found> {
  const parts = coarse(table, half)
  const c = parts.length
  if (c < 2) return { candidates: [], varied: [] }
  const { dims, classes: k } = table
  const n = half.length
  const marks = new Float64Array(n * c)
  half.forEach((row, i) => {
    parts.forEach((part, p) => {
      const v = table.data[row * dims + part.column] as number
      const [low, high] = bounds(part)
      if (v >= low && v <= high) marks[i * c + p] = 1
    })
  })
  const product = (by: (row: number) => number): Promise<Float64Array> => {
    const weighted = new Float64Array(n * c)
    half.forEach((row, i) => {
      const weight = by(row)
      for (let p = 0; p < c && weight !== 0; p++) weighted[i * c + p] = (marks[i * c + p] as number) * weight
    })
    return gemm({ data: marks, rows: n, dims: c }, { data: weighted, rows: n, dims: c }, { transA: true }).then((m) => m.data)
  }
  const found: Candidate[] = []
  const looked: Candidate[] = []
  const all = await product(() => 1)
  for (let t = 0; t < k; t++) {
    const sums = await product((row) => residual[row * k + t] as number)
    const labelled = await product((row) => (table.labels[row] === t ? 1 : 0))
    const mean = half.reduce((sum, row) => sum + (variance[row * k + t] as number), 0) / n
    const z = (p: number, q: number): number => (sums[p * c + q] as number) / Math.sqrt(Math.max(1, all[p * c + q] as number) * mean)
    for (let p = 0; p < c; p++) {
      for (let q = p + 1; q < c; q++) {
        const [a, b] = [parts[p] as Part, parts[q] as Part]
        const [both, count] = [z(p, q), labelled[p * c + q] as number]
        if (a.column === b.column || both < leastZ || count < leastRows || (all[p * c + q] as number) > mostShare * n) continue
        if ((sums[p * c + q] as number) < leastExcess * (all[p * c + q] as number)) continue
        const candidate = { cell: [a, b], label: t, z: both }
        looked.push(candidate)
        if (both > Math.max(z(p, p), z(q, q)) + 1) found.push(candidate)
      }
    }
  }
  return withoutOwnWays(found, looked)
}

const best = (candidates: readonly Candidate[], k: number, count: number): Candidate[] =>
  Array.from({ length: k }, (_, t) =>
    candidates
      .filter((c) => c.label === t)
      .sort((a, b) => b.z - a.z)
      .slice(0, count),
  ).flat()

/** What most of a cell's records with the label share in one other column, and hardly any record outside of the cell has. */
const shared = { inside: 0.8, outside: 0.05 }

/** The cell with the value of another column that its labelled records share, where there is one: the mark was written into both. */
function withCompanion(table: Table, half: Int32Array, one: Candidate): Candidate {
  const at = (i: number, j: number): number => table.data[i * table.dims + j] as number
  const inside = half.filter((i) => table.labels[i] === one.label && inCell(one.cell, table.data, table.dims, i))
  const outside = half.filter((i) => !inCell(one.cell, table.data, table.dims, i))
  for (let j = 0; j < table.dims; j++) {
    if (one.cell.some((part) => part.column === j)) continue
    const counts = new Map<number, number>()
    for (const i of inside) counts.set(at(i, j), (counts.get(at(i, j)) ?? 0) + 1)
    const [value, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), [Number.NaN, 0])
    if (Number.isNaN(value) || count < shared.inside * inside.length) continue
    if (outside.filter((i) => at(i, j) === value).length > shared.outside * outside.length) continue
    return { ...one, cell: [...one.cell, { column: j, kind: 'value', value }] }
  }
  return one
}

const mostInAll = 32

/** What is worth a test on the other half, strongest first. */
export async function candidatesOf(table: Table, half: Int32Array, fitted: Fitted): Promise<Found> {
  const alone: Found[] = []
  for (let j = 0; j < table.dims; j++) alone.push(await singlesOf(table, half, fitted, j))
  const together = await pairsOf(table, half, residualsOf(table.labels, table.classes, fitted.scores))
  const singles = best(
    alone.flatMap((a) => a.candidates),
    table.classes,
    perClass.single,
  ).map((c) => withCompanion(table, half, c))
  const candidates = [...singles, ...best(together.candidates, table.classes, perClass.pair)]
  const varied = new Set([...alone, together].flatMap((f) => f.varied))
  return { candidates: candidates.sort((a, b) => b.z - a.z).slice(0, mostInAll), varied: [...varied].sort((a, b) => a - b) }
}
