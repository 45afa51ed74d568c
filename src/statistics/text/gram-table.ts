/** Grams by hash, ascending. */
export interface GramTable {
  readonly classes: number
  readonly hashes: Int32Array
  /** Tokens of a phrase, or the kind of a shape. */
  readonly kinds: Uint8Array
  /** Records with it. */
  readonly counts: Uint32Array
  /** Sums over these records of the log-likelihood ratio, random against natural, of the pair at its left and at its right end. */
  readonly left: Int32Array
  readonly right: Int32Array
  /** [grams, classes] */
  readonly byLabel: Uint32Array
}

export interface Growing {
  readonly classes: number
  readonly most: number
  /** Slots of the hash table: place + 1 of a gram. */
  slots: Int32Array
  used: number
  hashes: Int32Array
  kinds: Uint8Array
  counts: Uint32Array
  left: Int32Array
  right: Int32Array
  byLabel: Uint32Array
  /** Larger hashes are not kept. */
  bound: number
}

const firstSize = 256

export const emptyGrams = (classes: number): GramTable => ({
  classes,
  hashes: new Int32Array(0),
  kinds: new Uint8Array(0),
  counts: new Uint32Array(0),
  left: new Int32Array(0),
  right: new Int32Array(0),
  byLabel: new Uint32Array(0),
})

export const startGrams = (classes: number, most: number): Growing => ({
  classes,
  most,
  slots: new Int32Array(2 * firstSize),
  used: 0,
  hashes: new Int32Array(firstSize),
  kinds: new Uint8Array(firstSize),
  counts: new Uint32Array(firstSize),
  left: new Int32Array(firstSize),
  right: new Int32Array(firstSize),
  byLabel: new Uint32Array(firstSize * classes),
  bound: 0x7fffffff,
})

export function tallyGram(g: Growing, hash: number, kind: number, label: number, left: number, right: number): void {
  if (hash > g.bound) return
  let mask = g.slots.length - 1
  let slot = hash & mask
  let at = -1
  for (let place = g.slots[slot] as number; place !== 0; place = g.slots[slot] as number) {
    if (g.hashes[place - 1] === hash && g.kinds[place - 1] === kind) {
      at = place - 1
      break
    }
    slot = (slot + 1) & mask
  }
  if (at < 0) {
    if (g.used === g.hashes.length) {
      makeRoom(g)
      if (hash > g.bound) return
      mask = g.slots.length - 1
      slot = hash & mask
      while (g.slots[slot] !== 0) slot = (slot + 1) & mask
    }
    at = g.used++
    g.slots[slot] = at + 1
    g.hashes[at] = hash
    g.kinds[at] = kind
  }
  g.counts[at] = (g.counts[at] as number) + 1
  g.left[at] = (g.left[at] as number) + left
  g.right[at] = (g.right[at] as number) + right
  if (label >= 0) g.byLabel[at * g.classes + label] = (g.byLabel[at * g.classes + label] as number) + 1
}

/** Doubles the table, or, at twice the most, drops all but the smallest hashes. */
function makeRoom(g: Growing): void {
  const kept = g.used >= 2 * g.most ? order(g).slice(0, g.most) : null
  const table = kept ? gather(g, kept) : { ...g, classes: g.classes }
  if (kept) {
    g.bound = table.hashes[kept.length - 1] as number
    g.used = kept.length
  }
  const size = kept ? g.hashes.length : 2 * g.hashes.length
  const grown = startGrams(g.classes, g.most)
  g.hashes = resized(table.hashes, size, g.used, 1) as Int32Array
  g.kinds = resized(table.kinds, size, g.used, 1) as Uint8Array
  g.counts = resized(table.counts, size, g.used, 1) as Uint32Array
  g.left = resized(table.left, size, g.used, 1) as Int32Array
  g.right = resized(table.right, size, g.used, 1) as Int32Array
  g.byLabel = resized(table.byLabel, size, g.used, g.classes) as Uint32Array
  g.slots = new Int32Array(Math.max(grown.slots.length, 2 * size))
  const mask = g.slots.length - 1
  for (let i = 0; i < g.used; i++) {
    let slot = (g.hashes[i] as number) & mask
    while (g.slots[slot] !== 0) slot = (slot + 1) & mask
    g.slots[slot] = i + 1
  }
}

