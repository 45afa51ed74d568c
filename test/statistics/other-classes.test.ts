import { describe, expect, test } from 'vitest'
import { keyed } from '../../src/math/rng.ts'
import { logOfOtherClasses, type WhiteRows } from '../../src/statistics/trigger-search/other-classes.ts'

const dims = 20

/** Records of classes with variance 1 around means that lie `apart`, each row of the class that `of` says, plus a pattern. */
function rowsOf(name: string, rows: number, of: (row: number) => number, apart: number, pattern = 0): WhiteRows {
  const random = keyed(new Uint8Array(16), name)
  const data = Float32Array.from({ length: rows * dims }, (_, i) => {
    const [row, j] = [Math.floor(i / dims), i % dims]
    return random.normal() + (j === of(row) ? apart : 0) + (j === dims - 1 ? pattern : 0)
  })
  return { data, rows }
}

describe('part of a class that may be of other classes', () => {
  const others = [1, 2, 3, 4].map((c) => rowsOf(`class ${c}`, 200, () => c, 6))
  const rest = rowsOf('rest', 300, () => 0, 6)
  const p = (part: WhiteRows, all = others, own = rest) => logOfOtherClasses(part, own, all, dims)

  test('is, where it is a mixture of them, whatever pattern all of it carries', async () => {
    for (const pattern of [0, 5, 50]) expect(await p(rowsOf('mixture', 30, (r) => 1 + (r % 4), 6, pattern))).toBeLessThan(Math.log(1e-4))
  })

  test('is not, where it is a style of the class, or some other class alone: that differs no more among itself', async () => {
    expect(await p(rowsOf('style', 30, () => 0, 6, 8))).toBeGreaterThan(Math.log(0.5))
    expect(await p(rowsOf('one class', 30, () => 2, 6, 8))).toBeGreaterThan(Math.log(0.5))
  })

  test('p-values of random parts of the class are not too small', async () => {
    let small = 0
    for (let i = 0; i < 60; i++) small += Number((await p(rowsOf(`part ${i}`, 40, () => 0, 6))) < Math.log(0.05))
    expect(small).toBeLessThanOrEqual(3)
  })

  test('cannot be told with one other class, or where classes overlap', async () => {
    const mixture = rowsOf('mixture', 30, (r) => 1 + (r % 4), 6)
    expect(await p(mixture, others.slice(0, 1))).toBe(0)
    const near = [1, 2, 3, 4].map((c) => rowsOf(`near ${c}`, 200, () => c, 0.3))
    expect(
      await p(
        rowsOf('near mixture', 30, (r) => 1 + (r % 4), 0.3),
        near,
      ),
    ).toBe(0)
  })
})
