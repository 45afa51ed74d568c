import { damaged, Output } from './output.ts'

/** LZMA as in Igor Pavlov's specification (lzma-specification.txt, 2015): range decoder, literals, matches, four last distances. */

const topValue = 2 ** 24
const states = 12
const posStates = 16

class RangeDecoder {
  range = 0xffffffff
  code = 0

  constructor(
    readonly source: Uint8Array,
    public at: number,
    readonly end: number,
  ) {
    if (this.next() !== 0) damaged('LZMA')
    for (let i = 0; i < 4; i++) this.code = ((this.code << 8) | this.next()) >>> 0
  }

  next(): number {
    if (this.at >= this.end) damaged('LZMA')
    return this.source[this.at++] as number
  }

  bit(probs: Uint16Array, i: number): number {
    if (this.range < topValue) {
      this.range = (this.range << 8) >>> 0
      this.code = ((this.code << 8) | this.next()) >>> 0
    }
    const p = probs[i] as number
    const bound = (this.range >>> 11) * p
    if (this.code < bound) {
      this.range = bound
      probs[i] = p + ((2048 - p) >> 5)
      return 0
    }
    this.range = (this.range - bound) >>> 0
    this.code = (this.code - bound) >>> 0
    probs[i] = p - (p >> 5)
    return 1
  }

  direct(n: number): number {
    let value = 0
    for (let i = 0; i < n; i++) {
      if (this.range < topValue) {
        this.range = (this.range << 8) >>> 0
        this.code = ((this.code << 8) | this.next()) >>> 0
      }
      this.range >>>= 1
      const one = this.code >= this.range
      if (one) this.code = (this.code - this.range) >>> 0
      value = value * 2 + (one ? 1 : 0)
    }
    return value
  }

  tree(probs: Uint16Array, from: number, bits: number): number {
    let m = 1
    for (let i = 0; i < bits; i++) m = (m << 1) | this.bit(probs, from + m)
    return m - (1 << bits)
  }

  reverse(probs: Uint16Array, from: number, bits: number): number {
    let m = 1
    let value = 0
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probs, from + m)
      m = (m << 1) | bit
      value |= bit << i
    }
    return value
  }
}

const probabilities = (n: number): Uint16Array => new Uint16Array(n).fill(1024)

const newLengths = () => ({
  choice: probabilities(2),
  low: probabilities(posStates << 3),
  mid: probabilities(posStates << 3),
  high: probabilities(256),
})
type Lengths = ReturnType<typeof newLengths>

const lengthOf = (d: RangeDecoder, l: Lengths, posState: number): number =>
  d.bit(l.choice, 0) === 0
    ? d.tree(l.low, posState << 3, 3)
    : d.bit(l.choice, 1) === 0
      ? 8 + d.tree(l.mid, posState << 3, 3)
      : 16 + d.tree(l.high, 0, 8)

/** What is kept from one chunk of LZMA2 to the next. */
export interface LzmaState {
  lc: number
  lp: number
  pb: number
  state: number
  reps: [number, number, number, number]
  probs: ReturnType<typeof newProbs>
}

const newProbs = (literals: number) => ({
  literal: probabilities(0x300 * literals),
  match: probabilities(states * posStates),
  rep: probabilities(states),
  repG0: probabilities(states),
  repG1: probabilities(states),
  repG2: probabilities(states),
  rep0Long: probabilities(states * posStates),
  slot: probabilities(4 << 6),
  position: probabilities(128),
  align: probabilities(16),
  lengths: newLengths(),
  repLengths: newLengths(),
})

export function newLzmaState(properties: number): LzmaState {
  if (properties >= 225) damaged('LZMA')
  const lc = properties % 9
  const lp = Math.floor(properties / 9) % 5
  return { lc, lp, pb: Math.floor(properties / 45), state: 0, reps: [0, 0, 0, 0], probs: newProbs(1 << (lc + lp)) }
}

export function resetState(s: LzmaState): void {
  s.state = 0
  s.reps = [0, 0, 0, 0]
  s.probs = newProbs(1 << (s.lc + s.lp))
}

