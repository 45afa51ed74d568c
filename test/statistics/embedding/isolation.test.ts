import { describe, expect, it } from 'vitest'
import { keyed, type Random } from '../../../src/math/rng.ts'
import { isolatedIn } from '../../../src/statistics/embedding/isolated.ts'
import { findGap, testGap } from '../../../src/statistics/embedding/isolation.ts'

const seed = new Uint8Array(16)

/** p of a gap that the first half shows, in the second. */
function pOf(draw: (random: Random) => number, n: number, name: string): number {
  const random = keyed(seed, name)
  const half = () => Float64Array.from({ length: n }, () => draw(random))
  const gap = findGap(half())
  return gap ? testGap(half(), gap) : 1
}

const oneKind: readonly [string, (r: Random) => number][] = [
  ['normal', (r) => r.normal()],
  ['log-normal', (r) => Math.exp(r.normal())],
  ['exponential', (r) => -Math.log(1 - r.uniform())],
  ['heavy tails', (r) => r.normal() / Math.sqrt((r.normal() ** 2 + r.normal() ** 2 + r.normal() ** 2) / 3)],
  ['squares', (r) => r.normal() ** 2],
]

describe('the test that a tail rises again', () => {
  it.each(oneKind)('is silent about one kind of record: %s', (name, draw) => {
    const runs = 400
    const alarms = Array.from({ length: runs }, (_, i) => pOf(draw, 400, `${name} ${i}`)).filter((p) => p <= 0.05).length
    expect(alarms / runs).toBeLessThanOrEqual(0.05)
  })

  it('finds 3 % of records that lie apart', () => {
    const found = Array.from({ length: 50 }, (_, i) =>
      pOf((r) => (r.uniform() < 0.03 ? 9 + 0.7 * r.normal() : r.normal()), 500, `apart ${i}`),
    ).filter((p) => p <= 0.05).length
    expect(found).toBeGreaterThan(30)
  })

  it.each([
    [0.15, 0.25, true],
    // The half that chose the gap has few enough beyond it, the other has not.
    [0.3, 0.45, false],
  ])('of a part of %f of one half and %f of the other: %s', async (first, second, found) => {
    const random = keyed(seed, `parts ${first}`)
    const half = (share: number) => Float32Array.from({ length: 600 }, (_, i) => random.normal() + (i < 600 * share ? 15 : 0))
    const [a, b] = [half(first), half(second)]
    const isolated = await isolatedIn([a, b], async (data) => (data === a ? [{ kind: 'x', score: (rows) => Float64Array.from(rows) }] : []))
    expect(isolated !== null && isolated.p < 1e-6).toBe(found)
  })

  it('finds nothing in scores that are all equal, or none', () => {
    expect(findGap(new Float64Array(500).fill(3))).toBeNull()
    expect(findGap(new Float64Array(0))).toBeNull()
  })
})
