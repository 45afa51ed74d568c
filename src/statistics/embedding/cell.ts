import { compareDigests } from '../../math/hash.ts'
import { type NeighbourIndex, neighbourIndex } from '../../math/neighbours.ts'
import { headBytes } from '../cell-plan.ts'
import { neighbourParts, type Parts, type ReferenceTable, referenceTable, withoutSelf } from './neighbour-parts.ts'

/** Different records that a cell compares with: of more, those with the smallest keyed digests. */
const mostOfCell = 20_000
const slack = 1.25
const contentBytes = 16

interface Member {
  readonly content: Uint8Array
  readonly label: number
  readonly vector: Float32Array
  count: number
}

const order = (a: Member, b: Member): number => a.label - b.label || compareDigests(a.content, 0, b.content, 0)

/** Class and content of copy i of a payload, as a key. */
export const keyIn = (payload: Uint8Array, width: number, i: number): string =>
  Buffer.from(payload.buffer, payload.byteOffset + i * width, contentBytes + 4).toString('latin1')

interface Judged {
  readonly index: NeighbourIndex
  readonly table: ReferenceTable
  readonly parts: Parts
  readonly places: ReadonlyMap<string, number>
}

/** The records that are in a cell or near it, equal ones joined, and what their neighbours say of them. */
export class Cell {
  private readonly members = new Map<string, Member>()
  /** Digests above it are not kept. */
  private limit: Uint8Array | null = null
  private judged: Judged | null = null

  constructor(
    private readonly dims: number,
    private readonly k: number,
  ) {}

  add(payload: Uint8Array, width: number, i: number): void {
    const at = i * width
    if (this.limit && compareDigests(payload, at, this.limit, 0) > 0) return
    const key = keyIn(payload, width, i)
    const known = this.members.get(key)
    if (known) {
      known.count++
      return
    }
    const bytes = payload.slice(at, at + width)
    const view = new DataView(bytes.buffer)
    this.members.set(key, {
      content: bytes.subarray(0, contentBytes),
      label: view.getInt32(contentBytes, true),
      vector: new Float32Array(bytes.buffer, headBytes, this.dims),
      count: 1,
    })
    if (this.members.size > slack * mostOfCell) this.trim()
  }

  private trim(): void {
    if (this.members.size <= mostOfCell) return
    const all = [...this.members].sort(([, a], [, b]) => compareDigests(a.content, 0, b.content, 0) || a.label - b.label)
    this.limit = (all[mostOfCell - 1] as [string, Member])[1].content
    for (const [key] of all.slice(mostOfCell)) this.members.delete(key)
  }

  /** Neighbours of the members among themselves. Call it once, when all are there. */
  async judge(): Promise<void> {
    this.trim()
    const all = [...this.members].sort(([, a], [, b]) => order(a, b))
    this.members.clear()
    const rows = all.length
    const vectors = new Float32Array(rows * this.dims)
    all.forEach(([, member], i) => {
      vectors.set(member.vector, i * this.dims)
    })
    const labels = Int32Array.from(all, ([, m]) => m.label)
    const counts = Float64Array.from(all, ([, m]) => m.count)
    const k = Math.min(this.k, rows - 1)
    const matrix = { data: vectors, rows, dims: this.dims }
    const index = neighbourIndex(matrix, 'euclidean')
    const own = withoutSelf(
      await index.topK(matrix, k + 1),
      Int32Array.from({ length: rows }, (_, i) => i),
      k,
    )
    const table = referenceTable(own, labels, counts)
    const parts = neighbourParts(
      own,
      labels,
      counts.map((n) => n - 1),
      table,
    )
    this.judged = { index, table, parts, places: new Map(all.map(([key], i) => [key, i])) }
  }

  /** Parts of copies of a payload, in their order. A cell of one record has nothing to say of it: NaN. */
  async partsOf(payload: Uint8Array, width: number, copies: readonly number[]): Promise<{ readonly parts: Parts; readonly at: number }[]> {
    if (!this.judged) throw new Error('the cell has not been judged')
    const { index, table, parts, places } = this.judged
    const out = copies.map((i) => ({ parts, at: places.get(keyIn(payload, width, i)) ?? -1 }))
    const others = out.flatMap(({ at }, i) => (at < 0 ? [i] : []))
    if (others.length === 0) return out
    const queries = new Float32Array(others.length * this.dims)
    const labels = new Int32Array(others.length)
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    others.forEach((to, i) => {
      const at = (copies[to] as number) * width
      labels[i] = view.getInt32(at + contentBytes, true)
      for (let c = 0; c < this.dims; c++) queries[i * this.dims + c] = view.getFloat32(at + headBytes + 4 * c, true)
    })
    const found = await index.topK({ data: queries, rows: others.length, dims: this.dims }, this.k)
    const theirs = neighbourParts(found, labels, new Float64Array(others.length), table)
    others.forEach((to, i) => {
      out[to] = { parts: theirs, at: i }
    })
    return out
  }

  get alone(): boolean {
    return (this.judged?.places.size ?? 0) < 2
  }
}
