import { describe, expect, test } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { testTail } from '../../src/detectors/perturbation-noise/tail.ts'
import { zBins, zEdge } from '../../src/detectors/perturbation-noise/tally.ts'
import { perturbationNoise } from '../../src/detectors/perturbation-noise.ts'
import { openFeatures } from '../../src/features/open.ts'
import { keyed } from '../../src/math/rng.ts'
import { fitDetector, seed } from '../support/fit-detector.ts'
import { photo, setupFor, varied } from '../support/photos.ts'

const side = 32
const plan = { height: side, width: side, channels: 1 as const, noise: true, description: '' }

async function batches(pictures: readonly Uint8Array[], size: number, source?: (i: number) => number): Promise<Batch[]> {
  const features = await openFeatures(null, seed, () => {}, undefined, plan)
  const out: Batch[] = []
  for (let first = 0; first < pictures.length; first += size) {
    const part = pictures.slice(first, first + size)
    const data = new Uint8Array(part.length * side * side)
    part.forEach((p, i) => {
      data.set(p, i * side * side)
    })
    out.push(
      await features.apply(
        makeBatch({
          row: Uint32Array.from(part, (_, i) => first + i),
          id: part.map((_, i) => `r${first + i}`),
          label: { codes: Int32Array.from(part, (_, i) => (first + i) % 2), values: ['cat', 'dog'] },
          ...(source ? { source: { codes: Int32Array.from(part, (_, i) => source(first + i)), values: ['A', 'B'] } } : {}),
          image: { data, rows: part.length, dims: side * side, height: side, width: side, channels: 1 },
        }),
      ),
    )
  }
  return out
}

const grain = keyed(seed, 'grain')
/** A smooth scene with one textured part; the noise of the camera varies a little from one to the next. */
function scene(i: number): Uint8Array {
  const random = keyed(seed, `scene ${i}`)
  const out = photo(i, side, 1.5 * Math.exp(0.1 * grain.normal()), 3)
  const [left, top] = [random.below(16), random.below(16)]
  const blocks = Array.from({ length: 16 }, () => 30 * random.normal())
  for (let y = 0; y < 16; y++)
    for (let x = 0; x < 16; x++) {
      const at = (top + y) * side + left + x
      out[at] = Math.min(Math.max((out[at] as number) + (blocks[4 * (y >> 2) + (x >> 2)] as number), 0), 255)
    }
  return out
}
const clean = Array.from({ length: 420 }, (_, i) => scene(i))
const isPoisoned = (i: number): boolean => i % 20 === 0
const poisoned = clean.map((p, i) => (isPoisoned(i) ? varied(p, 20, `${i}`) : p))
const run = async (pictures: readonly Uint8Array[], size = 250, source?: (i: number) => number) =>
  fitDetector(
    perturbationNoise,
    {},
    setupFor(['noise', 'pixels', 'label', ...(source ? (['source'] as const) : [])], pictures.length, side),
    await batches(pictures, size, source),
  )

describe('perturbation-noise', () => {
  test('clean pictures give no finding', async () => {
    const { conclusion, flagged } = await run(clean)
    expect(conclusion.findings).toEqual([])
    expect(flagged.some(Boolean)).toBe(false)
    expect(conclusion.tests).toHaveLength(1)
  })

  test('perturbation-noise/excess: pictures with added noise stand out of their group', async () => {
    const { conclusion, flagged } = await run(poisoned)
    expect(conclusion.findings.map((f) => [f.rule, f.scope.names])).toEqual([['perturbation-noise/excess', ['raw, grey, from 32 pixels']]])
    const [finding] = conclusion.findings
    expect(finding?.message).toMatch(
      /^2\d of 420 pictures \(\d\.\d\d %\) of the group "raw, grey, from 32 pixels" have more high-frequency noise/,
    )
    expect(conclusion.tests[0]?.p).toBeLessThan(1e-3)
    const hits = flagged.filter((f, i) => f && isPoisoned(i)).length
    expect(hits).toBeGreaterThan(17)
    expect(flagged.filter(Boolean).length - hits).toBeLessThan(4)
    expect(finding?.evidence.map((e) => e.kind)).toEqual(['histogram', 'table', 'pictures', 'pictures'])
    expect(finding?.evidence.map((e) => (e.kind === 'pictures' ? e.ofRecords : null))).toEqual([null, null, false, true])
  })

  test('a noisy camera is no poison where the source is known', async () => {
    const noisy = clean.map((p, i) => (i % 3 === 0 ? varied(p, 16, `${i}`) : p))
    const { conclusion } = await run(noisy, 250, (i) => Number(i % 3 === 0))
    expect(conclusion.findings).toEqual([])
    expect(conclusion.tests.map((t) => t.id)).toEqual([
      'perturbation-noise/excess: A: raw, grey, from 32 pixels',
      'perturbation-noise/excess: B: raw, grey, from 32 pixels',
    ])
  })

  test('the same whatever the batches', async () => {
    const whole = await run(poisoned, 1000)
    const parts = await run(poisoned, 93)
    expect(parts.scores).toEqual(whole.scores)
    expect(parts.conclusion.tests).toEqual(whole.conclusion.tests)
    expect(parts.conclusion.findings[0]?.message).toBe(whole.conclusion.findings[0]?.message)
  })

  test('too few pictures, or no image: it says so', async () => {
    const { conclusion, scores } = await run(clean.slice(0, 60))
    expect(new Set(scores)).toEqual(new Set([0]))
    expect(conclusion.notes.at(-1)).toContain('60 pictures were not judged')
    expect(perturbationNoise.missing(setupFor(['label'], 10))).toBe('no column has the role image')
  })
})

describe('the test of the tail', () => {
  const histogram = (values: Iterable<number>): Float64Array => {
    const counts = new Float64Array(zBins)
    for (const v of values) {
      const bin = Math.min(Math.max(Math.floor((v - zEdge(0)) / (zEdge(1) - zEdge(0))), 0), zBins - 1)
      counts[bin] = (counts[bin] as number) + 1
    }
    return counts
  }
  const draws = (name: string, n: number, of: (r: ReturnType<typeof keyed>) => number): number[] => {
    const random = keyed(seed, name)
    return Array.from({ length: n }, () => of(random))
  }

  test.each<[string, (r: ReturnType<typeof keyed>) => number]>([
    ['normal', (r) => r.normal()],
    [
      'logistic',
      (r) => {
        const u = r.uniform()
        return Math.log(u / (1 - u))
      },
    ],
    ['Laplace', (r) => (r.uniform() < 0.5 ? -1 : 1) * -Math.log(1 - r.uniform())],
    ['Gumbel, its long tail above', (r) => -Math.log(-Math.log(r.uniform()))],
  ])('%s: false alarms at their level', (name, of) => {
    let alarms = 0
    for (let s = 0; s < 60; s++) if (testTail(histogram(draws(`${name} ${s}`, 2000, of)), 0.35).p <= 0.05) alarms++
    expect(alarms).toBeLessThanOrEqual(8)
  })

  test('a second group of pictures is found', () => {
    const values = [...draws('body', 3000, (r) => r.normal()), ...draws('shift', 30, (r) => 6 + 0.7 * r.normal())]
    const found = testTail(histogram(values), 0.35)
    expect(found.p).toBeLessThan(1e-6)
    expect(found.beyond).toBeGreaterThan(25)
  })
})
