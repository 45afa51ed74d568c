import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../src/artifacts/budget.ts'
import { applyAll, edits } from '../provenance/fuzz/mutate.ts'
import { files } from './fuzz-files.ts'
import { scanned } from './scanned.ts'

/** Mutated files in all, over all kinds. */
const mutations = Number(process.env.ASSAY_FUZZ ?? 300)
const mostMs = 5_000
const limits = { ...defaultLimits, maxUnpackedBytes: 8 << 20, maxMembers: 200 }

const perKind = Math.ceil(mutations / files.length)

describe('any damage is told or passed, in bounded time', { timeout: 30_000 + 200 * perKind }, () => {
  it.each(files)('%s', (_, name, whole) => {
    fc.assert(
      fc.property(edits, (changes) => {
        const since = performance.now()
        const { observations } = scanned(applyAll(whole, changes), name, limits)
        for (const { message } of observations) expect(message).not.toMatch(/undefined|\[object|NaN/)
        expect(performance.now() - since).toBeLessThan(mostMs)
      }),
      { numRuns: perKind, endOnFailure: false },
    )
  })

  it('of bytes by chance', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...files.map(([, name]) => name)), (bytes, name) => {
        scanned(Buffer.from(bytes), name, limits)
      }),
      { numRuns: perKind, endOnFailure: false },
    )
  })
})
