import type { Batch } from '../contracts/data.ts'
import { pixelsOf } from '../contracts/pixel-rows.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { digester, shortDigest } from '../math/hash.ts'
import { hashBytes, imageHasher } from '../math/image-hash.ts'

/** Bits of a cell's number. More different hashes than cells make single ones look repeated, never the other way. */
export const hashCells = 22

/** Which image hashes occur more than once. */
export interface HashCounts {
  /** 0, 1 or 2 (two or more) by cell. */
  readonly cells: Uint8Array
  readonly records: number
}

/** The cell of a hash: keyed, so that nobody can choose hashes that share one. */
export const cellOf = (digest: Uint8Array, bits: number): number =>
  (((digest[0] as number) << 16) | ((digest[1] as number) << 8) | (digest[2] as number)) & (2 ** bits - 1)

export const hashDomain = 'image hash'

/** Saturating counts of perceptual image hashes. Sums that stop at two are commutative and associative. */
export function imageHashCounts(bits: number = hashCells): Statistic<{ cells: Uint8Array; records: number }, HashCounts> {
  return {
    id: imageHashCountsId(bits),
    version: 1,
    needs: ['pixels'],
    after: [],
    over: 'subject',
    init: () => ({ cells: new Uint8Array(2 ** bits), records: 0 }),
    update(c: Context, state, batch: Batch) {
      const pixels = pixelsOf(batch)
      if (!pixels) return
      const hasher = imageHasher(pixels)
      const digest = digester(c.seed, hashDomain)
      const size = pixels.height * pixels.width * pixels.channels
      const hash = new Uint8Array(hashBytes)
      const keyed = new Uint8Array(16)
      for (let i = 0; i < pixels.rows; i++) {
        hasher.hash(hasher.luma(pixels.data, i * size), hash, 0)
        digest.bytes(hash, keyed, 0)
        const cell = cellOf(keyed, bits)
        state.cells[cell] = Math.min(2, (state.cells[cell] as number) + 1)
      }
      state.records += pixels.rows
    },
    merge(into, from) {
      for (let i = 0; i < into.cells.length; i++) into.cells[i] = Math.min(2, (into.cells[i] as number) + (from.cells[i] as number))
      into.records += from.records
    },
    finish: (_: Context, state) => state,
    bytes: () => 2 ** bits,
  }
}

export const imageHashCountsId = (bits: number = hashCells): string => `image-hash-counts/${shortDigest({ bits })}`
