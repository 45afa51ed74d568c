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

/** A table while it grows. */
export interface Growing {
  readonly classes: number
  readonly most: number
  /** Slots of the hash table: place + 1 of a gram. */
  slots: Int32Array
  used: number
  /** One gram after the other, `width` numbers each: hash, kind, count, left, right, and the counts by label. */
  grams: Int32Array
  readonly width: number
  /** Larger hashes are not kept. */
  bound: number
}

/** Grams of one record, each once. */
export interface RecordGrams {
  count: number
  hashes: Int32Array
  kinds: Uint8Array
  left: Int16Array
  right: Int16Array
  /** Of no meaning: that somebody wants it keeps the reads of `touch` in the program. */
  touched: number
}

const field = { hash: 0, kind: 1, count: 2, left: 3, right: 4, labels: 5 } as const
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
  grams: new Int32Array(firstSize * (field.labels + classes)),
  width: field.labels + classes,
  bound: 0x7fffffff,
})

/** Memory of a table that grows to twice `most` grams, its slots included, and of the sealed one. */
export const gramBytes = (most: number, classes: number): number =>
  2 * most * (4 * (field.labels + classes) + 8) + most * (17 + 4 * classes)

/** Room for so many grams of a record. */
export const recordGrams = (size: number): RecordGrams => ({
  count: 0,
  hashes: new Int32Array(size),
  kinds: new Uint8Array(size),
  left: new Int16Array(size),
  right: new Int16Array(size),
  touched: 0,
})

/** Grams that are looked ahead for at once. */
const ahead = 512

/** Counts the grams of a record with the label `label`, -1 for none. */
export function tallyGrams(g: Growing, record: RecordGrams, label: number): void {
  for (let from = 0; from < record.count; from += ahead) {
    const to = Math.min(record.count, from + ahead)
    record.touched = touch(g, record.hashes, from, to)
    for (let i = from; i < to; i++) {
      const hash = record.hashes[i] as number
      if (hash > g.bound) continue
      const at = placeOf(g, hash, record.kinds[i] as number)
      if (at < 0) continue
      const { grams } = g
      grams[at + field.count] = (grams[at + field.count] as number) + 1
      grams[at + field.left] = (grams[at + field.left] as number) + (record.left[i] as number)
      grams[at + field.right] = (grams[at + field.right] as number) + (record.right[i] as number)
      if (label >= 0) grams[at + field.labels + label] = (grams[at + field.labels + label] as number) + 1
    }
  }
}

/** The table is larger than the processor's caches. Reads that wait for nothing bring what is needed next into them, many at once. */
function touch(g: Growing, hashes: Int32Array, from: number, to: number): number {
  const { slots, grams, width } = g
  const mask = slots.length - 1
  let sum = 0
  for (let i = from; i < to; i++) sum ^= slots[(hashes[i] as number) & mask] as number
  for (let i = from; i < to; i++) {
    const place = slots[(hashes[i] as number) & mask] as number
    sum ^= grams[(place === 0 ? 0 : place - 1) * width] as number
  }
  return sum
}

/** Where the gram's numbers begin, room made for it where it is new; -1 where it is not kept. */
function placeOf(g: Growing, hash: number, kind: number): number {
  const { slots, grams, width } = g
  const mask = slots.length - 1
  let slot = hash & mask
  for (let place = slots[slot] as number; place !== 0; place = slots[slot] as number) {
    const at = (place - 1) * width
    if (grams[at] === hash && grams[at + field.kind] === kind) return at
    slot = (slot + 1) & mask
  }
  if ((g.used + 1) * width > grams.length) {
    makeRoom(g)
    return hash > g.bound ? -1 : placeOf(g, hash, kind)
  }
  const at = g.used++ * width
  slots[slot] = g.used
  grams[at] = hash
  grams[at + field.kind] = kind
  return at
}

