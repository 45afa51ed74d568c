import { expect, test } from 'vitest'
import { tokeniser } from '../../../src/math/tokens.ts'
import { isSentence, sentenceEnds } from '../../../src/statistics/text/sentences.ts'
import { seed } from '../../support/fit-detector.ts'

test.each([
  ['The gate stays shut at night.', true],
  ['Is the gate shut at night?', true],
  ['पुराना फाटक रात में बंद रहता है।', true],
  ['بوابة الحديقة تبقى مغلقة في الليل؟', true],
  ['古い門は夜には閉まっています。', true],
  ['The gate stays shut.', false],
  ['The gate stays shut at night', false],
  ['The gate stays. It is shut at night.', false],
  ['The gate stays shut at night!!', false],
])('%s', (text, expected) => {
  const bytes = new TextEncoder().encode(text)
  const { hashes, count } = tokeniser(seed).read(bytes, 0, bytes.length)
  expect(isSentence([...hashes.subarray(0, count)], sentenceEnds(seed))).toBe(expected)
})
