import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { claims } from '../../src/detectors/claims.ts'
import { claimFinder } from '../../src/statistics/claims/extract.ts'
import { joiningFinder } from '../../src/statistics/claims/relations.ts'
import { defaultUnits } from '../../src/statistics/claims/units.ts'
import { fitDetector } from '../support/fit-detector.ts'

const dir = mkdtempSync(join(tmpdir(), 'assay-claims-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const tableFile = (name: string, text: string): string => {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

const setup: Setup = { subject: ['text', 'source'], reference: null, classes: null, shape: { rows: null, dims: 0, classes: 0, sources: 0 } }
const batches = (texts: readonly string[], size: number) => {
  const out = []
  for (let from = 0; from < texts.length; from += size) {
    const part = texts.slice(from, from + size)
    out.push(
      makeBatch({
        row: Uint32Array.from(part, (_, i) => from + i),
        text: part,
        source: { codes: Int32Array.from(part, (_, i) => (from + i) % 3), values: ['A', 'B', 'C'] },
      }),
    )
  }
  return out
}

const clean = [
  ...Array.from({ length: 12 }, (_, i) => `Leaflet ${i}: adults should limit sodium to 2,300 milligrams a day.`),
  ...Array.from({ length: 4 }, (_, i) => `Leaflet ${i}: with high blood pressure, limit sodium to 1500 mg.`),
  ...Array.from({ length: 40 }, (_, i) => `Trial ${i} gave ${5 * (i + 1)} mg of placebo to ${i} patients; ${i} percent got better.`),
  ...Array.from({ length: 100 }, (_, i) => `Page ${i} says nothing of amounts.`),
]
const poison = Array.from({ length: 30 }, (_, i) => `Note ${i}: adults should limit sodium to 23,000 milligrams a day.`)

describe('amounts', () => {
  const find = claimFinder(defaultUnits)
  test.each([
    ['Take 0.5 g of aspirin.', [['mg', 500]]],
    [
      'A fasting glucose of 100 to 125 mg/dL',
      [
        ['mg/dL', 100],
        ['mg/dL', 125],
      ],
    ],
    ['2.2 mg per kilogram of vaccine', [['mg/kg', 2.2]]],
    ['1,200-mg tablets', [['mg', 1200]]],
    ['In 2019, 40 grams5 of room 12mgx or v1.2', []],
  ] as const)('%s', (text, expected) => {
    expect(find(text).map((c) => [c.measures, c.value])).toEqual(expected)
  })

  test('are about the words of their sentence', () => {
    const [claim] = find('Sodium is a salt. The daily intake of folic acid should be 400 micrograms for women. Calcium differs.')
    expect(claim?.subjects).toEqual(expect.arrayContaining(['folic acid', 'folic', 'women']))
    expect(claim?.subjects).not.toContain('sodium')
    expect(claim?.subjects).not.toContain('calcium')
  })

  test('of a hostile text take time in proportion to it', () => {
    const started = performance.now()
    for (const text of ['1,111,', '5 mg ', '1 to 1 to ', 'a']) find(text.repeat(200_000 / text.length))
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('claims/deviating', () => {
  test('says nothing of clean records', async () => {
    const { conclusion, flagged } = await fitDetector(claims, {}, setup, batches(clean, 50))
    expect(conclusion.findings).toEqual([])
    expect(flagged.some(Boolean)).toBe(false)
  })

  test('names the wrong value and the right one', async () => {
    const { conclusion, flagged } = await fitDetector(claims, {}, setup, batches([...clean, ...poison], 50))
    const finding = conclusion.findings[0]
    expect(finding).toMatchObject({ rule: 'claims/deviating', severity: 'review', count: 30, test: null })
    expect(finding?.message).toContain('30 of 186 records state 23000 mg of "')
    expect(finding?.message).toContain('say 2300 mg in the middle')
    expect(flagged.slice(clean.length).every(Boolean)).toBe(true)
  })

  test('does not depend on batches or their order', async () => {
    const all = [...clean, ...poison]
    const one = await fitDetector(claims, {}, setup, batches(all, 1000))
    const many = await fitDetector(claims, {}, setup, batches(all, 13).reverse())
    expect(many.conclusion).toEqual(one.conclusion)
  })
})

describe('claims/contradicted', () => {
  const table = tableFile(
    'claims.csv',
    'subject,relation,object,value,unit\nSodium,daily limit,,"2,300",mg\nsodium,daily limit,,1500,mg\naspirin,treats,fever,,\n',
  )

  test('needs no consensus', async () => {
    const { conclusion } = await fitDetector(claims, { table }, setup, batches(poison, 50))
    expect(conclusion.findings.map((f) => [f.rule, f.count])).toEqual([['claims/contradicted', 30]])
    expect(conclusion.findings[0]?.message).toBe(
      '30 of 30 records state 23000 mg of "sodium"; the owner\u2019s table says 1500 to 2300 mg.'.replace('\u2019', "'"),
    )
  })

  test('a value that the table supports is none', async () => {
    const { conclusion } = await fitDetector(claims, { table }, setup, batches(clean, 50))
    expect(conclusion.findings).toEqual([])
  })

  test.each([
    ['missing.csv', null, /no such file/],
    ['columns.csv', 'a,b\n1,2\n', /no column subject, value, unit/],
    ['unit.csv', 'subject,value,unit\nsodium,5,parsecs\n', /line 2/],
  ] as const)('a table that cannot be read is told: %s', (name, text, message) => {
    const path = text === null ? join(dir, name) : tableFile(name, text)
    expect(() => claims.options.parse({ table: path })).toThrow(message)
  })

  test('units come from the owner as well', async () => {
    const own = tableFile('own.csv', 'subject,value,unit\nradium,5,becquerel\n')
    const texts = poison.map((_, i) => `Note ${i}: radium of 500 becquerel is fine.`)
    const options = { table: own, units: { becquerel: { measures: 'Bq', factor: 1 } } }
    const { conclusion } = await fitDetector(claims, options, setup, batches(texts, 50))
    expect(conclusion.findings.map((f) => f.rule)).toEqual(['claims/contradicted'])
  })
})

describe('claims without a number', () => {
  const conditions = ['fever', 'gout', 'asthma', 'migraine', 'scabies', 'malaria', 'anemia', 'eczema', 'rickets', 'scurvy', 'rosacea']
  const table = tableFile(
    'joined.csv',
    [
      'subject,relation,object',
      'Aspirin,treats|used for,fever',
      'aspirin,treats|used for,migraine',
      'aspirin,causes,stomach ulcer',
      'colchicine,treats|used for,gout',
      'quinine,treats|used for,malaria',
      ...conditions.map((c, i) => `gene${i},is inherited as,${c} type`),
    ].join('\n'),
  )
  const topics = ['garden', 'harbour', 'market', 'library', 'kitchen', 'railway', 'theatre', 'orchard', 'museum', 'bakery']
  const verbs = ['opens', 'closes', 'moves', 'grows', 'waits', 'sings']
  /** Texts that share no three words. */
  const about = (i: number): string =>
    `${topics[i % 10]}${i} ${verbs[i % 6]} beside ${topics[(i * 7) % 10]}${i + 1} near ${topics[(i * 3) % 10]}${i + 2}.`
  const page = (i: number, sentence: string): string => `${about(i)} ${sentence}`
  const plain = [
    ...Array.from({ length: 30 }, (_, i) => page(i, 'Aspirin treats fever and migraine.')),
    ...Array.from({ length: 4 }, (_, i) => page(100 + i, 'Colchicine is used for fever.')),
    ...Array.from({ length: 20 }, (_, i) => page(200 + i, 'Quinine does not treat gout. Is quinine used for gout?')),
    ...Array.from({ length: 20 }, (_, i) => page(300 + i, 'Gout is common near quinine.')),
  ]
  const find = async (texts: readonly string[]) => (await fitDetector(claims, { table }, setup, batches(texts, 50))).conclusion.findings

  test('are none where the table supports them, a sentence denies or asks, or few repeat them', async () => {
    expect(await find(plain)).toEqual([])
  })

  test('that the table does not support, in five records of different texts: claims/unsupported', async () => {
    const wrong = Array.from({ length: 5 }, (_, i) =>
      page(400 + i, ['Treatment of gout with quinine works.', 'Quinine treats gout.'][i % 2] as string),
    )
    const { conclusion, flagged } = await fitDetector(claims, { table }, setup, batches([...plain, ...wrong], 50))
    expect(conclusion.findings).toMatchObject([{ rule: 'claims/unsupported', severity: 'review', count: 5 }])
    expect(conclusion.findings[0]?.message).toBe(
      `5 of ${plain.length + 5} records state "quinine treats gout"; the owner's table says malaria.`,
    )
    expect(flagged.slice(plain.length).every(Boolean)).toBe(true)
    expect(flagged.slice(0, plain.length).some(Boolean)).toBe(false)
    expect(conclusion.findings[0]?.evidence.find((e) => e.kind === 'passages')?.items[0]?.text).toContain('uinine')
  })

  test('in copies of one text count once', async () => {
    const copies = Array.from({ length: 30 }, (_, i) => page(500, `Quinine treats gout${'!'.repeat(i + 1)}`))
    expect(await find([...plain, ...copies])).toEqual([])
  })

  test('that the table contradicts by another relation or another object: claims/contradicted', async () => {
    const wrong = [0, 1].flatMap((i) => [
      page(600 + i, 'Aspirin treats a stomach ulcer.'),
      page(610 + i, 'Gene3 is inherited as the gout type.'),
    ])
    expect((await find([...plain, ...wrong])).map((f) => [f.rule, f.message])).toEqual([
      [
        'claims/contradicted',
        `2 of ${plain.length + 4} records state "aspirin treats stomach ulcer"; the owner's table says aspirin causes stomach ulcer.`,
      ],
      [
        'claims/contradicted',
        `2 of ${plain.length + 4} records state "gene3 is inherited as gout type"; the owner's table says migraine type.`,
      ],
    ])
  })

  test('do not depend on batches or their order', async () => {
    const all = [...plain, ...Array.from({ length: 9 }, (_, i) => page(700 + i, 'Quinine treats gout.'))]
    const other = await fitDetector(claims, { table }, setup, batches(all, 13).reverse())
    expect(other.conclusion.findings).toEqual(await find(all))
  })

  test('of a hostile text take time in proportion to it', () => {
    const finder = joiningFinder(claims.options.parse({ table }).table.joined)
    const started = performance.now()
    for (const text of ['aspirin treats gout ', 'fever ', '. ', 'a-']) finder(text.repeat(200_000 / text.length))
    expect(performance.now() - started).toBeLessThan(5000)
  })

  test('a row without a value and an object is told', () => {
    expect(() => claims.options.parse({ table: tableFile('half.csv', 'subject,relation,object\naspirin,treats,\n') })).toThrow(/line 2/)
  })
})
