import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  benjaminiHochberg,
  binomialLower,
  binomialUpper,
  bonferroni,
  clopperPearson,
  fisherExact,
  hypergeometricLower,
  hypergeometricUpper,
  logBinomialUpper,
  logHypergeometricUpper,
  normalUpper,
  normalUpperQuantile,
  robustZ,
} from '../../src/math/tests.ts'

// Expected values: exact rational sums with mpmath (40 digits), intervals (beta quantiles), adjusted p-values and Fisher's test with SciPy 1.17.
const relative = (actual: number, expected: number): number => (expected === 0 ? Math.abs(actual) : Math.abs(actual / expected - 1))

describe('tails', () => {
  test.each([
    [27, 100, 0.1, 0.0000012239434169526194],
    [5, 10, 0.5, 0.623046875],
    [400, 1000, 0.05, 8.989127960277247e-244],
    [1, 1_000_000, 1e-7, 0.0951625864882278],
    [600, 1000, 0.6, 0.5137298582871435],
    [990, 1000, 0.3, 0],
    [0, 7, 0.3, 1],
    [8, 7, 0.3, 0],
    [7, 7, 1, 1],
    [1, 7, 0, 0],
  ])('binomial P(X >= %d), n %d, p %d', (k, n, p, expected) => {
    expect(relative(binomialUpper(k, n, p), expected)).toBeLessThan(1e-12)
  })

  test.each([
    [27, 6000, 600, 50, 6.7810346170235265e-15],
    [10, 20, 10, 10, 0.000005412544112234515],
    [5, 100, 30, 20, 0.7908367991741939],
    [200, 60000, 300, 6000, 7.865611628266829e-125],
    [25, 60000, 540, 6000, 0.9999986270377241],
    [3, 10, 9, 9, 1],
    [150, 1000, 160, 170, 6.968938426380013e-142],
    [300, 60000, 300, 6000, 1.0554065780166215e-303],
    [0, 0, 0, 0, 1],
  ])('hypergeometric P(X >= %d), population %d, marked %d, drawn %d', (k, population, marked, drawn, expected) => {
    expect(relative(hypergeometricUpper(k, population, marked, drawn), expected)).toBeLessThan(1e-11)
  })

  test.each([
    [2, 100, 30, 20, 0.022681166330656893],
    [5, 60000, 540, 6000, 1.083122339111386e-18],
    [20, 1000, 160, 170, 0.05866657755172162],
  ])('hypergeometric P(X <= %d), population %d, marked %d, drawn %d', (k, population, marked, drawn, expected) => {
    expect(relative(hypergeometricLower(k, population, marked, drawn), expected)).toBeLessThan(1e-9)
  })

  test.each([
    [826, 4708, 1214, 826, -1425.3460799689294],
    [900, 4708, 1214, 1000, -1289.324344921833],
    [30, 4708, 3494, 30, -8.978740831504552],
    [5, 100, 30, 20, -0.2346636546583447],
    [0, 10, 3, 4, 0],
    [5, 10, 4, 8, -Infinity],
  ])('log of the hypergeometric P(X >= %d), population %d, marked %d, drawn %d', (k, population, marked, drawn, expected) => {
    const log = logHypergeometricUpper(k, population, marked, drawn)
    if (Number.isFinite(expected)) expect(log).toBeCloseTo(expected, 9)
    else expect(log).toBe(expected)
  })

  test.each([
    [900, 1000, 0.05, -2379.3692299963886],
    [3, 10, 0.5, -0.056239718322875554],
    [11, 10, 0.5, -Infinity],
  ])('log of the binomial P(X >= %d), n %d, p %d', (k, n, p, expected) => {
    const log = logBinomialUpper(k, n, p)
    if (Number.isFinite(expected)) expect(log).toBeCloseTo(expected, 9)
    else expect(log).toBe(expected)
  })

  test('both tails add up to one and the mass between them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 400 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (k, n, p) => {
          expect(binomialUpper(k, n, p) + binomialLower(k - 1, n, p)).toBeCloseTo(1, 12)
        },
      ),
    )
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.nat(500), fc.nat(200), (population, m, d, k) => {
        const marked = Math.min(m, population)
        const drawn = Math.min(d, population)
        const upper = hypergeometricUpper(k, population, marked, drawn)
        expect(upper + hypergeometricLower(k - 1, population, marked, drawn)).toBeCloseTo(1, 12)
        expect(hypergeometricUpper(k, population, drawn, marked)).toBeCloseTo(upper, 12)
      }),
    )
  })

  test.each([
    [[8, 2, 1, 5], 0.024475524475524483, 0.9991258741258742, 0.034965034965034975],
    [[3, 1, 1, 3], 0.24285714285714283, 0.9857142857142858, 0.48571428571428565],
    [[100, 50, 60, 90], 0.0000028298695116561467, 0.9999990992575836, 0.000005659739023312293],
    [[0, 5, 5, 0], 1, 0.003968253968253969, 0.007936507936507938],
  ] as const)('Fisher exact %j', ([a, b, c, d], greater, less, both) => {
    expect(relative(fisherExact(a, b, c, d, 'greater'), greater)).toBeLessThan(1e-10)
    expect(relative(fisherExact(a, b, c, d, 'less'), less)).toBeLessThan(1e-10)
    expect(relative(fisherExact(a, b, c, d, 'two-sided'), both)).toBeLessThan(1e-10)
  })

  test.each([
    [0, 0.5],
    [0.5, 0.3085375387259869],
    [1.96, 0.024997895148220435],
    [2, 0.02275013194817921],
    [3, 0.0013498980316300946],
    [6, 9.86587645037698e-10],
    [10, 7.619853024160525e-24],
    [37, 5.725571222524577e-300],
    [-1.5, 0.9331927987311419],
  ])('normal P(Z >= %d)', (z, expected) => {
    expect(relative(normalUpper(z), expected)).toBeLessThan(1e-12)
  })

  test.each([
    [0.5, 0],
    [0.025, 1.9599639845400545],
    [1e-10, 6.361340902404056],
    [1e-300, 37.0470962993612],
    [0.9, -1.2815515655446004],
  ])('normal quantile of %d', (p, expected) => {
    expect(normalUpperQuantile(p)).toBeCloseTo(expected, 11)
  })

  test('what is no count or probability is refused', () => {
    expect(() => binomialUpper(1, 2.5, 0.5)).toThrow('n must be a count, not 2.5')
    expect(() => binomialUpper(1, 2, Number.NaN)).toThrow('p must lie in 0..1, not NaN')
    expect(() => hypergeometricUpper(1, 5, 6, 1)).toThrow('6 marked and 1 drawn of a population of 5')
    expect(() => benjaminiHochberg([0.1, 1.5])).toThrow('p must lie in 0..1, not 1.5')
  })
})

