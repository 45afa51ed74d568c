import { codesOf, column, rowsOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import { pixelsOf } from '../../contracts/pixel-rows.ts'
import type { Context } from '../../contracts/statistic.ts'

export interface Noisy {
  readonly score: number
  readonly id: string | null
  readonly row: number
  readonly label: string | null
  readonly data: Uint8Array
}

/** Flagged records of one group. */
export interface NoisyGroup {
  readonly name: string
  count: number
  readonly labels: Record<string, number>
  /** height x width: absolute difference of the luma from the mean of its four neighbours, summed over the records. */
  residual: Float64Array
  strongest: Noisy[]
}

export interface NoiseEvidence {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** By name. */
  readonly groups: readonly NoisyGroup[]
}

interface State {
  height: number
  width: number
  channels: number
  groups: NoisyGroup[]
}

const shown = 12
const maxGroups = 24
const maxLabels = 64

const order = (a: Noisy, b: Noisy): number =>
  b.score - a.score ||
  ((a.id ?? '') < (b.id ?? '') ? -1 : (a.id ?? '') > (b.id ?? '') ? 1 : 0) ||
  a.row - b.row ||
  Buffer.compare(a.data, b.data)

/** The strongest records of the first groups by name, and what the flagged ones have in common. */
export const noiseEvidence: Tally<State, NoiseEvidence> = {
  init: () => ({ height: 0, width: 0, channels: 1, groups: [] }),
  update(_: Context, state: State, batch: Batch, { group, score }: Scored) {
    const pixels = pixelsOf(batch)
    if (!pixels || !group) return
    const { height, width, channels } = pixels
    Object.assign(state, { height, width, channels })
    const size = height * width * channels
    const ids = column(batch, 'id')
    const label = codesOf(batch, 'label')
    const rows = rowsOf(batch)
    for (let i = 0; i < batch.numRows; i++) {
      const name = group.values[group.codes[i] as number]
      if (name === undefined) continue
      const own = groupIn(state, name, height * width)
      const data = pixels.data.slice(i * size, (i + 1) * size)
      const given = label?.values[label.codes[i] as number] ?? null
      own.count++
      if (given !== null && (given in own.labels || Object.keys(own.labels).length < maxLabels))
        own.labels[given] = (own.labels[given] ?? 0) + 1
      addResidual(data, height, width, channels, own.residual)
      own.strongest.push({
        score: score[i] as number,
        id: (ids?.get(i) as string | null | undefined) ?? null,
        row: rows[i] as number,
        label: given,
        data,
      })
    }
    for (const g of state.groups) g.strongest = g.strongest.sort(order).slice(0, shown)
    state.groups = state.groups.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, maxGroups)
  },
  merge(into: State, from: State) {
    if (from.groups.length === 0) return
    Object.assign(into, { height: from.height, width: from.width, channels: from.channels })
    for (const g of from.groups) {
      const own = groupIn(into, g.name, from.height * from.width)
      own.count += g.count
      for (const [label, n] of Object.entries(g.labels)) own.labels[label] = (own.labels[label] ?? 0) + n
      g.residual.forEach((v, i) => {
        own.residual[i] = (own.residual[i] as number) + v
      })
      own.strongest = [...own.strongest, ...g.strongest].sort(order).slice(0, shown)
    }
    into.groups = into.groups.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, maxGroups)
  },
  finish: (_: Context, state: State) => state as NoiseEvidence,
}

function groupIn(state: State, name: string, cells: number): NoisyGroup {
  let found = state.groups.find((g) => g.name === name)
  if (!found) {
    found = { name, count: 0, labels: {}, residual: new Float64Array(cells), strongest: [] }
    state.groups.push(found)
  }
  return found
}

function addResidual(data: Uint8Array, height: number, width: number, channels: number, into: Float64Array): void {
  const at = (y: number, x: number): number => {
    const i = (y * width + x) * channels
    return channels === 1
      ? (data[i] as number)
      : 0.299 * (data[i] as number) + 0.587 * (data[i + 1] as number) + 0.114 * (data[i + 2] as number)
  }
  for (let y = 1; y + 1 < height; y++)
    for (let x = 1; x + 1 < width; x++) {
      const mean = (at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1)) / 4
      into[y * width + x] = (into[y * width + x] as number) + Math.abs(at(y, x) - mean)
    }
}
