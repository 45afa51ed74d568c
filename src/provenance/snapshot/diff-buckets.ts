import type { Bucket } from './buckets.ts'
import type { Places } from './diff-places.ts'
import { type LeafLayout, leafBytes } from './segment.ts'

const leafWords = leafBytes / 4

/** What differs between two buckets of one number; indices of their records. */
export interface Differences {
  /** Nothing but the place may differ. */
  kept(before: number, after: number): void
  both(kind: 'relabelled' | 'edited' | 'replaced', before: number, after: number): void
  removed(before: number): void
  /** `copies`: how many added records, this one included, have the key of a record that was there before them. */
  added(after: number, copies: number): void
}

const emptyWords = new Uint32Array(0)
const wordsOf = (bucket: Bucket | null): Uint32Array =>
  bucket === null ? emptyWords : new Uint32Array(bucket.leaves.buffer, bucket.leaves.byteOffset, bucket.size * leafWords)

const swap = (w: number): number => (((w & 0xff) << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24)) >>> 0

/** As `Buffer.compare` of words `from` to `to` of two leaves. */
function compare(a: Uint32Array, i: number, b: Uint32Array, j: number, from: number, to: number): number {
  const [x, y] = [i * leafWords, j * leafWords]
  for (let w = from; w < to; w++) {
    const [p, q] = [a[x + w] as number, b[y + w] as number]
    if (p !== q) return swap(p) < swap(q) ? -1 : 1
  }
  return 0
}

interface Side {
  readonly bucket: Bucket | null
  readonly words: Uint32Array
}

interface Comparison {
  readonly before: Side
  readonly after: Side
  readonly places: Places
  readonly layout: LeafLayout
}

type Pair = readonly [number, number]

/** Groups up to this many combinations are paired by the nearest place, larger ones in order. */
const maxCombinations = 1 << 16

/** Which of several equal records are which: those at the nearest places; the rest is left over. */
function pairByPlace({ before, after, places }: Comparison, left: readonly number[], right: readonly number[]): Pair[] {
  const most = Math.min(left.length, right.length)
  if (most === 0) return []
  if (left.length * right.length > maxCombinations) return left.slice(0, most).map((i, k) => [i, right[k] as number])
  const [x, y] = [before.bucket as Bucket, after.bucket as Bucket]
  const all = left.flatMap((i) =>
    right.map((j) => ({
      i,
      j,
      d: places.distance(x.shards[i] as number, x.rows[i] as number, y.shards[j] as number, y.rows[j] as number),
    })),
  )
  all.sort((a, b) => a.d - b.d || a.i - b.i || a.j - b.j)
  const [usedLeft, usedRight] = [new Set<number>(), new Set<number>()]
  const pairs: Pair[] = []
  for (const { i, j } of all) {
    if (usedLeft.has(i) || usedRight.has(j)) continue
    usedLeft.add(i)
    usedRight.add(j)
    if (pairs.push([i, j]) === most) break
  }
  return pairs
}

const without = (all: readonly number[], taken: Iterable<number>): number[] => {
  const set = new Set(taken)
  return set.size === 0 ? [...all] : all.filter((i) => !set.has(i))
}

/** Pairs records whose bytes from..to are equal, and returns what is left on either side, in order. */
function matchEqual(
  c: Comparison,
  [left, right]: readonly [readonly number[], readonly number[]],
  [from, to]: readonly [number, number],
  pair: (i: number, j: number) => void,
): [number[], number[]] {
  if (left.length === 0 || right.length === 0) return [[...left], [...right]]
  const key = (side: Side, i: number): string => side.bucket?.leaves.toString('latin1', i * leafBytes + from, i * leafBytes + to) ?? ''
  const byKey = new Map<string, { left: number[]; right: number[] }>()
  for (const [side, list] of [
    ['left', left],
    ['right', right],
  ] as const) {
    for (const i of list) {
      const k = key(side === 'left' ? c.before : c.after, i)
      const group = byKey.get(k) ?? { left: [], right: [] }
      byKey.set(k, group)
      group[side].push(i)
    }
  }
  const pairs = [...byKey.values()].flatMap((group) => pairByPlace(c, group.left, group.right))
  for (const [i, j] of pairs) pair(i, j)
  return [
    without(
      left,
      pairs.map(([i]) => i),
    ),
    without(
      right,
      pairs.map(([, j]) => j),
    ),
  ]
}

const indices = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, k) => from + k)

/** Records of one key on both sides: equal ones go first, then those that share most. */
function compareGroup(c: Comparison, [i, iEnd]: Pair, [j, jEnd]: Pair, out: Differences): void {
  const { keyBytes, content, label } = c.layout
  const hasIds = keyBytes === 16
  let rest: [number[], number[]] = [indices(i, iEnd), indices(j, jEnd)]
  rest = matchEqual(c, rest, [keyBytes, label[1]], out.kept)
  if (hasIds) {
    rest = matchEqual(c, rest, content, (x, y) => out.both('relabelled', x, y))
    rest = matchEqual(c, rest, label, (x, y) => out.both('edited', x, y))
  }
  const pairs = pairByPlace(c, ...rest)
  for (const [x, y] of pairs) out.both(hasIds ? 'replaced' : 'relabelled', x, y)
  for (const x of without(
    rest[0],
    pairs.map(([x]) => x),
  ))
    out.removed(x)
  const added = without(
    rest[1],
    pairs.map(([, y]) => y),
  )
  for (const [k, y] of added.entries()) out.added(y, iEnd > i ? k + 1 : k)
}

/** Merges two buckets, which are sorted by key. Multiplicity counts: two records before and one after is one removed. */
export function compareBuckets(before: Bucket | null, after: Bucket | null, layout: LeafLayout, places: Places, out: Differences): void {
  const c: Comparison = {
    before: { bucket: before, words: wordsOf(before) },
    after: { bucket: after, words: wordsOf(after) },
    places,
    layout,
  }
  const [a, b] = [c.before.words, c.after.words]
  const [n, m] = [before?.size ?? 0, after?.size ?? 0]
  const keyWords = layout.keyBytes / 4
  const endWords = layout.label[1] / 4
  const groupEnd = (words: Uint32Array, from: number, size: number): number => {
    let end = from + 1
    while (end < size && compare(words, from, words, end, 0, keyWords) === 0) end++
    return end
  }
  let [i, j] = [0, 0]
  while (i < n || j < m) {
    const order = i === n ? 1 : j === m ? -1 : compare(a, i, b, j, 0, keyWords)
    const iEnd = order <= 0 ? groupEnd(a, i, n) : i
    const jEnd = order >= 0 ? groupEnd(b, j, m) : j
    const single = iEnd - i === 1 && jEnd - j === 1
    if (single && compare(a, i, b, j, keyWords, endWords) === 0) out.kept(i, j)
    else compareGroup(c, [i, iEnd], [j, jEnd], out)
    ;[i, j] = [iEnd, jEnd]
  }
}
