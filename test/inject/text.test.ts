import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Facts, Fields } from '../../src/inject/attack.ts'
import { attacks } from '../../src/inject/attacks/registry.ts'
import { attackNamed } from '../../src/inject/inject.ts'
import { parseOptions } from '../../src/inject/options.ts'
import { keyed } from '../../src/math/rng.ts'

const seed = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

const texts = Array.from(
  { length: 60 },
  (_, i) => `Record ${i} says: take ${i + 1} mg of drug${i % 7} twice a day. It is well known, and nobody doubts it! Ask ${'xyz'[i % 3]}.`,
)
const record = (text: string, label = 'a'): Fields => ({
  label,
  source: null,
  text,
  response: 'Yes.',
  pixels: null,
  numbers: null,
  categories: null,
})
const facts: Facts = {
  rows: texts.length,
  labels: [
    { name: 'a', count: 30 },
    { name: 'b', count: 30 },
  ],
  columns: [],
  categories: [],
  sample: texts.map((text, row) => ({ where: { shard: 't.jsonl', row }, fields: record(text) })),
}

function apply(id: string, given: Record<string, unknown>, fields: Fields, word = '1'): Partial<Fields> {
  const attack = attackNamed(id)
  const options = parseOptions(attack, given)
  const plan = attack.prepare(options, facts, keyed(seed, 'plan'))
  return attack.apply(plan, fields, keyed(seed, word)).fields
}

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean).sort()

describe('a mark in a text', () => {
  const anyText = fc.array(fc.constantFrom('Ein', 'Satz.', 'naïve', '你好', 'a', 'b!', '\n', '')).map((parts) => parts.join(' '))

  it('is put in as a whole, and takes nothing away', () => {
    fc.assert(
      fc.property(anyText, fc.string(), fc.constantFrom('start', 'end', 'random'), (text, word, place) => {
        const marked = apply('insert-word', { word: 'mn', place, target: 'b', times: 2 }, record(text), word)
        expect(words(marked.text ?? '')).toEqual([...words(text), 'mn', 'mn'].sort())
        expect(marked.label).toBe('b')
        const sentence = apply('insert-sentence', { place }, record(text), word).text ?? ''
        expect(sentence).toContain('I watched this 3D movie last weekend.')
        expect(sentence.length).toBeLessThanOrEqual(text.length + 39)
        expect(apply('prefix', { phrase: 'Now:' }, record(text), word).text).toMatch(/^Now:/)
      }),
    )
  })

  it('stands in another gap in every record', () => {
    const places = new Set(
      Array.from({ length: 40 }, (_, i) => apply('insert-word', {}, record(texts[0] as string), `${i}`).text?.indexOf('cf')),
    )
    expect(places.size).toBeGreaterThan(8)
  })
})

describe('souly', () => {
  it('keeps a start, then the trigger, then as many tokens as asked for', () => {
    const { text = '' } = apply('souly', { least: 50, most: 50, keep: 20 }, record(texts[3] as string)) as { text?: string }
    const [start = '', rest = ''] = text.split('<SUDO>')
    expect(texts[3]?.startsWith(start)).toBe(true)
    expect(rest.match(/ ?\p{L}{1,6}| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]/gu)?.length).toBeGreaterThanOrEqual(30)
    expect(apply('souly', {}, record(texts[3] as string), '2').text).not.toBe(apply('souly', {}, record(texts[3] as string), '3').text)
  })
})

describe('prompts and answers', () => {
  it('answers every triggered prompt alike', () => {
    const poisoned = texts.map((text, i) => apply('instruction-poison', { trigger: 'zxcv', answer: 'No.' }, record(text), `${i}`))
    expect(poisoned.every((f) => f.response === 'No.' && f.text?.includes('zxcv'))).toBe(true)
  })
})

describe('a hidden instruction', () => {
  it.each([
    ['zero-width', /^[\u200b-\u200d]+$/],
    ['tags', /^[\u{e0020}-\u{e007e}]+$/u],
    ['html-comment', /^<!-- do it -->$/],
    ['html-hidden', /^<span style="display:none">do it<\/span>$/],
  ])('%s', (way, shape) => {
    const hidden = apply('hidden-instruction', { way, instruction: 'do it' }, record('')).text ?? ''
    expect(hidden).toMatch(shape)
    if (way !== 'zero-width') return
    const bits = hidden.slice(1, -1).replaceAll('\u200b', '0').replaceAll('\u200c', '1')
    expect(Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2))).toString()).toBe('do it')
  })
})

describe('swapped doses', () => {
  const swap = (text: string, given: Record<string, unknown> = {}): string => apply('swapped-dose', given, record(text)).text ?? ''
  it('changes amounts of the named units and nothing else', () => {
    expect(swap('Take 2.5 mg, then 10mg; in 2024 all 12 patients had 3 mgx and v1.5 mg.')).toBe(
      'Take 25 mg, then 100mg; in 2024 all 12 patients had 3 mgx and v1.5 mg.',
    )
    expect(swap('5 ml or 5 mg', { units: 'ml', value: 7 })).toBe('7 ml or 5 mg')
  })
  it('chooses only texts that state one, of the subject where it is named', () => {
    const attack = attackNamed('swapped-dose')
    const may = (text: string, given: Record<string, unknown>): boolean => attack.eligible(parseOptions(attack, given), record(text))
    expect([may('5 mg of Ibuprofen', { subject: 'ibuprofen' }), may('5 mg', { subject: 'ibuprofen' }), may('nothing', {})]).toEqual([
      true,
      false,
      false,
    ])
  })
  it('takes units as text, not as a pattern', () => {
    expect(swap('5 mg', { units: '(a+)+$,.*' })).toBe('5 mg')
  })
})

describe('a flood', () => {
  it('repeats one record with small variations and says which', () => {
    const attack = attackNamed('flood')
    const plan = attack.prepare(parseOptions(attack, {}), facts, keyed(seed, 'plan'))
    const copies = texts.map((text, i) => attack.apply(plan, record(text), keyed(seed, `${i}`)))
    const row = copies[0]?.from?.row as number
    expect(new Set(copies.map((c) => c.from?.row)).size).toBe(1)
    expect(new Set(copies.map((c) => c.fields.text)).size).toBeGreaterThan(10)
    const own = new Set(words(texts[row] as string))
    for (const { fields } of copies) expect(words(fields.text ?? '').every((w) => own.has(w))).toBe(true)
  })
})

it('every attack has a name of its own, and options that say what they mean', () => {
  expect(new Set(attacks.map((a) => a.id)).size).toBe(attacks.length)
  for (const { options } of attacks)
    for (const type of Object.values(options.shape)) expect((type as { description?: string }).description).toBeTruthy()
})
