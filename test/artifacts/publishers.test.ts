import { describe, expect, it } from 'vitest'
import { budgetOf, defaultLimits } from '../../src/artifacts/budget.ts'
import { inMemory } from '../../src/artifacts/bytes.ts'
import type { Located } from '../../src/artifacts/observation.ts'
import { scanBytes } from '../../src/artifacts/scan-bytes.ts'
import { editsBetween, likenessOf, publisherOf, skeletonOf } from '../../src/artifacts/texts/publishers.ts'

const allowed = ['meta-llama', 'google', 'microsoft', 'Qwen', 'mistralai']

/** Publishers that one file names, with what is thought of them. */
function named(file: string, content: string | object, publishers: readonly string[] = allowed): readonly string[] {
  const seen: Located[] = []
  const bytes = inMemory(Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)))
  const observe = (o: Located): void => {
    if (o.rule === 'look-alike') seen.push(o)
  }
  const reading = { limits: defaultLimits, budget: budgetOf(defaultLimits), sizes: new Map(), publishers, observe, note: () => {} }
  scanBytes(bytes, file, { file, inside: [] }, reading)
  return seen.map((o) => `${o.verdict} ${o.subject}`)
}

describe('names that are like an allowed one', () => {
  it.each([
    ['meta-lama', 'block', 'meta-llama'],
    ['meta_llama', 'block', 'meta-llama'],
    ['metallama', 'block', 'meta-llama'],
    ['rneta-llama', 'block', 'meta-llama'],
    ['meta-Ilama', 'block', 'meta-llama'],
    ['goog1e', 'block', 'google'],
    ['gооgle', 'block', 'google'],
    ['ｇｏｏｇｌｅ', 'block', 'google'],
    ['googel', 'block', 'google'],
    ['micr0s0ft', 'block', 'microsoft'],
    ['micosfot', 'review', 'microsoft'],
    ['mistraiai', 'block', 'mistralai'],
    ['MistralAI', 'review', 'mistralai'],
    ['qwen', 'review', 'Qwen'],
  ])('%s', (name, verdict, like) => expect(likenessOf(name, allowed)).toMatchObject({ verdict, allowed: like }))

  it.each(['meta-llama', 'Qwen', 'bigscience', 'openai', 'goo', 'tiiuae', 'micron', 'owen', 'x'.repeat(10_000)])('not %s', (name) =>
    expect(likenessOf(name, allowed)).toBeNull(),
  )
  it('counts a swap of neighbours as one edit, and stops early', () => {
    expect(editsBetween('google', 'googel')).toBe(1)
    expect(editsBetween('abc', 'abc')).toBe(0)
    expect(editsBetween('abcdef', 'ghijkl')).toBe(3)
    expect(editsBetween('a', 'abcdef')).toBe(3)
  })
  it('evens out what is drawn alike', () => expect(skeletonOf('Ме​ta-L1ama')).toBe(skeletonOf('meta.llama')))
})

it('takes no path for a publisher', () => {
  expect(publisherOf('meta-llama/Llama-3')).toBe('meta-llama')
  expect(publisherOf('https://huggingface.co/meta-llama/Llama-3/tree/main')).toBe('meta-llama')
  for (const path of ['/home/me/model', './out/model', '../a', 'gpt2', 'C:\\models\\a', 'a/b/c/d', '~/x', ''])
    expect(publisherOf(path)).toBeNull()
})

describe('where publishers are named', () => {
  it.each([
    ['config.json', { _name_or_path: 'meta-lama/Llama-3' }],
    ['config.json', { text_config: { _name_or_path: 'meta-lama/Llama-3' } }],
    ['adapter_config.json', { base_model_name_or_path: 'meta-lama/Llama-3' }],
    ['tokenizer_config.json', { name_or_path: 'meta-lama/Llama-3' }],
    ['config.json', { auto_map: { AutoModel: 'meta-lama/code--modeling.Model' } }],
    ['config.json', { auto_map: { AutoTokenizer: ['meta-lama/code--tokenization.Slow', null] } }],
    ['README.md', '---\nlicense: mit\nbase_model: meta-lama/Llama-3 # the base\n---\n# Model\n'],
    ['README.md', '---\nbase_model:\n  - google/a\n  - "meta-lama/Llama-3"\ntags: [a]\n---\n'],
    ['README.md', '---\r\nbase_model: [meta-lama/Llama-3, google/a]\r\n---\r\n'],
  ])('%s %j', (file, content) => {
    expect(named(file, content)).toEqual(['block meta-lama'])
    expect(named(file, content, [])).toEqual([])
  })
  it('notes who is not on the list, and is silent of who is', () => {
    expect(named('config.json', { _name_or_path: 'acme/model' })).toEqual(['note acme'])
    expect(named('config.json', { _name_or_path: 'meta-llama/model' })).toEqual([])
    expect(named('README.md', 'no front matter\nbase_model: meta-lama/Llama-3\n')).toEqual([])
  })
})
