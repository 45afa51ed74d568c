import type { PixelShape } from '../../contracts/statistic.ts'
import { keyed } from '../../math/rng.ts'
import { logBinomialUpper } from '../../math/tests.ts'
import { copiesOf, type PatchReader, patchAt, patchReader, type Rung, scramble } from './patch-hash.ts'
import type { Undo } from './recover.ts'
import { type RecoveredPatch, recoverPatch } from './recover-patch.ts'

/** Pictures of one label, [rows, height x width x channels]. */
export interface LabelledPictures {
  readonly name: string
  readonly rows: number
  readonly pixels: Uint8Array
}

/** A patch that many pictures of one label have, and that is nearly as frequent neither in copies nor, at a fixed place, at others. */
export interface FoundPatch extends RecoveredPatch {
  /** Null where there are no labels. */
  readonly target: string | null
  readonly rung: Rung
  readonly key: number
  readonly hash: number
  /** Top left corner as y x width + x; null: at any place. */
  readonly corner: number | null
  /** Pictures of the sample that have it, with the label and with others; and all pictures of the sample with the label. */
  readonly carriers: number
  readonly elsewhere: number
  readonly rows: number
  /** Most pictures of the label that have one and the same mirrored, turned or inverted copy; at a fixed place, most that have the patch at one other place, whatever their label. */
  readonly copies: number
  /** Natural logarithms; the association is 0 without labels. */
  readonly logSpike: number
  readonly logAssociation: number
  readonly logP: number
  /** Of a mark at a fixed place, where there are labels: pictures may carry more than the patch alone. */
  readonly undo?: Undo
}

export interface PatchSearch {
  /** Null: no way of comparing patches left few enough of them: pictures of little variety. */
  readonly rung: Rung | null
  readonly patches: number
  readonly found: readonly FoundPatch[]
  /** Natural logarithm of the smallest corrected p-value. */
  readonly logP: number
}

export const noPatches: PatchSearch = { rung: null, patches: 0, found: [], logP: 0 }

const ladders: Readonly<Record<1 | 3, readonly Rung[]>> = {
  1: [
    { bits: 6, side: 3 },
    { bits: 8, side: 3 },
    { bits: 8, side: 5 },
  ],
  3: [
    { bits: 2, side: 3 },
    { bits: 4, side: 3 },
    { bits: 8, side: 5 },
  ],
}
const maxPatches = 40_000_000
const counterBits = 24
const leastCarriers = 10
const maxCandidates = 300_000
const maxSignificant = 2000
const maxGroups = 5
/** A patch may be so many times as frequent as its copies, and some more. */
const slack = 3
const extra = 2
const leastRatio = 3
/** Largest corrected p-value of a spike: a texture of one photograph gave 2e-5. Without labels, only one of the two conditions can be asked. */
const spikeLevel = { labelled: Math.log(1e-9), unlabelled: Math.log(1e-30) }
const level = Math.log(0.01)
/** Of all pictures that have a mark so many have its label: of 60,000 clean digits at most 54 in a hundred shared a patch and a label. */
const leastShare = 0.8

/**
 * Patches that occur, exactly or nearly, in many pictures, at whatever place. In pictures without a mark, a patch is about as frequent as its
 * mirrored, turned and inverted copies; with labels, the label alone must have it as well. Pictures of little variety have many such patches:
 * finer values and larger patches are tried until at most five groups are left.
 */
export function searchPatches(shape: PixelShape, labels: readonly LabelledPictures[], labelled: boolean, seed: Uint8Array): PatchSearch {
  const key = keyed(seed, 'patches').uint32()
  for (const rung of ladders[shape.channels]) {
    if (Math.min(shape.height, shape.width) < 2 * rung.side) break
    const result = searchAt(shape, bounded(shape, labels, maxPatches), labelled, rung, key)
    if (result) return result
  }
  return noPatches
}

/** So many pictures of each label that all patches can be counted. */
export function bounded({ height, width, channels }: PixelShape, labels: readonly LabelledPictures[], patches: number): LabelledPictures[] {
  const rows = labels.reduce((sum, l) => sum + l.rows, 0)
  const share = Math.min(1, patches / (height * width) / Math.max(1, rows))
  return labels.map((l) => {
    const kept = Math.floor(l.rows * share)
    return { name: l.name, rows: kept, pixels: l.pixels.subarray(0, kept * height * width * channels) }
  })
}

