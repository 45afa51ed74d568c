import { describe, expect, it } from 'vitest'
import { addDisagreement, cellTests, depthCells, pooledTest } from '../../../src/statistics/label-model/cells.ts'

/** Two classes; of `count` disagreements from the first to the second a share lies in the inner half, evenly. */
function disagreements(count: number, deepShare: number) {
  const cells = depthCells(2)
  for (let i = 0; i < count; i++) {
    const place = (i + 0.5) / count
    addDisagreement(cells, 1, place < deepShare ? 0.5 + (0.5 * place) / deepShare : (0.5 * (place - deepShare)) / (1 - deepShare))
  }
  return cells
}

describe('the depth of disagreements', () => {
  it('is that of flips where half of them lie in the inner half, also of a model that tells little', () => {
    for (const told of [0.4, 0.55, 0.9]) {
      const cells = disagreements(400, 0.5)
      expect(cellTests(cells, told)).toMatchObject([{ given: 0, predicted: 1, count: 400, deep: 200 }])
      expect(cellTests(cells, told)[0]?.p).toBeLessThan(1e-6)
      expect(pooledTest(cells, told)).toBeLessThan(1e-6)
    }
  })

  it('is that of hard records at a quarter, and a little more where classes overlap', () => {
    const [quarter, more] = [disagreements(5000, 0.2), disagreements(5000, 0.29)]
    for (const told of [0.4, 0.55, 0.9]) expect(cellTests(quarter, told)[0]?.p).toBeGreaterThan(0.05)
    expect(cellTests(more, 0.9)[0]?.p).toBeLessThan(1e-6)
    // Reviews of films had 27 % by a model that tells 40 % beyond a guess.
    expect(cellTests(more, 0.4)[0]?.p).toBeGreaterThan(0.05)
  })
})
