import { describe, expect, test } from 'vitest'
import { tailAt } from '../../src/detectors/near-duplicate-image/judge.ts'
import { nearDuplicateImage } from '../../src/detectors/near-duplicate-image.ts'
import { fitDetector } from '../support/fit-detector.ts'
import { batchesOf, photo, type Shot, setupFor, varied } from '../support/photos.ts'

const rows = 300
const labels = ['cat', 'dog']
const sources = ['A', 'B', 'C']
const clean = (withSource = false): Shot[] => {
  const shots = Array.from({ length: rows }, (_, i) => ({
    data: photo(i),
    label: labels[i % 2] as string,
    ...(withSource ? { source: sources[i % 3] as string } : {}),
  }))
  // Copies as every set of some size has them: twelve pairs that agree.
  for (let k = 0; k < 12; k++) shots[rows - 1 - 2 * k] = { ...(shots[k] as (typeof shots)[number]) }
  return shots
}

const run = (shots: readonly Shot[], given: unknown = {}, size = 100) => {
  const columns = ['pixels', ...(['label', 'source'] as const).filter((c) => shots.some((s) => s[c] !== undefined))] as const
  return fitDetector(nearDuplicateImage, given, setupFor(columns, shots.length), batchesOf(shots, size))
}

describe('near-duplicate-image', () => {
  test('ordinary pairs are no finding, and nothing is flagged', async () => {
    const { conclusion, flagged } = await run(clean(true))
    expect(conclusion.findings).toEqual([])
    expect(flagged.some(Boolean)).toBe(false)
    expect(conclusion.notes[0]).toContain('12 pictures occur more than once, in 24 of 300 records; 0 of them')
  })

  test('near-duplicate-image/flood: small variations of one picture, with and without labels', async () => {
    const flood: Shot[] = Array.from({ length: 40 }, (_, k) => ({ data: varied(photo(77), 3, `${k}`), label: 'cat' }))
    const { conclusion, flagged } = await run([...clean(), ...flood])
    expect(conclusion.findings.map((f) => [f.rule, f.severity])).toEqual([['near-duplicate-image/flood', 'high']])
    const [finding] = conclusion.findings
    expect(finding?.count).toBe(41)
    expect(finding?.message).toMatch(
      /^One picture occurs 41 times, in .* the next most frequent occurs 2 times\. Labels: "cat" 40, "dog" 1\.$/,
    )
    expect(conclusion.tests.find((t) => t.id === finding?.test)?.p).toBeLessThan(1e-4)
    expect(flagged.filter(Boolean)).toHaveLength(41)
    expect(flagged.slice(rows).every(Boolean)).toBe(true)
    const pictures = finding?.evidence[0]
    expect(pictures).toMatchObject({ kind: 'pictures', ofRecords: true })
    expect(pictures?.kind === 'pictures' && pictures.items).toHaveLength(12)

    const bare = [...clean(), ...flood].map(({ data }) => ({ data }))
    const unlabelled = await run(bare)
    expect(unlabelled.conclusion.findings.map((f) => f.rule)).toEqual(['near-duplicate-image/flood'])
  })

  test('three floods at once do not hide each other', async () => {
    const shots = clean()
    for (const of of [30, 31, 32]) for (let k = 0; k < 30; k++) shots.push({ data: varied(photo(of), 2, `${of} ${k}`), label: 'dog' })
    const { conclusion } = await run(shots)
    expect(conclusion.findings.filter((f) => f.rule === 'near-duplicate-image/flood')).toHaveLength(3)
  })

  test('near-duplicate-image/label-conflict: copies with another label, over the whole set', async () => {
    const shots = clean()
    for (let k = 0; k < 20; k++) shots.push({ data: varied(photo(100 + 2 * k), 2, `${k}`), label: 'dog' })
    const { conclusion, flagged } = await run(shots)
    expect(conclusion.findings.map((f) => [f.rule, f.scope.kind])).toEqual([['near-duplicate-image/label-conflict', 'dataset']])
    expect(conclusion.findings[0]?.message).toContain('20 of 32 pictures that occur more than once have more than one label')
    expect(flagged.filter(Boolean)).toHaveLength(40)
  })

  test('near-duplicate-image/label-conflict: by one source among others', async () => {
    const shots = clean(true)
    for (let k = 0; k < 60; k++) {
      const bad = k % 10 === 0
      const original = shots[40 + k] as Shot
      shots.push({
        data: varied(original.data, 2, `${k}`),
        label: bad ? (original.label === 'cat' ? 'dog' : 'cat') : (original.label as string),
        source: bad ? 'D' : 'B',
      })
    }
    const { conclusion } = await run(shots, { conflicts: 0.2 })
    expect(conclusion.findings.map((f) => [f.rule, f.scope.kind, f.scope.names])).toEqual([
      ['near-duplicate-image/label-conflict', 'source', ['D']],
    ])
    expect(conclusion.findings[0]?.message).toContain('Of 6 copied pictures that source "D" holds, 6 have more than one label')
  })

  test('one picture with many labels', async () => {
    const shots = clean()
    for (let k = 0; k < 10; k++) shots.push({ data: photo(50), label: labels[k % 2] as string })
    const { conclusion } = await run(shots)
    const conflict = conclusion.findings.find((f) => f.rule === 'near-duplicate-image/label-conflict')
    expect(conflict?.message).toBe('Of 11 copies of one picture 5 have another label than the rest: "cat" 6, "dog" 5.')
  })

  test('pictures of one shade are for review', async () => {
    const shots = clean()
    for (let k = 0; k < 30; k++) shots.push({ data: new Uint8Array(24 * 24).fill(k % 2), label: labels[k % 2] as string })
    shots.push({ data: new Uint8Array(24 * 24).fill(200), label: 'cat' })
    const { conclusion } = await run(shots)
    expect(conclusion.findings.map((f) => [f.severity, f.test, f.message])).toEqual([
      ['review', null, '31 records are pictures of one shade.'],
    ])
  })

  test('pictures that merely hash alike are told apart by their pixels', async () => {
    // Equal low frequencies, other details.
    const shots: Shot[] = Array.from({ length: 60 }, (_, k) => ({ data: varied(photo(5, 24, 0), 60, `${k}`), label: 'cat' }))
    const { conclusion, scores } = await run(shots)
    expect(Math.max(...scores)).toBe(0)
    expect(conclusion.findings).toEqual([])
  })

  test('the same whatever the batches, and within its memory', async () => {
    const shots = [
      ...clean(true),
      ...Array.from({ length: 12 }, (_, k) => ({ data: varied(photo(9), 2, `${k}`), label: 'cat', source: 'A' })),
    ]
    const whole = await run(shots, { flood: 5 }, 1000)
    const parts = await run(shots, { flood: 5 }, 17)
    expect(parts.conclusion).toEqual(whole.conclusion)
    expect(parts.scores).toEqual(whole.scores)
  })

  test('says why it cannot run', () => {
    expect(nearDuplicateImage.missing(setupFor(['text', 'label'], 10))).toBe('no column has the role image')
  })
})

describe('the tail of the copies', () => {
  const sizes = (...records: number[]) =>
    records.map((n, index) => ({ index, name: '', blank: false, records: n, exact: n, labels: [], sources: [], links: 0, conflicts: 0 }))

  test('is steep among pairs, flat where frequent pictures are usual', () => {
    expect(tailAt(20, [])).toBeCloseTo(0.001, 6)
    expect(tailAt(20, sizes(...Array(30).fill(2)))).toBeLessThan(1e-5)
    expect(tailAt(20, sizes(...Array(30).fill(2), ...Array(30).fill(8)))).toBeGreaterThan(0.05)
  })
})
