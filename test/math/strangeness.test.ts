import { describe, expect, it } from 'vitest'
import { keyed } from '../../src/math/rng.ts'
import { strangeness } from '../../src/math/strangeness.ts'

const dims = 32
const random = keyed(new Uint8Array(16), 'strangeness')
/** `rows` records around `centre` in the first feature, all in the group that `group` says. */
const records = (rows: number, centre: number, group: (i: number) => number) => {
  const data = random.normals(rows * dims).map((v, at) => (at % dims === 0 ? v + centre : v))
  return { rows, dims, at: (i: number, j: number) => data[i * dims + j] as number, group }
}

describe('strangeness', () => {
  it('is about nothing of a random part, and grows with the distance', () => {
    const reference = records(1000, 0, () => 0)
    expect(
      Math.abs(
        strangeness(
          records(100, 0, () => 0),
          reference,
        ),
      ),
    ).toBeLessThan(0.005)
    const [near, far] = [2, 6].map((centre) =>
      strangeness(
        records(100, centre, () => 0),
        reference,
      ),
    ) as [number, number]
    // centre² of 32 unit variances
    expect(near).toBeCloseTo(4 / 32, 1)
    expect(far).toBeGreaterThan(near)
  })

  it('compares within groups, and leaves out a group that the reference does not have', () => {
    const reference = { ...records(1000, 0, (i) => i % 2) }
    const shifted = { ...reference, at: (i: number, j: number) => reference.at(i, j) + (j === 0 && i % 2 ? 6 : 0) }
    const ofSecond = records(100, 6, () => 1)
    expect(Math.abs(strangeness(ofSecond, shifted))).toBeLessThan(0.02)
    expect(strangeness({ ...ofSecond, group: () => 0 }, shifted)).toBeGreaterThan(0.5)
    expect(strangeness({ ...ofSecond, group: () => 9 }, shifted)).toBe(0)
  })
})
