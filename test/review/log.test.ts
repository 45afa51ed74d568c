import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Decision, lastOf, recordName, replay } from '../../src/review/decision.ts'
import { type NewDecision, openLog, readDecisions, undoOf } from '../../src/review/log.ts'
import { folder } from '../sources/make.ts'
import { now } from './make-run.ts'

const home = folder()
let count = 0
const fresh = (): string => join(home.dir, `decisions-${count++}.jsonl`)
const who = { reviewer: 'Ada', report: 'ab'.repeat(32) }
const open = (path: string, reviewer = 'Ada') => openLog(path, { ...who, reviewer }, () => now)

const about = (row: number, decision: NewDecision['decision'], more: Partial<NewDecision> = {}): NewDecision => ({
  decision,
  undoes: null,
  key: 'cd'.repeat(16),
  id: `r${row}`,
  shard: 'a.csv',
  row,
  finding: null,
  rule: 'label-flip/record',
  givenLabel: 'cat',
  label: null,
  note: null,
  ...more,
})
const held = (lines: readonly Decision[], row: number) => replay(lines).get(recordName('a.csv', row))

describe('decisions', () => {
  it('are lines that are only added, and say who, when, what and of which report', async () => {
    const path = fresh()
    const log = await open(path)
    const first = await log.append(about(1, 'confirm', { note: 'scan is of another patient' }))
    const before = readFileSync(path)
    const second = await log.append(about(2, 'relabel', { label: 'dog' }))
    await log.append(undoOf(first))
    await log.close()
    expect(readFileSync(path).subarray(0, before.length)).toEqual(before)
    const { lines, torn } = await readDecisions(path)
    expect(torn).toBe(false)
    expect(lines[0]).toMatchObject({
      ...who,
      time: now.toISOString(),
      decision: 'confirm',
      id: 'r1',
      row: 1,
      note: 'scan is of another patient',
    })
    expect(held(lines, 1)).toBeUndefined()
    expect(held(lines, 2)).toMatchObject({ decision: 'relabel', label: 'dog' })
    expect(lastOf(lines, 'Ada')?.entry).toBe(second.entry)
  })

  it('keep the note when they change, and a note keeps the decision', async () => {
    const path = fresh()
    const log = await open(path)
    await log.append(about(1, 'note', { note: 'ask radiology' }))
    await log.append(about(1, 'dismiss'))
    await log.append(about(1, 'note', { note: 'asked' }))
    const lines = await log.lines()
    expect(held(lines, 1)).toMatchObject({ decision: 'dismiss', note: 'asked' })
    await log.append(undoOf(lines[2] as Decision))
    expect(held(await log.lines(), 1)).toMatchObject({ decision: 'dismiss', note: 'ask radiology' })
    await log.close()
  })

  it('of two reviewers at the same time are all there, and each undoes what is their own', async () => {
    const path = fresh()
    const [ada, bob] = [await open(path), await open(path, 'Bob')]
    await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? ada : bob).append(about(i, 'confirm'))))
    expect((await ada.lines()).length).toBe(20)
    expect((await bob.lines()).map((l) => l.entry).sort()).toEqual((await ada.lines()).map((l) => l.entry).sort())
    expect(lastOf(await ada.lines(), 'Bob')?.reviewer).toBe('Bob')
    await ada.close()
    await bob.close()
  })

  it('survive a last line that is cut off anywhere, say so, and go on behind it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), async (share, again) => {
        const path = fresh()
        const log = await open(path)
        for (const row of [1, 2]) await log.append(about(row, 'confirm'))
        await log.close()
        const whole = readFileSync(path)
        const start = whole.indexOf(10) + 1
        const cut = start + 1 + Math.floor(share * (whole.length - start - 2))
        writeFileSync(path, whole.subarray(0, cut))
        expect(await readDecisions(path)).toMatchObject({ torn: true })
        const next = await open(path)
        expect(next.torn).toBe(true)
        await next.append(about(3, 'dismiss'))
        await next.close()
        if (again) appendFileSync(path, '{"entry":')
        const { lines, torn } = await readDecisions(path)
        expect(torn).toBe(again)
        expect(held(lines, 1)?.decision).toBe('confirm')
        expect(held(lines, 3)?.decision).toBe('dismiss')
      }),
      { numRuns: 25 },
    )
  })

  it('that are damaged anywhere else are refused, with the line', async () => {
    const path = fresh()
    const log = await open(path)
    for (const row of [1, 2, 3]) await log.append(about(row, 'confirm'))
    await log.close()
    const lines = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, [lines[0], lines[1]?.slice(0, 40), lines[2], ''].join('\n'))
    await expect(readDecisions(path)).rejects.toThrow(/line 2 is cut off, and it is not the last/)
    writeFileSync(path, [lines[0], '{"decision":"confirm"}', ''].join('\n'))
    await expect(readDecisions(path)).rejects.toThrow(/line 2 is no decision/)
  })
})
