import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { beforeAll, describe, expect, it } from 'vitest'
import { assay, scratch } from '../e2e/program.ts'
import { generator } from '../e2e/records.ts'
import { dataFolder, rowsIn } from './arrays.ts'
import { type Arrays, arrayBytes, arraysOf } from './npz.ts'

const path = scratch()
const publisher = dataFolder('pneumoniamnist', 'publisher.npz')
const vendor = dataFolder('pneumoniamnist', 'vendor-copy.npz')
const classes = ['--classes', 'normal,pneumonia']
const splits = ['train', 'val', 'test'] as const

interface Compared {
  readonly code: number | null
  readonly stdout: string
  readonly rows: readonly Record<string, string>[]
  readonly report: {
    readonly verdict: string
    readonly headline: string
    readonly findings: readonly { readonly rule: string; readonly severity: string; readonly message: string; readonly count: number }[]
    readonly provenance: {
      readonly changes: {
        readonly counts: Record<string, number>
        readonly duplicates: { readonly before: number; readonly after: number }
        readonly concentrations: readonly {
          readonly axis: string
          readonly cell: string
          readonly concentrated: boolean
          readonly adjusted: number
          readonly log10P: number
        }[]
      }
    }
  }
}

async function diff(before: string, after: string, name: string): Promise<Compared> {
  const runDir = path(name)
  const { code, stdout, stderr } = await assay(['diff', before, after, ...classes, '--run-dir', runDir, '--progress', 'none'])
  expect(stderr).toBe('')
  const report = JSON.parse(readFileSync(join(runDir, 'report.json'), 'utf8')) as Compared['report']
  return { code, stdout, rows: rowsIn(join(runDir, 'changes.csv')), report }
}

/** Images as texts, row by row. */
const picturesIn = (arrays: Arrays, split: string): string[] => {
  const { data, shape } = arrays[`${split}_images`] as Arrays[string]
  const size = data.length / (shape[0] as number)
  return Array.from({ length: shape[0] as number }, (_, i) => Buffer.from(data.subarray(i * size, (i + 1) * size)).toString('latin1'))
}

const original = arraysOf(publisher)
const copy = arraysOf(vendor)
const labelsIn = (arrays: Arrays, split: string): Uint8Array => (arrays[`${split}_labels`] as Arrays[string]).data

/** The publisher's file with other labels in some rows of one split. */
function relabelled(name: string, split: (typeof splits)[number], rows: readonly number[]): string {
  const labels = labelsIn(original, split).slice()
  for (const row of rows) labels[row] = 1 - (labels[row] as number)
  const changed = { ...original, [`${split}_labels`]: { ...(original[`${split}_labels`] as Arrays[string]), data: labels } }
  const file = path(`${name}.npz`)
  writeFileSync(
    file,
    zipSync(Object.fromEntries(Object.entries(changed).map(([key, array]) => [`${key}.npy`, arrayBytes(array)])), { level: 0 }),
  )
  return file
}

const draw = (rows: readonly number[], n: number, seed: number): number[] => {
  const { uniform } = generator(seed)
  const chosen = new Set<number>()
  while (chosen.size < n) chosen.add(rows[Math.floor(uniform() * rows.length)] as number)
  return [...chosen].sort((a, b) => a - b)
}

const rowsOf = (split: string, label: number | null): number[] =>
  [...labelsIn(original, split).entries()].filter(([, l]) => label === null || l === label).map(([row]) => row)

