import { scramble } from './patch-hash.ts'
import { logPoissonUpper } from './patches.ts'

export const leastCarriers = 8
/** Natural logarithm of the largest p-value of a spike. */
export const spikeLevel = Math.log(1e-9)
/** By counters that patches share, which count too many at other places: all that comes near is counted exactly. */
const nearLevel = Math.log(1e-4)
const maxCounterBits = 24
const maxCandidates = 100_000
const maxSpikes = 1000
/** A patch may be so many times as frequent as at any other place, and some more. */
const slack = 4
const extra = 2
const ring = [2, 3].flatMap((d) => [-d, 0, d].flatMap((y) => [-d, 0, d].map((x) => [y, x] as const))).filter(([y, x]) => y !== 0 || x !== 0)
/** Rows and columns of the grid, and places along a row or column, at most: as many as every fourth, and as all, of a picture of 32 pixels. */
const gridPlaces = 8
const linePlaces = 32

/** A patch that is far more frequent at its place than at any other. */
export interface Spike {
  /** Its top left corner, y x columns + x. */
  readonly place: number
  readonly hash: number
  /** Most pictures that have it at one other place, or its mirror image at the mirrored one. */
  readonly elsewhere: number
  readonly logSpike: number
  readonly rows: readonly number[]
}

/**
 * Null: too many to count.
 *
 * @param hashesOf of every place of a picture, row by row
 * @param mirrored the mirror images of a picture's patch, each at its own place: what is symmetrical has them
 * @param side of a patch, in pixels: nearer places overlap, and are asked only at a distance of two and three
 */
export function spikesOf(
  rows: number,
  hashesOf: (picture: number) => Float64Array,
  { rows: height, columns }: { readonly rows: number; readonly columns: number },
  side: number,
  mirrored: (picture: number, place: number) => readonly { readonly place: number; readonly hash: number }[],
): Spike[] | null {
  const places = height * columns
  const salts = Int32Array.from({ length: 2 * places }, (_, p) => scramble(p + 1))
  const counterBits = Math.min(maxCounterBits, Math.ceil(Math.log2(Math.max(2, 64 * rows * places))))
  // Two counters each, of which the smaller one counts (count-min; Cormode and Muthukrishnan 2005).
  const counters = new Uint16Array(2 ** counterBits)
  const counters2 = new Uint16Array(2 ** counterBits)
  const cell = (high: number, place: number): number => scramble(high ^ (salts[place] as number)) >>> (32 - counterBits)
  const cell2 = (high: number, place: number): number =>
    scramble(Math.imul(high, 0x9e3779b1) ^ (salts[places + place] as number)) >>> (32 - counterBits)
  const countAt = (high: number, place: number): number => {
    const first = counters[cell(high, place)] as number
    return first === 0 ? 0 : Math.min(first, counters2[cell2(high, place)] as number)
  }
  const add = (to: Uint16Array, at: number): void => {
    const count = to[at] as number
    if (count < 65_535) to[at] = count + 1
  }
  for (let p = 0; p < rows; p++) {
    const hashes = hashesOf(p)
    for (let i = 0; i < places; i++) {
      const high = highOf(hashes[i] as number)
      add(counters, cell(high, i))
      add(counters2, cell2(high, i))
    }
  }
  const known: (readonly number[] | undefined)[] = new Array(places)
  const others = (place: number): readonly number[] => {
    known[place] ??= otherPlaces(place, height, columns, side)
    return known[place]
  }
  const candidates = new Map<number, Map<number, number>>()
  let size = 0
  for (let p = 0; p < rows; p++) {
    const hashes = hashesOf(p)
    for (let i = 0; i < places; i++) {
      const hash = hashes[i] as number
      const high = highOf(hash)
      const n = countAt(high, i)
      if (n < leastCarriers || !others(i).every((other) => n > slack * countAt(high, other) + extra)) continue
      let here = candidates.get(i)
      if (!here) {
        here = new Map()
        candidates.set(i, here)
      }
      const before = here.get(hash)
      here.set(hash, (before ?? 0) + 1)
      if (before === undefined && ++size > maxCandidates) return null
    }
  }
  const near: { place: number; hash: number; rows: number[] }[] = []
  for (const [place, here] of [...candidates].sort(([a], [b]) => a - b))
    for (const [hash, n] of here) {
      const elsewhere = Math.max(0, ...others(place).map((other) => countAt(highOf(hash), other)))
      if (n < leastCarriers || logPoissonUpper(n, slack * elsewhere + extra) >= nearLevel) continue
      near.push({ place, hash, rows: [] })
      if (near.length > maxSpikes) return null
    }
  if (near.length === 0) return []
  const exact = new Map(near.map((s) => [s.hash, new Map<number, number>()]))
  for (let p = 0; p < rows; p++) {
    const hashes = hashesOf(p)
    for (let i = 0; i < places; i++) {
      const counts = exact.get(hashes[i] as number)
      counts?.set(i, (counts.get(i) ?? 0) + 1)
    }
    for (const s of near) if (hashes[s.place] === s.hash) s.rows.push(p)
  }
  return near
    .map((s) => {
      const elsewhere = Math.max(
        ...mirrored(s.rows[0] as number, s.place).map((m) => countAt(highOf(m.hash), m.place)),
        ...others(s.place).map((other) => exact.get(s.hash)?.get(other) ?? 0),
      )
      return { ...s, elsewhere, logSpike: logPoissonUpper(s.rows.length, slack * elsewhere + extra) }
    })
    .filter((s) => s.logSpike < spikeLevel)
}

const highOf = (hash: number): number => Math.floor(hash / 2 ** 20) | 0

/** Other places to look for the same patch, nearest first: edges repeat along rows and columns. */
function otherPlaces(place: number, height: number, columns: number, side: number): number[] {
  const [y, x] = [Math.floor(place / columns), place % columns]
  const out = new Set(
    ring.flatMap(([dy, dx]) => (y + dy >= 0 && x + dx >= 0 && y + dy < height && x + dx < columns ? [place + dy * columns + dx] : [])),
  )
  const add = (v: number, u: number): void => {
    if (Math.abs(v - y) >= side || Math.abs(u - x) >= side) out.add(v * columns + u)
  }
  const [along, down] = [columns, height].map((length) => Math.max(1, Math.ceil(length / linePlaces))) as [number, number]
  for (let v = y % down; v < height; v += down) add(v, x)
  for (let u = x % along; u < columns; u += along) add(y, u)
  const [right, under] = [columns, height].map((length) => Math.max(1, Math.ceil(length / gridPlaces))) as [number, number]
  for (let v = 0; v < height; v += under) for (let u = 0; u < columns; u += right) add(v, u)
  return [...out]
}
