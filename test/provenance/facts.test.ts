import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeclaredFacts, FactCheck, ReadFacts } from '../../src/contracts/provenance.ts'
import { familyOf } from '../../src/provenance/facts/compare.ts'
import { checkFacts, declaredByPipeline, factFindings } from '../../src/provenance/facts.ts'

const declared = (facts: Partial<DeclaredFacts>): DeclaredFacts => ({
  rows: null,
  classes: null,
  columns: null,
  splits: null,
  files: null,
  by: 'a card',
  ...facts,
})
const read = (facts: Partial<ReadFacts>): ReadFacts => ({ rows: null, labels: null, columns: null, splits: null, files: null, ...facts })
const short = (checks: readonly FactCheck[]) =>
  checks.map(({ name, declared: expected, read: found, agrees }) => [name, expected, found, agrees])
const columns = (...names: string[]) => names.map((name) => ({ name, type: null }))

describe('rows and classes', () => {
  it('are compared by number, the vendor copy of PneumoniaMNIST first', () => {
    const facts = declaredByPipeline({ rows: 4708, classes: { normal: 1214, pneumonia: 3494 } })
    const checks = checkFacts(
      [facts],
      read({
        rows: 3882,
        labels: [
          { name: 'pneumonia', count: 3494 },
          { name: 'normal', count: 388 },
        ],
      }),
    )
    expect(short(checks)).toEqual([
      ['rows', '4,708', '3,882', false],
      ['rows of class normal', '1,214', '388', false],
      ['rows of class pneumonia', '3,494', '3,494', true],
    ])
    const { findings, tests, notes } = factFindings(checks)
    expect(findings).toMatchObject([
      {
        rule: 'provenance/declared-facts',
        severity: 'high',
        confidence: 'certain',
        message:
          'The data are not what the pipeline file declares: 4,708 rows were declared and 3,882 were read: 826 fewer; normal 1,214 declared, 388 read.',
        count: 826,
        test: null,
      },
    ])
    expect([tests, notes]).toEqual([[], ['Declared facts: 1 of 3 agree with what was read.']])
  })

  it('that agree are no finding', () => {
    const facts = declared({ rows: 3, classes: { a: 1, b: 2 } })
    const labels = [
      { name: 'b', count: 2 },
      { name: 'a', count: 1 },
    ]
    expect(factFindings(checkFacts([facts], read({ rows: 3, labels }))).findings).toEqual([])
  })

  it('that nobody read are neither right nor wrong', () => {
    const checks = checkFacts([declared({ rows: 3, classes: { a: 1 }, columns: columns('x'), files: [{ path: 'f', bytes: 1 }] })], read({}))
    expect(checks.map(({ read: found, agrees }) => [found, agrees])).toEqual(Array(4).fill([null, null]))
    expect(factFindings(checks)).toMatchObject({
      findings: [],
      notes: ['Declared facts: 0 of 4 agree with what was read, 4 could not be compared.'],
    })
    expect(factFindings([])).toEqual({ findings: [], tests: [], notes: [] })
  })

  it('find a class in another spelling, where there is one', () => {
    const labels = [
      { name: 'Normal', count: 1 },
      { name: ' PNEUMONIA', count: 2 },
    ]
    expect(short(checkFacts([declared({ classes: { normal: 1, pneumonia: 2 } })], read({ labels })))).toEqual([
      ['rows of class normal (read as Normal)', '1', '1', true],
      ['rows of class pneumonia (read as  PNEUMONIA)', '2', '2', true],
    ])
    const twice = [
      { name: 'Cat', count: 1 },
      { name: 'CAT', count: 2 },
    ]
    expect(short(checkFacts([declared({ classes: { cat: 3 } })], read({ labels: twice })))).toEqual([
      ['rows of class cat', '3', '0', false],
      ['rows of class Cat', 'no such class', '1', false],
      ['rows of class CAT', 'no such class', '2', false],
    ])
  })

  it('find codes by their position among the declared names', () => {
    const labels = [
      { name: '0', count: 1 },
      { name: '1', count: 2 },
    ]
    expect(short(checkFacts([declared({ classes: { normal: 1, pneumonia: 2 } })], read({ labels })))).toEqual([
      ['rows of class normal (read as 0)', '1', '1', true],
      ['rows of class pneumonia (read as 1)', '2', '2', true],
    ])
    expect(
      short(checkFacts([declared({ classes: { '1': 2, '0': 1 } })], read({ labels }))).map(([name, , , agrees]) => [name, agrees]),
    ).toEqual([
      ['rows of class 0', true],
      ['rows of class 1', true],
    ])
    expect(
      short(
        checkFacts([declared({ classes: { normal: 1, pneumonia: 2 } })], read({ labels: [...labels, { name: '2', count: 1 }] })),
      ).filter(([, , , agrees]) => !agrees),
    ).toHaveLength(5)
  })

  it('name a class that was lost, and one that nobody declared', () => {
    const checks = checkFacts(
      [declared({ classes: { a: 5, b: 2 } })],
      read({
        labels: [
          { name: 'a', count: 5 },
          { name: 'c', count: 1 },
        ],
      }),
    )
    expect(factFindings(checks).findings[0]?.message).toBe(
      'The data are not what a card declares: b 2 declared, 0 read; c no such class declared, 1 read.',
    )
  })

  it('hold class names without counts against the labels', () => {
    const facts = declared({ classNames: ['normal', 'pneumonia'] })
    expect(
      short(
        checkFacts(
          [facts],
          read({
            labels: [
              { name: '0', count: 9 },
              { name: '1', count: 1 },
            ],
          }),
        ),
      ),
    ).toEqual([
      ['class normal (read as 0)', 'there', 'there', true],
      ['class pneumonia (read as 1)', 'there', 'there', true],
    ])
    expect(
      short(
        checkFacts(
          [facts],
          read({
            labels: [
              { name: 'normal', count: 9 },
              { name: 'other', count: 1200 },
            ],
          }),
        ),
      ),
    ).toEqual([
      ['class normal', 'there', 'there', true],
      ['class pneumonia', 'there', 'not there', false],
      ['class other', 'no such class', '1,200 rows', false],
    ])
  })
})

