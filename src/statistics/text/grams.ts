import { combine } from '../../math/tokens.ts'

/** Longest phrase that is counted. */
export const longestGram = 6

/** What a gram is: 1 to 6 tokens in a row, or the shape of a part of a text, in which all but the common tokens look alike. */
export const shapeKinds = { start: 7, middle: 8, end: 9 } as const
export const isShape = (kind: number): boolean => kind > longestGram

/** Common tokens that shapes keep as they are. */
export const shapeTokens = 150
const plainToken = 0x5bd1e995
const shapeSalt = [0x2545f491, 0x6c078965, 0x41c64e6d] as const

export interface TokenSet {
  has(token: number): boolean
}

/** A set for loops that ask it of every token. */
export function tokenSet(tokens: Iterable<number>): TokenSet {
  const all = [...new Set(tokens)]
  const size = 2 ** Math.ceil(Math.log2(4 * all.length + 4))
  const mask = size - 1
  const slots = new Int32Array(size)
  let zero = false
  for (const token of all) {
    if (token === 0) zero = true
    let at = token & mask
    while (slots[at] !== 0) at = (at + 1) & mask
    slots[at] = token
  }
  return {
    has(token) {
      if (token === 0) return zero
      let at = token & mask
      for (let known = slots[at] as number; known !== 0; known = slots[at] as number) {
        if (known === token) return true
        at = (at + 1) & mask
      }
      return false
    },
  }
}

export type Visit = (hash: number, kind: number, from: number, to: number) => void

/** Beginnings of one to four tokens, every three tokens in a row, and the last three. */
export function eachShape(tokens: Int32Array, count: number, common: TokenSet, visit: Visit): void {
  const shape = (i: number): number => (common.has(tokens[i] as number) ? (tokens[i] as number) : plainToken)
  let start: number = shapeSalt[0]
  for (let k = 0; k < Math.min(4, count); k++) {
    start = combine(start, shape(k))
    visit(start, shapeKinds.start, 0, k + 1)
  }
  if (count < 3) return
  let a = shape(0)
  let b = shape(1)
  for (let i = 2; i < count; i++) {
    const c = shape(i)
    const last = combine(combine(a, b), c)
    visit(combine(shapeSalt[1], last), shapeKinds.middle, i - 2, i + 1)
    if (i === count - 1) visit(combine(shapeSalt[2], last), shapeKinds.end, i - 2, i + 1)
    a = b
    b = c
  }
}

/** Phrases of up to `longest` tokens, by chaining: the hash of n tokens is that of n - 1 and the n-th. */
export function eachGram(tokens: Int32Array, count: number, longest: number, visit: Visit): void {
  for (let i = 0; i < count; i++) {
    let gram = tokens[i] as number
    visit(gram, 1, i, i + 1)
    for (let n = 2; n <= longest && i + n <= count; n++) {
      gram = combine(gram, tokens[i + n - 1] as number)
      visit(gram, n, i, i + n)
    }
  }
}