describe('a copy that lost 826 of 1,214 normal scans', () => {
  let found: Compared
  beforeAll(async () => {
    found = await diff(publisher, vendor, 'vendor')
  })

  it('fails the gate, and says what is missing in its first sentence', () => {
    const sentence =
      '826 of 1,214 records of class normal (68 %) are missing and 0 of 3,494 of class pneumonia in train; by chance p < 1e-300.'
    expect(found.code).toBe(1)
    expect(found.report.findings.map((f) => [f.rule, f.severity, f.message])).toEqual([
      ['provenance/class-selective-removal', 'high', sentence],
    ])
    expect(found.report.headline).toContain(sentence)
    expect(found.stdout.replaceAll(/\s+/g, ' ')).toContain(sentence)
    const [strongest] = found.report.provenance.changes.concentrations
    expect(strongest?.log10P).toBeCloseTo(-618.72, 1)
  })

  it('names exactly the missing records, as the arrays themselves tell', () => {
    const counted = (arrays: Arrays, split: string): Map<string, number> => {
      const counts = new Map<string, number>()
      for (const [i, picture] of picturesIn(arrays, split).entries()) {
        const key = `${labelsIn(arrays, split)[i]} ${picture}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
      return counts
    }
    const named = new Map(found.rows.map((row) => [Number(row.row_before), row]))
    expect(named.size).toBe(826)
    for (const split of splits) {
      const [before, after] = [counted(original, split), counted(copy, split)]
      expect([...after.keys()].filter((key) => !before.has(key))).toEqual([])
      if (split !== 'train') expect(after).toEqual(before)
    }
    // Of an image that occurs twice it cannot be told which of the two is gone, only how many.
    const left = counted(copy, 'train')
    const rows = new Map<string, number[]>()
    for (const [i, picture] of picturesIn(original, 'train').entries()) {
      const key = `${labelsIn(original, 'train')[i]} ${picture}`
      rows.set(key, [...(rows.get(key) ?? []), i])
    }
    let missing = 0
    for (const [key, own] of rows) {
      const gone = own.length - (left.get(key) ?? 0)
      missing += gone
      expect(own.filter((row) => named.has(row))).toHaveLength(gone)
      if (gone > 0) expect(key[0]).toBe('0')
    }
    expect(missing).toBe(826)
    for (const row of found.rows) {
      expect(row).toMatchObject({ kind: 'removed', label_before: 'normal', shard_after: '', row_after: '' })
      expect(row.shard_before?.endsWith('publisher.npz#train')).toBe(true)
    }
  })

  it('counts images that occur several times as often as they do', () => {
    const surplus = (arrays: Arrays) => splits.flatMap((s) => picturesIn(arrays, s))
    const beyondFirst = (pictures: readonly string[]) => pictures.length - new Set(pictures).size
    expect(beyondFirst(picturesIn(original, 'train'))).toBe(18)
    expect(found.report.provenance.changes.duplicates).toEqual({
      before: beyondFirst(surplus(original)),
      after: beyondFirst(surplus(copy)),
    })
    expect(found.report.provenance.changes.counts).toEqual({ removed: 826, added: 0, edited: 0, relabelled: 0, replaced: 0 })
  })
})

describe("the publisher's own file", () => {
  it('has no difference to itself', async () => {
    const { code, rows, report } = await diff(publisher, publisher, 'same')
    expect([code, rows, report.findings]).toEqual([0, [], []])
  })
})

describe('a copy with other labels', () => {
  it.each([
    { label: 0, split: 'train', from: 'normal' },
    { label: 1, split: 'train', from: 'pneumonia' },
    { label: 1, split: 'val', from: 'pneumonia' },
    { label: 0, split: 'test', from: 'normal' },
  ] as const)('30 of class $from in $split: all named, and called concentrated', async ({ label, split, from }) => {
    const rows = draw(rowsOf(split, label), 30, 11 + label)
    const name = `flip-${from}-${split}`
    const found = await diff(publisher, relabelled(name, split, rows), name)
    expect(found.code).toBe(1)
    expect(found.rows.map((row) => [row.kind, Number(row.row_before), Number(row.row_after), row.label_before])).toEqual(
      expect.arrayContaining(rows.map((row) => ['relabelled', row, row, from])),
    )
    expect(found.rows).toHaveLength(30)
    const [finding] = found.report.findings
    expect(finding).toMatchObject({ rule: 'provenance/relabelled', severity: 'high', count: 30 })
    expect(finding?.message).toContain(`of class ${from}`)
    expect(found.report.provenance.changes.concentrations.find((c) => c.axis === 'class')?.adjusted).toBeLessThanOrEqual(0.001)
  })

  it.each([1, 2, 3])('30 corrections at random, seed %i: all named, not called an attack', async (seed) => {
    const rows = draw(rowsOf('train', null), 30, seed)
    const found = await diff(publisher, relabelled(`random-${seed}`, 'train', rows), `random-${seed}`)
    expect(found.code).toBe(0)
    expect(found.rows.map((row) => Number(row.row_before)).sort((a, b) => a - b)).toEqual(rows)
    expect(found.report.findings.map((f) => [f.rule, f.severity, f.count])).toEqual([['provenance/relabelled', 'medium', 30]])
    expect(found.report.findings[0]?.message).toContain('They are spread as random corrections would be')
  })
})
