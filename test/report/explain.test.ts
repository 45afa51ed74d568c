import { describe, expect, test } from 'vitest'
import { distance, explainRule, nearestRules, ruleIds } from '../../src/report/explain.ts'

const ids = await ruleIds()

describe('explainRule', () => {
  test.each(ids)('%s has a page with what an engineer and an auditor ask', async (id) => {
    const page = await explainRule(id)
    expect(page.split('\n')[0]).toMatch(new RegExp(`^# ${id}: \\S`))
    for (const part of [
      'What it means',
      'How it is found',
      'What it looks like',
      'False alarms',
      'What to do',
      'For the technical file',
      'References',
    ])
      expect(page).toContain(`\n## ${part}\n`)
  })

  test.each([
    ['label-flip/recrod', /label-flip\/record/],
    ['label-flip/source/', /label-flip\/source/],
    ['class-pair', /label-flip\/class-pair/],
    ['label-flip', /label-flip\/class-pair or label-flip\/record or label-flip\/source/],
    ['xyzzy-nothing-like-it', /Rules: .*label-flip\/record/],
    ['../../../package', /Rules: /],
    ['label-flip/../label-flip/record', /./],
  ])('%s is no rule', async (id, hint) => {
    await expect(explainRule(id)).rejects.toMatchObject({ code: 'no-rule-page', exit: 4, hint: expect.stringMatching(hint) as string })
  })
})

describe('distance', () => {
  test.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['abc', 'ab', 1],
    ['abc', 'xbc', 1],
    ['kitten', 'sitting', 3],
  ])('%j to %j', (a, b, expected) => {
    expect(distance(a, b)).toBe(expected)
    expect(distance(b, a)).toBe(expected)
  })

  test('suggests at most three names', () => expect(nearestRules('a/b', ['a/c', 'a/d', 'a/e', 'a/f'])).toHaveLength(3))
})
