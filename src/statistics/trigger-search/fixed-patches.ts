import type { PixelShape } from '../../contracts/statistic.ts'
import { keyed } from '../../math/rng.ts'
import { logHypergeometricUpper } from '../../math/tests.ts'
import { leastCarriers, spikeLevel, spikesOf } from './fixed-spikes.ts'
import { mirrorsOf, patchAt, patchReader, type Rung } from './patch-hash.ts'
import { bounded, type FoundPatch, type LabelledPictures, noPatches, type PatchSearch } from './patches.ts'
import { type PixelMoments, pixelMoments, type Undo, undoOf } from './recover.ts'
import { type RecoveredPatch, recoverPatch } from './recover-patch.ts'

/** One pixel of one exact value: asked only where labels have their say too. */
const pixel: Rung = { bits: 8, side: 1 }
const leastSide = 6
const ladders: Readonly<Record<1 | 3, readonly Rung[]>> = {
  1: [4, 8].flatMap((bits) => [3, 5].map((side) => ({ bits, side }))),
  3: [2, 8].flatMap((bits) => [3, 5].map((side) => ({ bits, side }))),
}
const maxPatches = 12_000_000
const maxGroups = 5
const leastRatio = 3
const level = { labelled: Math.log(0.01), unlabelled: spikeLevel }
/**
 * Patches, flat ones too, that many pictures have at one place and that are at no other place nearly as frequent: at a distance of two and
 * three pixels, along its row and column, and on a grid over the whole picture; nor are their mirror images at the mirrored places. Labels have no part in that; where there are some, one of them must have the patch
 * more often than chance allows. Coarse and fine values and two sizes are tried; one that leaves more than five marks says nothing: its
 * pictures have patches of their own at fixed places.
 */
export function searchFixedPatches(
  shape: PixelShape,
  labels: readonly LabelledPictures[],
  labelled: boolean,
  seed: Uint8Array,
): PatchSearch {
  const key = keyed(seed, 'fixed patches').uint32()
  const pictures = picturesOf(shape, bounded(shape, labels, maxPatches))
  const least = Math.min(shape.height, shape.width)
  const rungs = [...(labelled && least >= leastSide ? [pixel] : []), ...ladders[shape.channels].filter(({ side }) => least >= 2 * side)]
  const results = rungs.map((rung) => searchAt(pictures, labelled, rung, key, rungs.length)).filter((r) => r !== null)
  const groups = joined(results.flatMap((r) => r.marks))
  const last = results.at(-1)
  if (!last || groups.length > maxGroups) return noPatches
  const found = groups.map(({ rows, rung, mark }) => {
    const own = rows.filter((r) => mark.target === null || pictures.name(r) === mark.target)
    const carriers = own.map((r) => ({ picture: pictures.at(r), corner: mark.corner as number }))
    const undo = mark.target === null ? {} : { undo: undoAt(pictures, rows, mark.target) }
    return { ...mark, ...recoverPatch(shape, rung, carriers, mark.target), ...undo }
  })
  return {
    rung: last.rung,
    patches: results.reduce((sum, r) => sum + r.patches, 0),
    found,
    logP: Math.min(0, ...results.map((r) => r.logP)),
  }
}

/** @param rows pictures that have the patch */
function undoAt({ shape, at, name, rows: all }: AllPictures, rows: readonly number[], target: string): Undo {
  const each = shape.height * shape.width * shape.channels
  const carrying = new Set(rows)
  const momentsOf = (takes: (picture: number) => boolean): PixelMoments => {
    const taken = Array.from({ length: all }, (_, p) => p).filter(takes)
    const pixels = new Uint8Array(taken.length * each)
    taken.forEach((p, i) => {
      pixels.set(at(p), i * each)
    })
    return pixelMoments(pixels, each, taken.keys())
  }
  const carriers = momentsOf((p) => carrying.has(p) && name(p) === target)
  return undoOf(carriers, [momentsOf((p) => !carrying.has(p) && name(p) === target), momentsOf((p) => name(p) !== target)])
}

/** The pictures that carry none of the patches as they are found: with the label and at the place. */
export function withoutFixed(shape: PixelShape, labels: readonly LabelledPictures[], found: readonly FoundPatch[]): LabelledPictures[] {
  const each = shape.height * shape.width * shape.channels
  return labels.map(({ name, rows, pixels }) => {
    const sought = found
      .filter((f) => f.corner !== null && (f.target === null || f.target === name))
      .map((f) => ({ f, reader: patchReader(shape, f.rung, f.key) }))
    if (sought.length === 0) return { name, rows, pixels }
    const row = (r: number) => pixels.subarray(r * each, (r + 1) * each)
    const kept = Array.from({ length: rows }, (_, r) => r).filter(
      (r) => !sought.some(({ f, reader }) => reader.hashOf(patchAt(row(r), shape, f.rung.side, f.corner as number)) === f.hash),
    )
    const out = new Uint8Array(kept.length * each)
    kept.forEach((r, i) => {
      out.set(row(r), i * each)
    })
    return { name, rows: kept.length, pixels: out }
  })
}

interface AllPictures {
  readonly shape: PixelShape
  readonly labels: readonly LabelledPictures[]
  readonly rows: number
  /** Of every picture: its label, and its row among those of the label. */
  readonly label: Int32Array
  readonly row: Int32Array
  readonly at: (picture: number) => Uint8Array
  readonly name: (picture: number) => string
}

