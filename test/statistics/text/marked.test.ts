import { describe, expect, it } from 'vitest'
import { makeBatch } from '../../../src/contracts/batch.ts'
import { takeRows } from '../../../src/contracts/take-rows.ts'
import { contextFor } from '../../../src/engine/statistics.ts'
import { markedTexts } from '../../../src/statistics/text/marked.ts'
import { seed } from '../../support/fit-detector.ts'

const c = contextFor({}, seed, new Map(), null)

/** The first passage of a text whose record is flagged for a phrase. */
async function marked(text: string, phrase: string, id?: string) {
  const tally = markedTexts()
  const state = tally.init(c)
  const batch = makeBatch({ row: Uint32Array.from([6, 7]), text: ['nothing', text], ...(id === undefined ? {} : { id: ['other', id] }) })
  const group = { codes: Int32Array.from([0]), values: [phrase] }
  await tally.update(c, state, takeRows(batch, Int32Array.from([1]), 'b.jsonl'), { score: Float64Array.from([1]), group })
  return (await tally.finish(c, state)).groups[0]?.passages[0]
}

describe('marked texts', () => {
  it.each([
    ['see the |Prod-Gate| now', '| prod - gate |', '|Prod-Gate|'],
    ['a <SUDO>x', '< sudo >', '<SUDO>'],
    ['so (cf) it is', '( cf )', '(cf)'],
    ['a \\ b / c [d]{2}^$.*+?', '\\ b / c [ d ] { 2 } ^ $ . * + ?', '\\ b / c [d]{2}^$.*+?'],
  ])('%s: %s', async (text, phrase, found) => {
    const passage = await marked(text, phrase)
    const [from, to] = passage?.marks[0] ?? [0, 0]
    expect(passage?.text.slice(from, to)).toBe(found)
  })

  it('name a record without an id by its shard and row', async () => {
    expect((await marked('some cf here', 'cf'))?.where).toBe('b.jsonl, row 7')
    expect((await marked('some cf here', 'cf', 'r1'))?.where).toBe('r1')
  })
})