describe('splits', () => {
  const splits = { train: 4708, validation: 524, test: 624 }
  const facts = declared({ rows: 5856, splits })
  it.each([
    [
      'shards of one split',
      3882,
      [
        ['train-00000-of-00002.parquet', 2000],
        ['train-00001-of-00002.parquet', 1882],
      ],
      [
        ['rows of split train', '4,708', '3,882', false],
        ['rows of split validation', '524', null, null],
        ['rows of split test', '624', null, null],
      ],
    ],
    [
      'all splits',
      5856,
      [
        ['d.npz#train', 4708],
        ['d.npz#validation', 524],
        ['d.npz#test', 624],
      ],
      [
        ['rows', '5,856', '5,856', true],
        ['rows of split train', '4,708', '4,708', true],
        ['rows of split validation', '524', '524', true],
        ['rows of split test', '624', '624', true],
      ],
    ],
    ['a file that does not tell', 3882, [['data.csv', 3882]], [['rows', '5,856', '3,882', false]]],
    ['a file with as many rows as a split', 4708, [['data.csv', 4708]], [['rows of split train', '4,708', '4,708', true]]],
    ['a name with two splits', 5856, [['train-test.csv', 5856]], [['rows', '5,856', '5,856', true]]],
  ] as const)('are found by name: %s', (_, rows, shards, expected) => {
    const found = shards.map(([name, count]) => ({ name, rows: count }))
    expect(short(checkFacts([facts], read({ rows, splits: found })))).toEqual(expected)
  })
})

describe('columns', () => {
  it('are missing, or too many, or of another kind', () => {
    const facts = declared({
      columns: [
        { name: 'age', type: 'integer' },
        { name: 'Sex', type: 'string' },
        { name: 'gone', type: null },
        { name: 'answers', type: 'list' },
        { name: 'score', type: 'number' },
      ],
    })
    const found = [
      { name: 'age', type: 'int64' },
      { name: 'sex', type: 'string' },
      { name: 'answers.text', type: 'list<string>' },
      { name: 'score', type: 'varchar' },
      { name: 'more', type: 'double' },
    ]
    const checks = checkFacts([facts], read({ columns: found }))
    expect(short(checks)).toEqual([
      ['column age', 'integer', 'int64', true],
      ['column Sex (read as sex)', 'string', 'string', true],
      ['column gone', 'there', 'not there', false],
      ['column answers', 'list', 'in parts', true],
      ['column score', 'number', 'varchar', false],
      ['column more', 'no such column', 'double', false],
    ])
    expect(factFindings(checks).findings).toMatchObject([{ severity: 'medium', count: 0 }])
  })

  it('of a card that speaks of something else are not held against the data; those of the pipeline are', () => {
    const found = read({ columns: columns('a', 'b') })
    expect(checkFacts([declared({ columns: columns('x', 'y') })], found).map(({ agrees }) => agrees)).toEqual([null, null])
    expect(checkFacts([declaredByPipeline({ columns: ['x'] })], found).map(({ agrees }) => agrees)).toEqual([false, false, false])
  })

  it.each([
    ['sc:Integer', 'number'],
    ['https://schema.org/Float', 'number'],
    ['cr:Int64', 'number'],
    ['uint8', 'number'],
    ['BIGINT', 'number'],
    ['DECIMAL(18,3)', 'number'],
    ['float32', 'number'],
    ['Boolean', 'boolean'],
    ['timestamp[us]', 'time'],
    ['point', null],
    ['UTINYINT', 'number'],
    ['DateTime', 'time'],
    ['large_string', 'text'],
    ['VARCHAR', 'text'],
    ['utf8', 'text'],
    ['Text', 'text'],
    ['list<number>[4]', 'list'],
    ['struct(a int)', 'object'],
    ['ImageObject', null],
    ['class', null],
    ['', null],
    [null, null],
  ])('have a kind of value: %s', (type, family) => {
    expect(familyOf(type)).toBe(family)
  })
})