function picturesOf(shape: PixelShape, labels: readonly LabelledPictures[]): AllPictures {
  const each = shape.height * shape.width * shape.channels
  const label = Int32Array.from(labels.flatMap((l, i) => new Array<number>(l.rows).fill(i)))
  const row = Int32Array.from(labels.flatMap((l) => Array.from({ length: l.rows }, (_, r) => r)))
  const of = (picture: number) => labels[label[picture] as number] as LabelledPictures
  return {
    shape,
    labels,
    rows: label.length,
    label,
    row,
    at: (p) => of(p).pixels.subarray((row[p] as number) * each, ((row[p] as number) + 1) * each),
    name: (p) => of(p).name,
  }
}

type Mark = Omit<FoundPatch, keyof RecoveredPatch>

interface Group {
  readonly rung: Rung
  readonly mark: Mark
  readonly rows: readonly number[]
}

function searchAt(pictures: AllPictures, labelled: boolean, rung: Rung, key: number, rungs: number) {
  const { height, width } = pictures.shape
  const reader = patchReader(pictures.shape, rung, key, 0)
  const size = { rows: height - rung.side + 1, columns: width - rung.side + 1 }
  const places = size.rows * size.columns
  const patches = pictures.rows * places
  const mirrored = (picture: number, place: number) => {
    const [y, x] = [Math.floor(place / size.columns), place % size.columns]
    const patch = patchAt(pictures.at(picture), pictures.shape, rung.side, y * width + x)
    const [v, u] = [size.rows - 1 - y, size.columns - 1 - x]
    return mirrorsOf(patch, rung.side, pictures.shape.channels)
      .map((copy, i) => ({
        hash: reader.hashOf(copy),
        place: [y * size.columns + u, v * size.columns + x, v * size.columns + u][i] as number,
      }))
      .filter((m) => m.place !== place)
  }
  const spikes = spikesOf(pictures.rows, (p) => reader.read(pictures.at(p)).hashes, size, rung.side, mirrored)
  if (!spikes) return null
  const tests = Math.log(Math.max(1, patches * rungs))
  const marks: Group[] = []
  let best = 0
  for (const s of spikes) {
    const logSpike = Math.min(0, s.logSpike + tests)
    const found = labelled ? association(pictures, s.rows) : null
    if (labelled && !found) continue
    const logAssociation = found ? Math.min(0, found.logP + Math.log(spikes.length * rungs)) : Number.NEGATIVE_INFINITY
    const logP = Math.max(logSpike, logAssociation)
    best = Math.min(best, logP)
    if (logP >= (labelled ? level.labelled : level.unlabelled)) continue
    const mark: Mark = {
      target: found ? (pictures.labels[found.label] as LabelledPictures).name : null,
      rung,
      key,
      hash: s.hash,
      corner: Math.floor(s.place / size.columns) * width + (s.place % size.columns),
      carriers: found?.carriers ?? s.rows.length,
      elsewhere: found ? s.rows.length - found.carriers : 0,
      rows: found ? (pictures.labels[found.label] as LabelledPictures).rows : pictures.rows,
      copies: s.elsewhere,
      logSpike: s.logSpike,
      logAssociation: found?.logP ?? Number.NEGATIVE_INFINITY,
      logP,
    }
    marks.push({ rung, mark, rows: s.rows })
  }
  const groups = joined(marks)
  return groups.length > maxGroups ? null : { rung, patches, marks: groups, logP: best }
}

/** The label that has the patch most beyond chance, corrected for the choice of the label. */
function association({ labels, label, rows: all }: AllPictures, rows: readonly number[]) {
  const counts = new Int32Array(labels.length)
  for (const r of rows) counts[label[r] as number] = (counts[label[r] as number] as number) + 1
  let best: { label: number; carriers: number; logP: number } | null = null
  for (const [i, l] of labels.entries()) {
    const n = counts[i] as number
    const others = all - l.rows
    if (n < leastCarriers || n / l.rows < (leastRatio * (rows.length - n + 1)) / (others + 1)) continue
    const logP = logHypergeometricUpper(n, all, rows.length, l.rows) + Math.log(labels.length)
    if (!best || logP < best.logP) best = { label: i, carriers: n, logP }
  }
  return best
}

/** Patches that share half of their pictures are parts of one mark: the clearest one stands for it. */
function joined(marks: readonly Group[]): Group[] {
  const order = [...marks].sort(
    (a, b) =>
      a.mark.logP - b.mark.logP ||
      b.rows.length - a.rows.length ||
      (a.mark.corner as number) - (b.mark.corner as number) ||
      a.rung.bits - b.rung.bits ||
      a.rung.side - b.rung.side ||
      a.mark.hash - b.mark.hash,
  )
  const groups: { readonly first: Group; readonly rows: Set<number> }[] = []
  for (const m of order) {
    const home = groups.find(
      ({ first, rows }) => first.mark.target === m.mark.target && shared(rows, m.rows) >= Math.min(rows.size, m.rows.length) / 2,
    )
    if (home) for (const r of m.rows) home.rows.add(r)
    else groups.push({ first: m, rows: new Set(m.rows) })
  }
  return groups.map((g) => g.first)
}

const shared = (a: ReadonlySet<number>, b: readonly number[]): number => b.filter((r) => a.has(r)).length
