import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { textCellsOf } from '../contracts/text-cells.ts'
import { shortDigest } from '../math/hash.ts'
import { type Claim, claimFinder } from './claims/extract.ts'
import type { Units } from './claims/units.ts'

export interface ClaimOptions {
  readonly units: Units
  /** Cells of the sketch. */
  readonly cells: number
}

interface State {
  counts: Uint32Array
}

export const claimCountsId = ({ units, cells }: ClaimOptions): string => `claim-counts/${shortDigest({ units, cells } as never)}`

/** The roles in which claims are looked for. */
export const claimRoles = ['text', 'response'] as const

/** Calls `visit` with the claims of each record that has any. */
export function eachClaims(batch: Batch, find: (text: string) => Claim[], visit: (i: number, claims: readonly Claim[]) => void): void {
  const columns = claimRoles.map((role) => textCellsOf(batch, role)).filter((c) => c !== null)
  for (let i = 0; i < batch.numRows; i++) {
    const claims = columns.flatMap(({ values, offsets }) => {
      const [from, to] = [offsets[i] as number, offsets[i + 1] as number]
      return hasDigit(values, from, to) ? find(Buffer.from(values.buffer, values.byteOffset + from, to - from).toString('utf8')) : []
    })
    if (claims.length > 0) visit(i, claims)
  }
}

function hasDigit(values: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (((values[i] as number) - 48) >>> 0 < 10) return true
  return false
}

/** Place of a subject and what is measured of it in the sketch. */
export function claimCell(subject: string, measures: string, cells: number): number {
  let h = 0x811c9dc5
  for (const text of [subject, '\t', measures]) for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h ^= h >>> 15
  return (Math.imul(h, 0x2c1b3c6d) >>> 0) % cells
}

/** A count sketch of subjects with what is measured of them: which can stand in several records. */
export function claimCounts(options: ClaimOptions): Statistic<State, State> {
  const { cells, units } = options
  const find = claimFinder(units)
  return {
    id: claimCountsId(options),
    version: 1,
    needs: [],
    after: [],
    over: 'subject',
    init: () => ({ counts: new Uint32Array(cells) }),
    update(_: Context, state: State, batch: Batch) {
      eachClaims(batch, find, (_row, claims) => {
        const done = new Set(claims.flatMap((c) => c.subjects.map((s) => claimCell(s, c.measures, cells))))
        for (const at of done) state.counts[at] = (state.counts[at] as number) + 1
      })
    },
    merge(into: State, from: State) {
      for (let i = 0; i < cells; i++) into.counts[i] = (into.counts[i] as number) + (from.counts[i] as number)
    },
    finish: (_: Context, state: State) => state,
    bytes: () => 4 * cells,
  }
}
