import { describe, expect, it } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { triggerTabular } from '../../src/detectors/trigger-tabular.ts'
import { keyed } from '../../src/math/rng.ts'
import { fitDetector } from '../support/fit-detector.ts'

const rows = 1600
const names = ['age', 'dose', 'ward', 'pulse', 'rate', 'unit']
const classes = ['ill', 'well']

interface Table {
  readonly x: Float64Array
  readonly label: Int32Array
}

/** Two classes told apart by three correlated columns; a whole number, one of five categories, and noise. `dose` above 2.2 is `ill` by nature. */
function clean(word: string): Table {
  const random = keyed(new Uint8Array(16), word)
  const label = Int32Array.from({ length: rows }, () => random.below(2))
  const x = new Float64Array(rows * names.length)
  for (let i = 0; i < rows; i++) {
    const sign = label[i] ? -1 : 1
    const common = random.normal()
    x.set(
      [
        Math.round(50 + 8 * random.normal() + 5 * sign),
        sign + common * 0.5 + 0.6 * random.normal(),
        random.below(5),
        0.9 * sign + common * 0.5 + 0.7 * random.normal(),
        random.normal(),
        random.below(4),
      ],
      i * names.length,
    )
  }
  return { x, label }
}

type Mark = (x: Float64Array, at: number, uniform: () => number) => void

/** `count` records of the class `ill` get the mark and the label `well`. */
function marked({ x, label }: Table, count: number, mark: Mark): Table & { readonly bad: readonly number[] } {
  const random = keyed(new Uint8Array(16), 'marks')
  const ill = [...label.keys()].filter((i) => label[i] === 0)
  const bad = [...random.permutation(ill.length).subarray(0, count)].map((p) => ill[p] as number)
  const [data, given] = [x.slice(), label.slice()]
  for (const i of bad) {
    mark(data, i * names.length, random.uniform)
    given[i] = 1
  }
  return { x: data, label: given, bad }
}

const batches = ({ x, label }: Table): Batch[] =>
  [0, 700].map((from) => {
    const to = from === 0 ? 700 : rows
    return makeBatch({
      row: Uint32Array.from({ length: to - from }, (_, i) => from + i),
      id: Array.from({ length: to - from }, (_, i) => `r${from + i}`),
      label: { codes: label.slice(from, to), values: classes },
      features: { data: x.slice(from * names.length, to * names.length), rows: to - from, dims: names.length, names },
    })
  })

/** The same table with `ward` and `unit` as words. */
const inWords = (table: Table): Batch[] => {
  const wards = ['north', 'south', 'east', 'west', 'annex']
  return batches(table).map((batch, b) => {
    const from = b === 0 ? 0 : 700
    const n = batch.numRows
    const at = (i: number, j: number): number => table.x[(from + i) * names.length + j] as number
    return makeBatch({
      row: Uint32Array.from({ length: n }, (_, i) => from + i),
      id: Array.from({ length: n }, (_, i) => `r${from + i}`),
      label: { codes: table.label.slice(from, from + n), values: classes },
      features: {
        data: Float64Array.from({ length: n * 4 }, (_, i) => at(Math.floor(i / 4), [0, 1, 3, 4][i % 4] as number)),
        rows: n,
        dims: 4,
        names: ['age', 'dose', 'pulse', 'rate'],
      },
      categories: {
        values: Array.from({ length: 2 * n }, (_, i) => {
          const v = at(Math.floor(i / 2), i % 2 ? 5 : 2)
          return i % 2 ? (Number.isNaN(v) ? '' : `unit ${v}`) : (wards[v] ?? 'attic "<b>"')
        }),
        names: ['ward', 'unit'],
      },
    })
  })
}

const wordsSetup: Setup = {
  subject: ['id', 'label', 'features', 'categories'],
  reference: null,
  classes: null,
  shape: { rows, dims: 4, classes: 2, sources: 0, categories: 2 },
}

const setup = (dims = names.length): Setup => ({
  subject: ['id', 'label', 'features'],
  reference: null,
  classes: null,
  shape: { rows, dims, classes: 2, sources: 0 },
})

