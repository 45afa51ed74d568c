import { textBytes } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import { type Tokens, tokeniser } from '../../math/tokens.ts'

/** The tokens of one text column of a batch. */
export interface BatchTokens {
  /** [rows + 1]: tokens of the rows before. */
  readonly ends: Int32Array
  /** The hashes of all rows, one after the other. */
  readonly hashes: Int32Array
  /** Those of one row; its places in the text are found when they are asked for, and valid until those of another row are. */
  row(i: number): Tokens
}

interface Known {
  readonly seed: Uint8Array
  readonly tokens: BatchTokens
}
const known = new WeakMap<Batch, Map<string, Known>>()

/** Memory of the tokens of one batch of ordinary texts, and of what is counted of them. */
export const batchTokenBytes = 2 ** 26

/** Tokens that are made room for at first, for each byte of text. */
const density = 0.3

/** Every statistic of a read sees the same batch: its texts are split once. Null where the column is absent. */
export function tokensOf(batch: Batch, role: 'text' | 'response', seed: Uint8Array): BatchTokens | null {
  const columns = known.get(batch) ?? new Map<string, Known>()
  known.set(batch, columns)
  const found = columns.get(role)
  if (found && found.seed === seed) return found.tokens
  const tokens = split(batch, role, seed)
  if (tokens) columns.set(role, { seed, tokens })
  return tokens
}

function split(batch: Batch, role: 'text' | 'response', seed: Uint8Array): BatchTokens | null {
  const text = textBytes(batch, role)
  if (!text) return null
  const { bytes, offsets } = text
  const rows = batch.numRows
  const read = tokeniser(seed)
  const readRow = (i: number): Tokens => read.read(bytes, offsets[i] as number, offsets[i + 1] as number)
  const ends = new Int32Array(rows + 1)
  const cut = new Uint8Array(rows)
  let all = new Int32Array(Math.ceil(((offsets[rows] as number) - (offsets[0] as number)) * density) + 64)
  for (let i = 0; i < rows; i++) {
    const { hashes, count, cut: isCut } = readRow(i)
    const from = ends[i] as number
    if (from + count > all.length) {
      const larger = new Int32Array(Math.max(2 * all.length, from + count))
      larger.set(all.subarray(0, from))
      all = larger
    }
    all.set(hashes.subarray(0, count), from)
    ends[i + 1] = from + count
    if (isCut) cut[i] = 1
  }
  let [at, current]: [number, Tokens | null] = [-1, null]
  const places = (i: number): Tokens => {
    if (current === null || at !== i) current = readRow(i)
    at = i
    return current
  }
  return {
    ends,
    hashes: all,
    row(i) {
      const [from, to] = [ends[i] as number, ends[i + 1] as number]
      return {
        count: to - from,
        hashes: all.subarray(from, to),
        cut: cut[i] === 1,
        get bytes() {
          return places(i).bytes
        },
        get starts() {
          return places(i).starts
        },
        get ends() {
          return places(i).ends
        },
      }
    },
  }
}