function literal(d: RangeDecoder, s: LzmaState, out: Output, bytes: Uint8Array, since: number): void {
  const before = out.length > since ? (bytes[out.length - 1] as number) : 0
  const base = 0x300 * ((((out.length - since) & ((1 << s.lp) - 1)) << s.lc) + (before >> (8 - s.lc)))
  const { literal: probs } = s.probs
  let symbol = 1
  if (s.state >= 7) {
    let matched = bytes[out.length - s.reps[0] - 1] as number
    while (symbol < 0x100) {
      const matchBit = (matched >> 7) & 1
      matched <<= 1
      const bit = d.bit(probs, base + ((1 + matchBit) << 8) + symbol)
      symbol = (symbol << 1) | bit
      if (matchBit !== bit) break
    }
  }
  while (symbol < 0x100) symbol = (symbol << 1) | d.bit(probs, base + symbol)
  out.push(symbol & 0xff)
  s.state = s.state < 4 ? 0 : s.state < 10 ? s.state - 3 : s.state - 6
}

function distanceOf(d: RangeDecoder, s: LzmaState, length: number): number {
  const slot = d.tree(s.probs.slot, Math.min(length, 3) << 6, 6)
  if (slot < 4) return slot
  const bits = (slot >> 1) - 1
  const base = ((2 | (slot & 1)) << bits) >>> 0
  if (slot < 14) return base + d.reverse(s.probs.position, base - slot, bits)
  return base + d.direct(bits - 4) * 16 + d.reverse(s.probs.align, 0, 4)
}

/**
 * Decodes until `length` bytes were written (null: until the end marker). `since` is where the dictionary begins.
 * @returns the position behind the last byte read. @throws {Unreadable}
 */
export function decodeLzma(
  source: Uint8Array,
  from: number,
  end: number,
  s: LzmaState,
  out: Output,
  since: number,
  length: number | null,
): number {
  const d = new RangeDecoder(source, from, end)
  const stop = length === null ? Number.POSITIVE_INFINITY : out.length + length
  const { probs } = s
  while (out.length < stop) {
    const bytes = out.reserve(1)
    const posState = (out.length - since) & ((1 << s.pb) - 1)
    const at = s.state * posStates + posState
    if (d.bit(probs.match, at) === 0) {
      literal(d, s, out, bytes, since)
      continue
    }
    let count: number
    if (d.bit(probs.rep, s.state) === 0) {
      count = lengthOf(d, probs.lengths, posState)
      s.reps = [distanceOf(d, s, count), s.reps[0], s.reps[1], s.reps[2]]
      if (s.reps[0] === 0xffffffff) return d.at
      s.state = s.state < 7 ? 7 : 10
    } else {
      if (d.bit(probs.repG0, s.state) === 0) {
        if (d.bit(probs.rep0Long, at) === 0) {
          s.state = s.state < 7 ? 9 : 11
          if (s.reps[0] >= out.length - since) damaged('LZMA')
          out.repeat(s.reps[0] + 1, 1)
          continue
        }
      } else {
        const which = d.bit(probs.repG1, s.state) === 0 ? 1 : d.bit(probs.repG2, s.state) === 0 ? 2 : 3
        const [chosen = 0] = s.reps.splice(which, 1)
        s.reps.unshift(chosen)
      }
      count = lengthOf(d, probs.repLengths, posState)
      s.state = s.state < 7 ? 8 : 11
    }
    if (s.reps[0] >= out.length - since) damaged('LZMA')
    out.repeat(s.reps[0] + 1, Math.min(count + 2, stop - out.length))
  }
  return d.at
}

/** A `.lzma` file: properties, dictionary size, size, data. @throws {Unreadable} */
export function unlzma(source: Buffer, maxBytes: number): Buffer {
  if (source.length < 18) damaged('LZMA')
  const size = source.readBigUInt64LE(5)
  const out = new Output(maxBytes, source.length * 4)
  const known = size === 0xffffffffffffffffn ? null : Number(size)
  if (known !== null) out.reserve(Math.min(known, maxBytes + 1))
  decodeLzma(source, 13, source.length, newLzmaState(source[0] as number), out, 0, known)
  return out.buffer()
}