interface Entry {
  readonly label: number
  readonly hash: number
  readonly row: number
  readonly corner: number
  count: number
}

type Significant = Omit<FoundPatch, keyof RecoveredPatch | 'corner'> & Entry

interface Counting {
  readonly shape: PixelShape
  readonly labels: readonly LabelledPictures[]
  readonly reader: PatchReader
  readonly side: number
  readonly each: number
  /** Cell of the counters, which patches may share; behind the last label: of all labels. */
  readonly cell: (hash: number, label: number) => number
  readonly byLabel: readonly Map<number, Entry>[]
}

/** Calls `use` with the distinct patches of every picture. */
function eachPicture({ labels, reader, each }: Counting, use: (label: number, row: number, hash: number, corner: number) => void): void {
  const isNew = distinct(reader.most)
  for (const [label, { rows, pixels }] of labels.entries())
    for (let row = 0; row < rows; row++) {
      const { hashes, corners, count } = reader.read(pixels.subarray(row * each, (row + 1) * each))
      isNew.clear()
      for (let i = 0; i < count; i++) if (isNew.add(hashes[i] as number)) use(label, row, hashes[i] as number, corners[i] as number)
    }
}

/** A set of up to `most` hashes that is emptied by counting on. */
function distinct(most: number) {
  const bits = Math.ceil(Math.log2(2 * most + 2))
  const slots = new Float64Array(2 ** bits)
  const stamps = new Uint32Array(2 ** bits)
  let stamp = 0
  return {
    clear(): void {
      stamp++
    },
    /** False: it was there. */
    add(hash: number): boolean {
      let at = scramble(hash | 0) >>> (32 - bits)
      while (stamps[at] === stamp) {
        if (slots[at] === hash) return false
        at = (at + 1) % slots.length
      }
      stamps[at] = stamp
      slots[at] = hash
      return true
    },
  }
}

function searchAt(shape: PixelShape, labels: readonly LabelledPictures[], labelled: boolean, rung: Rung, key: number): PatchSearch | null {
  const salts = [...labels, null].map((_, i) => scramble(i + 1))
  const c: Counting = {
    shape,
    labels,
    reader: patchReader(shape, rung, key),
    side: rung.side,
    each: shape.height * shape.width * shape.channels,
    cell: (hash, label) => scramble(Math.floor(hash / 2 ** 20) ^ (salts[label] as number)) >>> (32 - counterBits),
    byLabel: labels.map(() => new Map()),
  }
  const counters = new Uint16Array(2 ** counterBits)
  const totals = new Uint16Array(2 ** counterBits)
  const add = (to: Uint16Array, at: number): void => {
    if ((to[at] as number) < 65_535) to[at] = (to[at] as number) + 1
  }
  let patches = 0
  eachPicture(c, (label, _, hash) => {
    add(counters, c.cell(hash, label))
    add(totals, c.cell(hash, labels.length))
    patches++
  })
  let candidates = 0
  eachPicture(c, (label, row, hash, corner) => {
    if ((counters[c.cell(hash, label)] as number) < leastCarriers || candidates > maxCandidates) return
    const entries = c.byLabel[label] as Map<number, Entry>
    const entry = entries.get(hash)
    if (entry) entry.count++
    else {
      entries.set(hash, { label, hash, row, corner, count: 1 })
      candidates++
    }
  })
  if (candidates > maxCandidates) return null
  const totalOf = (hash: number): number => totals[c.cell(hash, labels.length)] as number
  const logPatches = Math.log(Math.max(1, patches))
  const spikes: Tested[] = []
  for (const entry of c.byLabel.flatMap((entries) => [...entries.values()])) {
    const tested = entry.count < leastCarriers ? null : testEntry(c, entry, totalOf, labelled, logPatches)
    if (tested) spikes.push(tested)
  }
  const significant: Significant[] = []
  let best = 0
  for (const { entry, ...tested } of spikes) {
    // Corrected over all spikes, also those of no label: which label has a patch must not decide how many were asked.
    if (labelled && entry.count < leastShare * (entry.count + tested.elsewhere)) continue
    const logP = Math.min(0, Math.max(tested.logSpike + logPatches, tested.logAssociation + Math.log(spikes.length)))
    best = Math.min(best, logP)
    if (logP < level) significant.push({ ...tested, ...entry, rung, key, logP })
    if (significant.length > maxSignificant) return null
  }
  const groups = grouped(c, significant)
  if (groups.length > maxGroups) return null
  return {
    rung,
    patches,
    found: groups.map((g) => ({ ...g.found, ...recoverPatch(shape, g.found.rung, g.pictures, g.found.target) })),
    logP: best,
  }
}