/** Doubles the table, or, at twice the most, drops all but the smallest hashes. */
function makeRoom(g: Growing): void {
  const { width } = g
  const old = g.grams
  const full = g.used >= 2 * g.most
  const kept = full ? order(g).subarray(0, g.most) : null
  g.grams = new Int32Array(full ? old.length : 2 * old.length)
  if (kept) {
    kept.forEach((place, i) => {
      g.grams.set(old.subarray(place * width, (place + 1) * width), i * width)
    })
    g.used = kept.length
    g.bound = g.grams[(kept.length - 1) * width] as number
  } else g.grams.set(old)
  g.slots = new Int32Array((2 * g.grams.length) / width)
  const mask = g.slots.length - 1
  for (let i = 0; i < g.used; i++) {
    let slot = (g.grams[i * width] as number) & mask
    while (g.slots[slot] !== 0) slot = (slot + 1) & mask
    g.slots[slot] = i + 1
  }
}

const digits = 11

/** Places of the grams in the order of their hashes, of equal ones by kind: a radix sort that takes the hashes along, and puts the few equal ones right. */
function order({ grams, width, used }: Growing): Uint32Array {
  let [places, nextPlaces, keys, nextKeys] = [new Uint32Array(used), new Uint32Array(used), new Uint32Array(used), new Uint32Array(used)]
  for (let i = 0; i < used; i++) {
    places[i] = i
    keys[i] = (grams[i * width] as number) ^ 0x80000000
  }
  const starts = new Uint32Array(2 ** digits + 1)
  for (let shift = 0; shift < 32; shift += digits) {
    starts.fill(0)
    for (let i = 0; i < used; i++) {
      const digit = ((keys[i] as number) >>> shift) & (2 ** digits - 1)
      starts[digit + 1] = (starts[digit + 1] as number) + 1
    }
    for (let d = 1; d < starts.length; d++) starts[d] = (starts[d] as number) + (starts[d - 1] as number)
    for (let i = 0; i < used; i++) {
      const key = keys[i] as number
      const digit = (key >>> shift) & (2 ** digits - 1)
      const at = starts[digit] as number
      nextKeys[at] = key
      nextPlaces[at] = places[i] as number
      starts[digit] = at + 1
    }
    ;[places, nextPlaces] = [nextPlaces, places]
    ;[keys, nextKeys] = [nextKeys, keys]
  }
  const kindOf = (place: number): number => grams[place * width + field.kind] as number
  for (let i = 1; i < used; i++) {
    if (keys[i] !== keys[i - 1]) continue
    const place = places[i] as number
    let at = i
    while (at > 0 && keys[at - 1] === keys[i] && kindOf(places[at - 1] as number) > kindOf(place)) {
      places[at] = places[at - 1] as number
      at--
    }
    places[at] = place
  }
  return places
}

export function sealedGrams(g: Growing): GramTable {
  const { grams, width, classes } = g
  const kept = order(g).subarray(0, g.most)
  const n = kept.length
  const out = { classes, ...columns(n, classes) }
  for (let i = 0; i < n; i++) {
    const at = (kept[i] as number) * width
    out.hashes[i] = grams[at] as number
    out.kinds[i] = grams[at + field.kind] as number
    out.counts[i] = grams[at + field.count] as number
    out.left[i] = grams[at + field.left] as number
    out.right[i] = grams[at + field.right] as number
    for (let l = 0; l < classes; l++) out.byLabel[i * classes + l] = grams[at + field.labels + l] as number
  }
  return out
}

/** The sum of two tables, neither of which is changed. */
export function addGrams(a: GramTable, b: GramTable, most: number): GramTable {
  const k = a.classes
  const longest = Math.min(most, a.hashes.length + b.hashes.length)
  const out = columns(longest, k)
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
  return {
    classes: k,
    hashes: out.hashes.slice(0, n),
    kinds: out.kinds.slice(0, n),
    counts: out.counts.slice(0, n),
    left: out.left.slice(0, n),
    right: out.right.slice(0, n),
    byLabel: out.byLabel.slice(0, n * k),
  }
}

const columns = (size: number, classes: number): Omit<GramTable, 'classes'> => ({
  hashes: new Int32Array(size),
  kinds: new Uint8Array(size),
  counts: new Uint32Array(size),
  left: new Int32Array(size),
  right: new Int32Array(size),
  byLabel: new Uint32Array(size * classes),
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
