import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crossing, scanBusy } from '../../src/history/busy.ts'
import { leastBefore, leastBusy } from '../../src/history/scan.ts'
import { keyed } from '../../src/math/rng.ts'

const logLikelihood = (k: number, n: number): number => (k === 0 || k === n ? 0 : k * Math.log(k / n) + (n - k) * Math.log(1 - k / n))

/** Whether a stretch that ends with the last night has a higher rate than before it, with so large a log likelihood ratio. */
function reaches(isBusy: readonly boolean[], ratio: number): boolean {
  const nights = isBusy.length
  const busy = isBusy.filter(Boolean).length
  for (let length = 1; length <= nights - leastBefore; length++) {
    const k = isBusy.slice(-length).filter(Boolean).length
    if (k < leastBusy || k / length <= busy / nights) continue
    if (logLikelihood(k, length) + logLikelihood(busy - k, nights - length) - logLikelihood(busy, nights) >= ratio) return true
  }
  return false
}

/** The same probability by looking at every choice of busy nights; idle nights come first. */
function byEnumeration(odds: readonly number[], busy: number, ratio: number, idle: number): number {
  const mean = odds.reduce((a, b) => a + b, 0) / odds.length
  const all = [...Array.from({ length: idle }, () => mean), ...odds]
  let [total, hit] = [0, 0]
  for (let choice = 0; choice < 2 ** all.length; choice++) {
    const isBusy = all.map((_, i) => (choice >> i) % 2 === 1)
    if (isBusy.filter(Boolean).length !== busy) continue
    const weight = all.reduce((product, odd, i) => product * (isBusy[i] ? odd : 1), 1)
    total += weight
    const own = isBusy.slice(idle)
    // The ratio is that of the nights that were seen, whatever lies among the idle ones.
    const ownBusy = own.filter(Boolean).length
    const shown = own.map((b) => b)
    for (let missing = busy - ownBusy, i = 0; missing > 0 && i < leastBefore; i++) if (!shown[i]) [shown[i], missing] = [true, missing - 1]
    if (shown.filter(Boolean).length === busy && reaches(shown, ratio)) hit += weight
  }
  return hit / total
}

const streamOf = (events: readonly number[], exposure = events.map(() => 1_000)) => ({
  names: ['a', 'b'],
  events: Float64Array.from(events),
  exposure: Float64Array.from(exposure),
})
const logP = (...streams: readonly ReturnType<typeof streamOf>[]): number =>
  Math.min(0, ...scanBusy({ streams, possible: streams.length, silentExposure: 0 }).map((s) => s.logP))

describe('the exact probability of the scan', () => {
  test('is that of looking at every choice of busy nights', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.05, max: 3, noNaN: true }), { minLength: 13, maxLength: 14 }),
        fc.integer({ min: 3, max: 5 }),
        fc.double({ min: 0.5, max: 8, noNaN: true }),
        fc.integer({ min: 0, max: 2 }),
        (odds, busy, ratio, idle) => {
          expect(crossing(odds, busy, ratio, idle)).toBeCloseTo(byEnumeration(odds, busy, ratio, idle), 9)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('falls with the ratio and with idle nights of the past, and is a probability', () => {
    const odds = Array.from({ length: 45 }, () => 0.2)
    const at = (ratio: number, idle = 0): number => crossing(odds, 8, ratio, idle)
    expect(at(3)).toBeLessThanOrEqual(1)
    expect(at(6)).toBeLessThan(at(3))
    expect(at(6, 50)).toBeLessThan(at(6))
  })
})

describe('busy nights', () => {
  test('one event in each of six nights stands out where one night in ten had one', () => {
    const past = Array.from({ length: 39 }, (_, i) => (i % 10 === 4 ? 1 : 0))
    expect(logP(streamOf([...past, 1, 1, 1, 1, 1, 1]))).toBeLessThan(Math.log(1e-4))
    expect(logP(streamOf([...past, 1, 0, 0, 0, 0, 0]))).toBe(0)
  })

  test('a batch, however large, is one busy night', () => {
    const past = Array.from({ length: 39 }, (_, i) => (i % 10 === 4 ? 1 : 0))
    expect(logP(streamOf([...past, 0, 0, 0, 0, 0, 900]))).toBe(0)
  })

  test.each([
    ['few events', 0.2, 0],
    ['many', 8, 0],
    ['many, of a class that grows', 8, 0.005],
    ['many, of a class that shrinks', 8, -0.005],
  ])('%s at random: p-values are at most as often small as they say', (_, rate, growth) => {
    const random = keyed(Buffer.from('busy'), `${rate} ${growth}`)
    const poisson = (mean: number): number => {
      let count = 0
      for (let product = random.uniform(); product > Math.exp(-mean); product *= random.uniform()) count++
      return count
    }
    const histories = 1_000
    let small = 0
    for (let i = 0; i < histories; i++) {
      const exposure = Array.from({ length: 54 }, (_, night) => 1_000 * (1 + growth) ** night)
      const events = exposure.map((x) => poisson((rate * x) / 1_000))
      if (logP(streamOf(events, exposure)) <= Math.log(0.01)) small++
    }
    // Ten are expected at most; more than 22 have a probability of 1e-4.
    expect(small).toBeLessThanOrEqual(22)
  })
})