describe('files', () => {
  it('have the size that was declared', () => {
    const facts = declaredByPipeline({ files: { 'a.csv': 10, 'b.csv': 20, 'c.csv': 30 } })
    const checks = checkFacts(
      [facts],
      read({
        files: [
          { path: 'a.csv', bytes: 10 },
          { path: 'b.csv', bytes: 1200 },
        ],
      }),
    )
    expect(short(checks)).toEqual([
      ['size of a.csv', '10 bytes', '10 bytes', true],
      ['size of b.csv', '20 bytes', '1,200 bytes', false],
      ['size of c.csv', '30 bytes', 'not there', false],
    ])
    expect(factFindings(checks).findings).toMatchObject([
      {
        severity: 'high',
        message:
          'The data are not what the pipeline file declares: size of b.csv 20 bytes declared, 1,200 bytes read; size of c.csv 30 bytes declared, not there read.',
      },
    ])
  })
})

describe('several tables of one file', () => {
  const set = (name: string, rows: number, ...names: string[]) =>
    declared({ rows, columns: columns(...names), by: `croissant.json, record set ${name}` })
  it('are told apart by their columns', () => {
    const checks = checkFacts(
      [set('movies', 9, 'movieId', 'title'), set('ratings', 3, 'movieId', 'userId', 'rating')],
      read({ rows: 3, columns: columns('movieId', 'userId', 'rating') }),
    )
    expect(new Set(checks.map(({ by }) => by))).toEqual(new Set(['croissant.json, record set ratings']))
    expect(checks.every(({ agrees }) => agrees)).toBe(true)
  })

  it('are told apart by their rows where the columns are the same', () => {
    const found = read({ rows: 4, columns: columns('text') })
    expect(short(checkFacts([set('en', 3, 'text'), set('de', 4, 'text')], found))).toEqual([
      ['rows', '4', '4', true],
      ['column text', 'there', 'there', true],
    ])
    expect(short(checkFacts([set('en', 3, 'text'), set('de', 5, 'text')], found))).toEqual([['rows', '2 tables', null, null]])
  })
})

describe('a declarer', () => {
  it('has one finding, whatever the number of its mistakes, and an own one for each declarer', () => {
    const labels = Array.from({ length: 40 }, (_, i) => ({ name: `c${i}`, count: 1 }))
    const classes = Object.fromEntries(labels.map(({ name }) => [name, 2]))
    const { findings } = factFindings(checkFacts([declared({ classes }), declared({ rows: 7, by: 'another' })], read({ rows: 40, labels })))
    expect(findings.map(({ scope, count }) => [scope.names, count])).toEqual([
      [['a card'], 40],
      [['another'], 33],
    ])
    expect(findings[0]?.message).toMatch(/c11 2 declared, 1 read; and 28 more\.$/)
    expect(findings[0]?.evidence).toMatchObject([{ rows: { length: 40 } }])
  })

  it('calls a class by a number a class', () => {
    const facts = checkFacts(
      [declared({ classes: { 0: 380, 1: 5 } })],
      read({
        labels: [
          { name: '0', count: 180 },
          { name: '1', count: 5 },
        ],
      }),
    )
    expect(factFindings(facts).findings[0]?.message).toBe('The data are not what a card declares: class 0: 380 declared, 180 read.')
  })

  it('is right about data that are what it says', () => {
    const name = fc.string({ minLength: 1, maxLength: 6 })
    const labels = fc.uniqueArray(fc.record({ name, count: fc.nat() }), {
      selector: ({ name: text }) => text.normalize('NFC').trim().toLowerCase(),
      maxLength: 6,
    })
    fc.assert(
      fc.property(labels, fc.uniqueArray(name, { maxLength: 5 }), fc.nat(), (classes, names, rows) => {
        const facts = declaredByPipeline({
          rows,
          classes: Object.fromEntries(classes.map((each) => [each.name, each.count])),
          columns: names,
        })
        // codes and numbers as names of classes may stand for positions
        fc.pre(!classes.every((each) => /^\d+$/.test(each.name)) || classes.length === 0)
        const checks = checkFacts([facts], read({ rows, labels: classes, columns: columns(...names) }))
        expect(checks.filter(({ agrees }) => agrees !== true)).toEqual([])
      }),
    )
  })

  it('is found out whenever a class has another count', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 6 }),
        fc.nat(100),
        fc.integer({ min: 1, max: 50 }),
        (names, count, change) => {
          const classes = Object.fromEntries(names.map((each) => [each, count]))
          const labels = names.map((each, i) => ({ name: each, count: i === 0 ? count + change : count }))
          expect(factFindings(checkFacts([declared({ classes })], read({ labels }))).findings).toMatchObject([
            { severity: 'high', count: change },
          ])
        },
      ),
    )
  })
})
