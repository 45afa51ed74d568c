import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { describe as describeProgress, formatDuration, openProgress } from '../../src/cli/progress.ts'
import { capture } from './harness.ts'

const io = (tty: boolean, env = {}) => {
  const stderr = capture(tty)
  return { io: { stdout: capture().stream, stderr: stderr.stream, stdin: process.stdin, env }, text: stderr.text }
}

describe('the words of progress', () => {
  test.each([
    [{ done: 120_000, total: 1_000_000, unit: 'rows' }, 3000, '120,000 of 1,000,000 rows (12 %), 40,000 rows/s, 22 s left'],
    [{ done: 5000, total: null, unit: 'rows' }, 2000, '5,000 rows, 2,500 rows/s'],
    [{ done: 10, total: 10, unit: 'shards' }, 2000, '10 of 10 shards (100 %), 5 shards/s'],
    [{ done: 0, total: 10, unit: 'rows' }, 0, '0 of 10 rows (0 %)'],
    [{ done: 12, total: 10, unit: 'rows' }, 1000, '12 of 10 rows (100 %), 12 rows/s'],
    [{ done: 5_000_000, total: 10_000_000, unit: 'bytes' }, 1000, '5.00 MB of 10.0 MB (50 %), 5.00 MB/s, 1 s left'],
  ] as const)('%j after %i ms', (event, elapsed, text) => expect(describeProgress({ phase: 'fit', ...event }, elapsed)).toBe(text))

  test.each([
    [0.4, '0 s'],
    [59.7, '1 min 0 s'],
    [3599, '59 min 59 s'],
    [7260, '2 h 1 min'],
  ])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text))
})

describe('where nobody watches', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('there is one plain line every 30 s, also while nothing arrives', async () => {
    const { io: world, text } = io(false)
    const progress = await openProgress('auto', world)
    for (let s = 0; s < 65; s++) {
      progress.update({ phase: 'score\u001b[31m', done: s * 100, total: 10_000, unit: 'rows' })
      vi.advanceTimersByTime(1000)
    }
    vi.advanceTimersByTime(40_000)
    progress.stop()
    vi.advanceTimersByTime(100_000)
    const lines = text().trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    for (const line of lines) expect(line).toMatch(/^score.*: [\d,]+ of 10,000 rows \(\d+ %\), \d+ rows\/s, \d+ (s|min \d+ s) left$/)
    expect(text()).not.toContain('\u001b')
  })

  test('a short run says nothing', async () => {
    const { io: world, text } = io(false)
    const progress = await openProgress('auto', world)
    progress.update({ phase: 'fit', done: 1, total: 1, unit: 'rows' })
    progress.stop()
    expect(text()).toBe('')
  })

  test.each([
    ['none', true, ''],
    ['plain', true, 'note\n'],
  ] as const)('--progress %s', async (mode, tty, _) => {
    const { io: world, text } = io(tty)
    const progress = await openProgress(mode, world)
    progress.update({ phase: 'fit', done: 1, total: 2, unit: 'rows' })
    progress.note('note')
    progress.stop()
    expect(text()).toBe('note\n')
  })
})

describe('on a terminal', () => {
  test('every phase has its bar, and a note stands on a line of its own', async () => {
    const { io: world, text } = io(true, { TERM: 'xterm' })
    const progress = await openProgress('auto', world)
    progress.update({ phase: 'read the data', done: 0, total: 10, unit: 'rows' })
    progress.update({ phase: 'read the data', done: 10, total: 10, unit: 'rows' })
    progress.note('columns guessed')
    progress.update({ phase: 'score', done: 5, total: null, unit: 'rows' })
    progress.update({ phase: 'evidence', done: 5, total: null, unit: 'shards' })
    progress.stop()
    expect(text()).toContain('read the data: 10 of 10 rows (100 %)')
    expect(text()).toContain('█')
    expect(text()).toContain('score: 5 of 10 rows (50 %)')
    expect(text()).toContain('evidence: 5 shards')
    expect(text()).toContain('\u001b[2Kcolumns guessed\n')
  })
})