type Tested = Pick<FoundPatch, 'target' | 'carriers' | 'elsewhere' | 'rows' | 'copies' | 'logSpike' | 'logAssociation'> & {
  readonly entry: Entry
}

/** Null where copies are frequent enough. */
function testEntry(c: Counting, entry: Entry, totalOf: (hash: number) => number, labelled: boolean, logPatches: number): Tested | null {
  const { rows, pixels, name } = c.labels[entry.label] as LabelledPictures
  const { channels } = c.shape
  const patch = patchAt(pixels.subarray(entry.row * c.each, (entry.row + 1) * c.each), c.shape, c.side, entry.corner)
  let copies = 0
  for (const copy of copiesOf(patch, c.side, channels)) {
    const hash = c.reader.hashOf(copy)
    if (hash !== entry.hash) copies = Math.max(copies, totalOf(hash))
  }
  const total = Math.max(entry.count, totalOf(entry.hash))
  const expected = slack * copies + extra
  if (total <= expected) return null
  const logSpike = logPoissonUpper(total, expected)
  if (logSpike + logPatches >= spikeLevel[labelled ? 'labelled' : 'unlabelled']) return null
  const others = c.labels.reduce((sum, l) => sum + l.rows, 0) - rows
  const elsewhere = Math.min(others, total - entry.count)
  const logAssociation = labelled ? logExcess(entry.count, elsewhere, rows, others) : Number.NEGATIVE_INFINITY
  return { entry, target: labelled ? name : null, carriers: entry.count, elsewhere, rows, copies, logSpike, logAssociation }
}

/**
 * Logarithm of the p-value that a label has a patch more than `leastRatio` times as often as others: strokes and seams of one class are as
 * frequent in another up to a small factor, and of millions of patches some differ by chance as well.
 */
function logExcess(carriers: number, elsewhere: number, rows: number, others: number): number {
  const odds = leastRatio * rows
  return logBinomialUpper(carriers, carriers + elsewhere, odds / (odds + others))
}

const many = 1e9
export const logPoissonUpper = (k: number, mean: number): number => logBinomialUpper(k, many, mean / many)

interface Group {
  readonly found: Omit<FoundPatch, keyof RecoveredPatch>
  /** Carriers, each with the corner of the patch. */
  readonly pictures: readonly { readonly picture: Uint8Array; readonly corner: number }[]
}

/** Patches that share half of their pictures are parts of one mark: the most frequent one stands for it. */
function grouped(c: Counting, significant: readonly Significant[]): Group[] {
  if (significant.length === 0) return []
  const found = c.labels.map(() => new Map<number, Map<number, number>>())
  for (const s of significant) found[s.label]?.set(s.hash, new Map())
  eachPicture(c, (label, row, hash, corner) => {
    found[label]?.get(hash)?.set(row, corner)
  })
  const order = [...significant].sort((a, b) => b.count - a.count || a.hash - b.hash)
  const groups: { label: number; rows: Set<number>; found: Group['found']; pictures: Group['pictures'] }[] = []
  for (const s of order) {
    const rows = found[s.label]?.get(s.hash) as Map<number, number>
    const home = groups.find((g) => g.label === s.label && shared(g.rows, rows) >= Math.min(g.rows.size, rows.size) / 2)
    if (home) {
      for (const row of rows.keys()) home.rows.add(row)
      continue
    }
    const { pixels } = c.labels[s.label] as LabelledPictures
    const pictures = [...rows].map(([row, corner]) => ({ picture: pixels.subarray(row * c.each, (row + 1) * c.each), corner }))
    const { label, row: _, corner: __, count: ___, ...patch } = s
    groups.push({ label, rows: new Set(rows.keys()), found: { ...patch, corner: null }, pictures })
  }
  return groups
}

const shared = (a: ReadonlySet<number>, b: ReadonlyMap<number, number>): number => [...b.keys()].filter((r) => a.has(r)).length