describe('intervals', () => {
  test.each([
    [0, 10, 0.95, 0, 0.30849710781876294],
    [3, 10, 0.95, 0.06673951117773447, 0.652452850060008],
    [27, 540, 0.99, 0.02897102045393307, 0.07931697996848551],
    [10, 10, 0.9, 0.7411344491066528, 1],
    [1, 1_000_000, 0.95, 2.53178076637942e-8, 0.000005571630655166939],
    [999_999, 1_000_000, 0.95, 0.9999944283693444, 0.9999999746821948],
    [5000, 10_000, 0.95, 0.4901513805899749, 0.509848619410025],
  ])('Clopper-Pearson of %d in %d at %d', (k, n, level, low, high) => {
    const interval = clopperPearson(k, n, level)
    expect(interval.low).toBeCloseTo(low, 12)
    expect(interval.high).toBeCloseTo(high, 12)
    if (low > 0) expect(relative(interval.low, low)).toBeLessThan(1e-9)
    expect(interval.estimate).toBe(k / n)
  })

  test('the limits are where the tails are half of what is left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(3000), (n, x) => {
        const k = Math.min(n, x)
        const { low, high } = clopperPearson(k, n, 0.95)
        if (k > 0) expect(binomialUpper(k, n, low)).toBeCloseTo(0.025, 9)
        if (k < n) expect(binomialLower(k, n, high)).toBeCloseTo(0.025, 9)
      }),
    )
  })
})

describe('correction', () => {
  test('Benjamini-Hochberg', () => {
    const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.005, 0.8, 0.2, 0.04])
    const expected = [0.035, 0.056, 0.056, 0.035, 0.8, 0.23333333333333336, 0.056]
    for (const [i, p] of expected.entries()) expect(adjusted[i]).toBeCloseTo(p, 14)
  })

  test('hypotheses that are not listed count', () => {
    expect([...benjaminiHochberg([0.01, 0.02], 10)]).toEqual([0.1, 0.1])
    expect([...bonferroni([0.01, 0.2], 10)]).toEqual([0.1, 1])
    expect(benjaminiHochberg([])).toHaveLength(0)
  })

  test('adjusted p-values keep the order, and lie between raw and Bonferroni', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), (p) => {
        const adjusted = benjaminiHochberg(p)
        const strict = bonferroni(p)
        p.forEach((a, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(a)
          expect(adjusted[i]).toBeLessThanOrEqual((strict[i] as number) * (1 + 1e-15))
          p.forEach((b, j) => {
            if (a <= b) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] as number)
          })
        })
      }),
    )
  })
})

test('robust z', () => {
  expect([...robustZ([1, 2, 3, 4, 100])].map((z) => Math.round(z * 1000) / 1000)).toEqual([-1.349, -0.674, 0, 0.674, 65.426])
  expect([...robustZ([5, 5, 5, 6])]).toEqual([0, 0, 0, Number.POSITIVE_INFINITY])
  expect(robustZ([])).toHaveLength(0)
})
