import { expect, it } from 'vitest'
import { robustScale } from '../../src/math/robust-scale.ts'

it('is the middle and its width, however long the tail; mean and deviation where the middle is one value; 0 of none', () => {
  const even = Array.from({ length: 100 }, (_, i) => i)
  expect(robustScale(even)).toEqual({ centre: 50, scale: 80 / 2.56 })
  expect(robustScale([...even.slice(0, -1), 1e12])).toEqual({ centre: 50, scale: 80 / 2.56 })
  expect(robustScale([0, ...Array.from({ length: 98 }, () => 5), 10])).toEqual({ centre: 5, scale: Math.sqrt(50 / 100) })
  expect(robustScale([])).toEqual({ centre: 0, scale: 0 })
})