function resized<T extends Int32Array | Uint32Array | Uint8Array>(from: T, size: number, used: number, width: number): T {
  const out = new (from.constructor as new (n: number) => T)(size * width)
  out.set(from.subarray(0, used * width))
  return out
}

const order = (g: Growing): number[] =>
  Array.from({ length: g.used }, (_, i) => i).sort(
    (a, b) => (g.hashes[a] as number) - (g.hashes[b] as number) || (g.kinds[a] as number) - (g.kinds[b] as number),
  )

function gather(g: Omit<GramTable, 'classes'> & { readonly classes: number }, places: readonly number[]): GramTable {
  const k = g.classes
  const byLabel = new Uint32Array(places.length * k)
  places.forEach((p, i) => {
    byLabel.set(g.byLabel.subarray(p * k, (p + 1) * k), i * k)
  })
  return {
    classes: k,
    hashes: Int32Array.from(places, (p) => g.hashes[p] as number),
    kinds: Uint8Array.from(places, (p) => g.kinds[p] as number),
    counts: Uint32Array.from(places, (p) => g.counts[p] as number),
    left: Int32Array.from(places, (p) => g.left[p] as number),
    right: Int32Array.from(places, (p) => g.right[p] as number),
    byLabel,
  }
}

export const sealedGrams = (g: Growing): GramTable => gather(g, order(g).slice(0, g.most))

/** The sum of two tables, neither of which is changed. */
export function addGrams(a: GramTable, b: GramTable, most: number): GramTable {
  const k = a.classes
  const longest = Math.min(most, a.hashes.length + b.hashes.length)
  const out: Growing = { ...startGrams(k, most), ...columns(longest, k) }
  let [i, j, n] = [0, 0, 0]
  const compare = (): number => {
    if (i === a.hashes.length) return 1
    if (j === b.hashes.length) return -1
    return (a.hashes[i] as number) - (b.hashes[j] as number) || (a.kinds[i] as number) - (b.kinds[j] as number)
  }
  const take = (from: GramTable, at: number): void => {
    out.hashes[n] = from.hashes[at] as number
    out.kinds[n] = from.kinds[at] as number
    out.counts[n] = (out.counts[n] as number) + (from.counts[at] as number)
    out.left[n] = (out.left[n] as number) + (from.left[at] as number)
    out.right[n] = (out.right[n] as number) + (from.right[at] as number)
    for (let l = 0; l < k; l++) out.byLabel[n * k + l] = (out.byLabel[n * k + l] as number) + (from.byLabel[at * k + l] as number)
  }
  while (n < longest && (i < a.hashes.length || j < b.hashes.length)) {
    const which = compare()
    if (which <= 0) take(a, i++)
    if (which >= 0) take(b, j++)
    n++
  }
  const places = Array.from({ length: n }, (_, p) => p)
  return n === longest ? { classes: k, ...columnsOf(out) } : gather(out, places)
}

const columns = (size: number, classes: number): Omit<GramTable, 'classes'> => ({
  hashes: new Int32Array(size),
  kinds: new Uint8Array(size),
  counts: new Uint32Array(size),
  left: new Int32Array(size),
  right: new Int32Array(size),
  byLabel: new Uint32Array(size * classes),
})

const columnsOf = ({ hashes, kinds, counts, left, right, byLabel }: Growing): Omit<GramTable, 'classes'> => ({
  hashes,
  kinds,
  counts,
  left,
  right,
  byLabel,
})

/** Place of a gram, -1 where it is not in the table. */
export function findGram(t: GramTable, hash: number, kind: number): number {
  let [low, high] = [0, t.hashes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const difference = (t.hashes[middle] as number) - hash || (t.kinds[middle] as number) - kind
    if (difference === 0) return middle
    if (difference < 0) low = middle + 1
    else high = middle
  }
  return -1
}
