import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { IssueCount } from '../../../src/contracts/outcome.ts'
import { type Facts, mergeFacts, noFacts } from '../../../src/engine/remote/facts.ts'
import { type FlagNumbers, mergeFlags, noFlags } from '../../../src/engine/remote/flag-state.ts'
import { cut, joined, type Piece, pieceBytes, readPieces } from '../../../src/engine/remote/pieces.ts'
import { wire } from '../../support/cluster.ts'

const collect = async <T>(from: AsyncIterable<T>): Promise<T[]> => {
  const out: T[] = []
  for await (const one of from) out.push(one)
  return out
}
async function* each<T>(of: Iterable<T>): AsyncGenerator<T> {
  yield* of
}

const name = fc.constantFrom('a', 'b', '#facts', '__proto__', 'label "x"')
const stamp = fc.record({
  part: fc.nat(2 ** 31 - 1),
  kind: fc.constantFrom('state' as const, 'file' as const, 'segment' as const),
  name,
  rowsIn: fc.nat(2 ** 40),
  digest: fc.string(),
})

describe('pieces', () => {
  it('come out of a stream as they went in', async () => {
    const piece = fc.tuple(stamp, fc.nat(1000), fc.uint8Array({ maxLength: 300 })).map(([s, seq, bytes]): Piece => ({ ...s, seq, bytes }))
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const out = await wire(each(pieces))
        expect(out.map((p) => ({ ...p, bytes: [...p.bytes] }))).toEqual(pieces.map((p) => ({ ...p, bytes: [...p.bytes] })))
      }),
      { numRuns: 40 },
    )
  })

  it('are put together as they were cut', async () => {
    for (const length of [0, 1, pieceBytes, pieceBytes + 1, 3 * pieceBytes]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) % 251)
      const of = { part: 3, kind: 'state', name: 's', rowsIn: 7, digest: '' } as const
      const [whole, ...more] = await collect(joined(each([...cut(bytes, of), ...cut(bytes, { ...of, part: 4 })])))
      expect(more).toHaveLength(1)
      expect(Buffer.compare(whole?.bytes ?? new Uint8Array(1), bytes)).toBe(0)
    }
  })

  it('that are missing or out of order are refused', async () => {
    const all = [...cut(new Uint8Array(3 * pieceBytes), { part: 0, kind: 'state', name: 's', rowsIn: 0, digest: '' })] as [
      Piece,
      Piece,
      Piece,
    ]
    for (const some of [[all[1]], [all[0], all[2]], [all[0], all[1], all[1]]])
      await expect(collect(joined(each(some)))).rejects.toMatchObject({ code: 'state-unreadable' })
  })

  it('a stream that is none, or is cut, is refused with a reason', async () => {
    for (const bytes of [Buffer.from('no Arrow'), Buffer.alloc(40, 255)])
      await expect(collect(readPieces(Readable.from([bytes])))).rejects.toMatchObject({ code: 'state-unreadable', exit: 2 })
  })
})

const issue: fc.Arbitrary<IssueCount> = fc.record({
  code: fc.constantFrom('missing-label' as const, 'wrong-type' as const),
  shard: fc.constant('partition-00001'),
  column: fc.option(fc.constantFrom('x', 'y')),
  rejected: fc.boolean(),
  count: fc.integer({ min: 1, max: 9 }),
  examples: fc.constant([]),
})
/** No kind of issue twice, as a counter leaves them. */
const issues = fc.uniqueArray(issue, { selector: (i) => JSON.stringify([i.code, i.column, i.rejected]) })
const facts: fc.Arbitrary<Facts> = fc.record({
  parts: fc.nat(5),
  rows: fc.nat(1000),
  rejected: fc.nat(10),
  issues: issues.map((list) => mergeFacts({ ...noFacts, issues: list }, noFacts).issues),
  incomplete: fc.constant([]),
})
const counts = fc.uniqueArray(fc.tuple(name, fc.nat(9)), { selector: ([n]) => n })
const flags: fc.Arbitrary<FlagNumbers> = fc.record({
  flagged: fc.nat(9),
  byLabel: counts,
  bySource: counts,
  byDetector: fc.uniqueArray(fc.tuple(name, fc.record({ scored: fc.nat(9), flagged: fc.nat(9), top: fc.constant([]) })), {
    selector: ([n]) => n,
  }),
})
const sorted = (f: FlagNumbers) => {
  const by = <T>(pairs: readonly (readonly [string, T])[]) => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))
  return { flagged: f.flagged, byLabel: by(f.byLabel), bySource: by(f.bySource), byDetector: by(f.byDetector) }
}

describe('what partitions add up to does not depend on who adds it', () => {
  it('facts', () => {
    fc.assert(
      fc.property(facts, facts, facts, (a, b, c) => {
        expect(mergeFacts(mergeFacts(a, b), c)).toEqual(mergeFacts(a, mergeFacts(b, c)))
        expect(mergeFacts(a, b)).toEqual(mergeFacts(b, a))
        expect(mergeFacts(a, noFacts)).toEqual(a)
      }),
    )
  })

  it('flags', () => {
    fc.assert(
      fc.property(flags, flags, flags, (a, b, c) => {
        expect(sorted(mergeFlags(mergeFlags(a, b), c))).toEqual(sorted(mergeFlags(a, mergeFlags(b, c))))
        expect(sorted(mergeFlags(a, b))).toEqual(sorted(mergeFlags(b, a)))
        expect(sorted(mergeFlags(a, noFlags))).toEqual(sorted(a))
      }),
    )
  })
})