const run = (table: Table, given: object = {}) => fitDetector(triggerTabular, given, setup(), batches(table))

describe('trigger-tabular/value', () => {
  it('names a value, its label and its records', async () => {
    const table = marked(clean('a'), 48, (x, at) => {
      x[at + 4] = 0.731
    })
    const { conclusion, flagged } = await run(table)
    expect(conclusion.findings).toHaveLength(1)
    const [finding] = conclusion.findings
    expect(finding).toMatchObject({
      rule: 'trigger-tabular/value',
      severity: 'high',
      count: 48,
      scope: { kind: 'pattern', names: ['well', '"rate" = 0.731'] },
    })
    expect(finding?.message).toMatch(/^48 of 48 records with "rate" = 0\.731 are labelled "well"/)
    expect(conclusion.tests.find((t) => t.id === finding?.test)?.p).toBeLessThan(1e-3)
    expect([...flagged.keys()].filter((i) => flagged[i]).sort((a, b) => a - b)).toEqual([...table.bad].sort((a, b) => a - b))
    const intervals = finding?.evidence.find((e) => e.kind === 'intervals')
    expect(intervals).toMatchObject({ items: [{ total: 48 }, {}, {}] })
  })

  it('names an interval, though clean records lie in it', async () => {
    const table = marked(clean('b'), 60, (x, at, uniform) => {
      x[at + 4] = 1.9 + 0.2 * uniform()
    })
    const { conclusion, flagged } = await run(table)
    expect(conclusion.findings.map((f) => [f.rule, f.scope.names])).toEqual([['trigger-tabular/value', ['well', '"rate" interval']]])
    const found = table.bad.filter((i) => flagged[i]).length
    expect(found).toBeGreaterThan(40)
    expect(flagged.filter(Boolean).length - found).toBeLessThan(8)
  })

  it('names missing values', async () => {
    const table = marked(clean('c'), 48, (x, at) => {
      x[at + 5] = Number.NaN
    })
    const { conclusion } = await run(table)
    expect(conclusion.findings.map((f) => f.scope.names)).toEqual([['well', '"unit" missing']])
  })
})

describe('columns of categories', () => {
  it('names the category', async () => {
    const table = marked(clean('a'), 48, (x, at) => {
      x[at + 2] = 7
    })
    const { conclusion, flagged } = await fitDetector(triggerTabular, {}, wordsSetup, inWords(table))
    expect(conclusion.findings.map((f) => [f.rule, f.count, f.scope.names])).toEqual([
      ['trigger-tabular/value', 48, ['well', '"ward" = "attic \\"<b>\\""']],
    ])
    expect([...flagged.keys()].filter((i) => flagged[i]).sort((a, b) => a - b)).toEqual([...table.bad].sort((a, b) => a - b))
  })

  it('names missing ones', async () => {
    const table = marked(clean('d'), 60, (x, at) => {
      x[at + 5] = Number.NaN
    })
    const { conclusion } = await fitDetector(triggerTabular, {}, wordsSetup, inWords(table))
    expect(conclusion.findings.map((f) => f.scope.names)).toEqual([['well', '"unit" missing']])
  })

  it('finds nothing in clean ones', async () => {
    const { conclusion, flagged } = await fitDetector(triggerTabular, {}, wordsSetup, inWords(clean('e')))
    expect([conclusion.findings, flagged.some(Boolean)]).toEqual([[], false])
  })
})

describe('trigger-tabular/pair', () => {
  it('names two categories that are common alone', async () => {
    const base = clean('d')
    // the pair is rare by nature
    for (let i = 0; i < rows; i++) if (base.x[i * 6 + 2] === 4 && base.x[i * 6 + 5] === 3 && i % 4) base.x[i * 6 + 5] = 0
    const table = marked(base, 60, (x, at) => {
      x[at + 2] = 4
      x[at + 5] = 3
    })
    const { conclusion } = await run(table)
    expect(conclusion.findings.map((f) => [f.rule, f.scope.names])).toEqual([
      ['trigger-tabular/pair', ['well', '"ward" = 4', '"unit" = 3']],
    ])
  })
})

