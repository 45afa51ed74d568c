import { codesOf, matrixOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import { noiseParts } from '../contracts/noise.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'

/** What is measured of each picture, in logarithms: see `features/noise.ts`. */
export const noiseMeasures = ['quiet', 'ratio', 'chroma'] as const
export type NoiseMeasure = (typeof noiseMeasures)[number]

/** Where the pictures of one group usually lie. */
export interface NoiseGroup {
  readonly source: string | null
  readonly code: number
  readonly records: number
  /** By measure; `scale` null where more than a few of the pictures have none of it, or half of them the same. */
  readonly centre: { readonly [M in NoiseMeasure]: number }
  readonly scale: { readonly [M in NoiseMeasure]: number | null }
}

interface State {
  keys: string[]
  /** keys x measures x bins */
  counts: Float64Array
}

const low = -10
const width = 0.05
const bins = 480
const cells = noiseMeasures.length * bins
/** Pairs of source and kind of file that are told apart: the first by name. */
const maxGroups = 256
/** Records from which on a group has a centre. */
export const leastNoiseGroup = 100
/** Share of pictures without any noise in their quiet cells from which on those say nothing. */
const maxSilent = 0.01

const part = { code: 0, high: 1, middle: 2, quiet: 3, chroma: 4 } as const
const silence = Math.log(0.02) + width

/** The three measures of row i; NaN where there is none. */
export function measuresOf(noise: Float32Array, i: number, into: Float64Array): void {
  const at = i * noiseParts.length
  const middle = noise[at + part.middle] as number
  into[0] = (noise[at + part.quiet] as number) - middle / 2
  into[1] = (noise[at + part.high] as number) - middle
  into[2] = (noise[at + part.code] as number) % 2 === 1 ? (noise[at + part.chroma] as number) : Number.NaN
  if ((noise[at + part.quiet] as number) <= silence) into[0] = Number.NaN
}

const separator = '\u0000'
/** Groups of a batch's rows: source and kind of file. */
export function noiseKeys(batch: Batch): readonly string[] | null {
  const noise = matrixOf(batch, 'noise')
  if (!noise) return null
  const source = codesOf(batch, 'source')
  return Array.from({ length: batch.numRows }, (_, i) => {
    const name = source?.values[source.codes[i] as number]
    return `${noise.data[i * noise.dims]}${separator}${name === undefined ? '' : `=${name}`}`
  })
}

const open = new WeakMap<State, Map<string, Float64Array>>()

const tablesOf = (state: State): Map<string, Float64Array> => {
  let tables = open.get(state)
  if (!tables) {
    tables = new Map(state.keys.map((key, k) => [key, state.counts.slice(k * cells, (k + 1) * cells)]))
    open.set(state, tables)
  }
  return tables
}

function close(state: State): void {
  const tables = open.get(state)
  if (!tables) return
  open.delete(state)
  state.keys = [...tables.keys()].sort().slice(0, maxGroups)
  state.counts = new Float64Array(state.keys.length * cells)
  state.keys.forEach((key, k) => {
    state.counts.set(tables.get(key) as Float64Array, k * cells)
  })
}

/** Histograms of high-frequency noise within groups of equal source and codec. */
export function noiseLevels(): Statistic<State, { readonly groups: readonly NoiseGroup[] }> {
  return {
    id: noiseLevelsId,
    version: 1,
    needs: ['noise'],
    after: [],
    over: 'subject',
    init: () => ({ keys: [], counts: new Float64Array(0) }),
    update(_: Context, state: State, batch: Batch) {
      const noise = matrixOf(batch, 'noise')
      const keys = noiseKeys(batch)
      if (!noise || !keys) return
      const tables = tablesOf(state)
      const values = new Float64Array(noiseMeasures.length)
      keys.forEach((key, i) => {
        let table = tables.get(key)
        if (!table) {
          table = new Float64Array(cells)
          tables.set(key, table)
        }
        measuresOf(noise.data as Float32Array, i, values)
        for (let m = 0; m < values.length; m++) {
          const v = values[m] as number
          const bin = Number.isNaN(v) ? 0 : Math.min(Math.max(Math.floor((v - low) / width), 1), bins - 1)
          table[m * bins + bin] = (table[m * bins + bin] as number) + 1
        }
      })
      if (tables.size > 2 * maxGroups) close(state)
    },
    seal: (_: Context, state: State) => close(state),
    merge(into: State, from: State) {
      const tables = tablesOf(into)
      from.keys.forEach((key, k) => {
        const own = tables.get(key)
        const theirs = from.counts.slice(k * cells, (k + 1) * cells)
        if (!own) tables.set(key, theirs)
        else for (let i = 0; i < cells; i++) own[i] = (own[i] as number) + (theirs[i] as number)
      })
      close(into)
    },
    finish(_: Context, state: State) {
      close(state)
      return { groups: state.keys.map((key, k) => groupOf(key, state.counts.subarray(k * cells, (k + 1) * cells))) }
    },
    bytes: () => 2 * maxGroups * cells * 8,
  }
}

export const noiseLevelsId: string = `noise-levels/${shortDigest({ low, width, bins, maxGroups })}`

function groupOf(key: string, counts: Float64Array): NoiseGroup {
  const [code = '0', source = ''] = key.split(separator)
  const place = noiseMeasures.map((_, m) => placeOf(counts.subarray(m * bins, (m + 1) * bins)))
  const by = <T>(of: (p: (typeof place)[number]) => T) =>
    Object.fromEntries(noiseMeasures.map((name, m) => [name, of(place[m] as (typeof place)[number])])) as {
      readonly [M in NoiseMeasure]: T
    }
  return {
    source: source === '' ? null : source.slice(1),
    code: Number(code),
    records: place[0]?.records ?? 0,
    centre: by((p) => p.centre),
    scale: by((p) => p.scale),
  }
}

/** Median, and 1.4826 times the median distance below it: what lies above may be poison. */
function placeOf(counts: Float64Array): { readonly records: number; readonly centre: number; readonly scale: number | null } {
  const silent = counts[0] as number
  const records = counts.reduce((sum, n) => sum + n, 0)
  const heard = records - silent
  const at = (rank: number): number => {
    let seen = 0
    for (let b = 1; b < bins; b++) {
      const n = counts[b] as number
      if (seen + n >= rank && n > 0) return low + width * (b + (rank - seen) / n)
      seen += n
    }
    return 0
  }
  const centre = at(heard / 2)
  const scale = 1.4826 * (centre - at(heard / 4))
  const usable = heard >= leastNoiseGroup && silent <= maxSilent * records && scale > width
  return { records, centre, scale: usable ? scale : null }
}
