import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logBetaBinomialUpper, rateModel } from '../../src/math/overdispersion.ts'
import { keyed } from '../../src/math/rng.ts'
import { logStratifiedUpper } from '../../src/math/strata.ts'
import { binomialUpper, hypergeometricUpper } from '../../src/math/tests.ts'

describe('sums of hypergeometric counts', () => {
  it('of one stratum are hypergeometric', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.nat(60), fc.nat(60), (population, marked, drawn, k) => {
        fc.pre(marked <= population && drawn <= population)
        const { log, exact } = logStratifiedUpper(k, [{ population, marked, drawn }])
        expect(exact).toBe(true)
        expect(Math.exp(log)).toBeCloseTo(hypergeometricUpper(k, population, marked, drawn), 10)
      }),
    )
  })

  it('of two strata are what counting all draws gives', () => {
    // strata of 4 (2 marked, 2 drawn) and 3 (1 marked, 1 drawn): 6 x 3 draws, of which 1 x 1 have three marked, 4 x 1 + 1 x 2 two
    const strata = [
      { population: 4, marked: 2, drawn: 2 },
      { population: 3, marked: 1, drawn: 1 },
    ]
    expect([0, 1, 2, 3, 4].map((k) => Math.exp(logStratifiedUpper(k, strata).log) * 18)).toEqual(
      [18, 16, 7, 1, 0].map((n) => expect.closeTo(n, 10)),
    )
  })

  it('of strata without a choice are certain', () => {
    expect(logStratifiedUpper(5, [{ population: 5, marked: 5, drawn: 5 }])).toEqual({ log: 0, exact: true })
    expect(logStratifiedUpper(6, [{ population: 5, marked: 5, drawn: 5 }]).log).toBe(-Infinity)
  })

  it('beyond the budget are bounded from above, within a factor that a bound may cost', () => {
    const strata = Array.from({ length: 1500 }, () => ({ population: 40, marked: 8, drawn: 20 }))
    const { log, exact } = logStratifiedUpper(6600, strata)
    expect(exact).toBe(false)
    // mean 6000, variance 1500 * 20 * 0.2 * 0.8 * 20 / 39 = 2461.5: z = 12.08, P = 6.6e-34 by the normal tail
    expect(log / Math.LN10).toBeGreaterThan(-33.5)
    expect(log / Math.LN10).toBeLessThan(-31)
  })
})

describe('beta-binomial tails', () => {
  // sums of binomial(n, x) B(x + a, n - x + b) / B(a, b) with mpmath (40 digits), a = mean / theta, b = (1 - mean) / theta
  it.each([
    [5, 10, 0.1, 0.5, 0.073469714432],
    [10, 10, 0.05, 1, 0.005748907534204147],
    [60, 60, 0.05, 0.1, 1.282553692515454e-12],
    [3, 200, 0.02, 0.02, 0.5166545770387282],
  ])('P(X >= %d), n %d, mean %d, theta %d', (k, trials, mean, theta, expected) => {
    expect(Math.exp(logBetaBinomialUpper(k, trials, { mean, theta })) / expected).toBeCloseTo(1, 9)
  })

  it('are binomial without overdispersion', () => {
    for (const [k, n, p] of [
      [3, 20, 0.1],
      [20, 20, 0.3],
      [0, 5, 0.2],
      [150, 1000, 0.1],
    ] as const)
      expect(Math.exp(logBetaBinomialUpper(k, n, { mean: p, theta: 0 })) / binomialUpper(k, n, p)).toBeCloseTo(1, 9)
  })
})

describe('a model of rates', () => {
  const random = keyed(new Uint8Array(32), 'rates')
  const draw = (trials: number, rate: number) => {
    let successes = 0
    for (let i = 0; i < trials; i++) successes += random.uniform() < rate ? 1 : 0
    return { trials, successes }
  }
  const beta = (a: number, b: number): number => {
    // Johnk's method, for a and b at most 1
    for (;;) {
      const x = random.uniform() ** (1 / a)
      const y = random.uniform() ** (1 / b)
      if (x + y <= 1 && x + y > 0) return x / (x + y)
    }
  }
  const even = Array.from({ length: 400 }, () => draw(20, 0.05))

  it('is surprised by a group that succeeds wholly among groups that seldom do', () => {
    const group = { trials: 30, successes: 30 }
    const model = rateModel([...even, group])
    expect(model.logExcess(group, 1e-9)).toBeLessThan(Math.log(1e-8))
    expect(model.logScreen(group)).toBeLessThanOrEqual(model.logExcess(group, 1e-9))
  })

  it('is not surprised where the rates of groups differ as much', () => {
    const group = { trials: 30, successes: 30 }
    const spread = Array.from({ length: 200 }, () => draw(25, beta(0.2, 0.8)))
    expect(rateModel([...spread, group]).logExcess(group, 1e-6)).toBeGreaterThan(Math.log(0.01))
  })

  it('claims nothing where the others never succeed, or are none', () => {
    const group = { trials: 30, successes: 30 }
    const never = Array.from({ length: 50 }, () => ({ trials: 20, successes: 0 }))
    expect(rateModel([...never, group]).logExcess(group, 1e-6)).toBeGreaterThan(Math.log(0.01))
    expect(rateModel([group]).logExcess(group, 1e-6)).toBeGreaterThan(Math.log(0.9))
  })

  it('gives p-values that are not too small, whatever the rates are', () => {
    let low = 0
    for (let run = 0; run < 200; run++) {
      const groups = Array.from({ length: 60 }, () => draw(3 + random.below(30), beta(0.2, 1)))
      const model = rateModel(groups)
      if (model.logExcess(groups[0] as never, 1e-3) < Math.log(0.05)) low += 1
    }
    expect(low / 200).toBeLessThan(0.075)
  })
})