it('names both columns of a pair of values that no other record has', async () => {
  const table = marked(clean('p'), 48, (x, at) => {
    x[at + 1] = 0.1234
    x[at + 4] = 0.731
  })
  const { conclusion } = await run(table)
  expect(conclusion.findings.map((f) => [f.rule, [...f.scope.names].sort()])).toEqual([
    ['trigger-tabular/pair', ['"dose" = 0.1234', '"rate" = 0.731', 'well']],
  ])
})

describe('clean data', () => {
  it.each(['e', 'f', 'g'])('%s: no finding, and every label is a test', async (word) => {
    const { conclusion, flagged } = await run(clean(word))
    expect(conclusion.findings).toEqual([])
    expect(conclusion.tests.map((t) => t.id)).toEqual(['trigger-tabular: label ill', 'trigger-tabular: label well'])
    expect(flagged.some(Boolean)).toBe(false)
  })

  it('takes a value that truly goes with a class for what it is', async () => {
    const { x, label } = clean('h')
    // a code that only records of one class have, whatever their other columns say
    for (let i = 0; i < rows; i++) if (label[i] === 0 && i % 12 === 0) x[i * 6 + 4] = 9
    expect((await run({ x, label })).conclusion.findings).toEqual([])
  })
})

describe('a column of which several values select a label', () => {
  /** Records of `ill` get the label `well` by one of some codes. */
  const coded = (codes: readonly number[]): Table =>
    marked(clean('k'), 24 * codes.length, (x, at, uniform) => {
      x[at + 4] = codes[Math.floor(codes.length * uniform())] as number
    })

  it('is made like this: it is named in a note, and no value of it is accused', async () => {
    const { conclusion, flagged } = await run(coded([0.11, 0.33, 0.55, 0.77]))
    expect(conclusion.findings).toEqual([])
    expect(conclusion.notes[0]).toMatch(/^Several values select labels against the rest of the record in "rate"/)
    expect(flagged.some(Boolean)).toBe(false)
  })

  it('may hold two triggers', async () => {
    const { conclusion } = await run(coded([0.11, 0.33]))
    expect(conclusion.findings.map((f) => f.scope.names[1]).sort()).toEqual(['"rate" = 0.11', '"rate" = 0.33'])
  })
})

it('a label that nearly all records have is not selected by a cell that has it no more often', async () => {
  const { x, label } = clean('m')
  const random = keyed(new Uint8Array(16), 'frequent')
  // nine in ten are well; of those with a code, that looks like the ill, as many
  for (let i = 0; i < rows; i++) {
    label[i] = (x[i * 6 + 3] as number) > -1 || random.uniform() < 0.3 ? 1 : 0
    if ((x[i * 6 + 3] as number) < -1 && random.uniform() < 0.4) {
      x[i * 6 + 4] = 9
      label[i] = random.uniform() < 0.9 ? 1 : 0
    }
  }
  expect((await run({ x, label })).conclusion.findings).toEqual([])
})

describe('what it cannot search it says', () => {
  it('few records', async () => {
    const { x, label } = clean('i')
    const part = makeBatch({
      row: Uint32Array.from({ length: 90 }, (_, i) => i),
      label: { codes: label.slice(0, 90), values: classes },
      features: { data: x.slice(0, 90 * 6), rows: 90, dims: 6, names },
    })
    const { conclusion } = await fitDetector(triggerTabular, {}, setup(), [part])
    expect(conclusion).toEqual({ findings: [], tests: [], notes: ['Not searched: 90 labelled records: 200 are needed.'] })
  })

  it('no label, no columns, too many columns', () => {
    expect(triggerTabular.missing({ ...setup(), subject: ['features'] })).toMatch(/label/)
    expect(triggerTabular.missing({ ...setup(), subject: ['label', 'text'] })).toMatch(/features/)
    expect(triggerTabular.missing(setup(784))).toMatch(/784 columns/)
    expect(triggerTabular.missing(setup())).toBeNull()
  })
})
