import { describe, expect, test } from 'vitest'
import { explainError, UsageError } from '../../src/cli/errors.ts'
import { wantsColor } from '../../src/cli/io.ts'
import { openLog } from '../../src/cli/log.ts'
import { AssayError } from '../../src/contracts/errors.ts'
import { capture } from './harness.ts'

class Broken extends AssayError<'broken'> {}

describe('errors as the user sees them', () => {
  test.each<[string, unknown, string, number]>([
    ['usage', new UsageError('no data', 'name some'), 'assay: no data\n  hint: name some\n', 4],
    [
      'with its place',
      new Broken('broken', 'a quote is not closed', 2, { file: 'a.csv', line: 7, row: 5, column: 'note', offset: 99 }),
      'assay: a quote is not closed\n  in a.csv, line 7, row 5, column note, byte 99\n',
      2,
    ],
    [
      'that names its place itself',
      new Broken('broken', 'p.yaml:3:5: gate: x\np.yaml:4:1: y', 4, { file: 'p.yaml', line: 3 }),
      'assay: p.yaml:3:5: gate: x\n  p.yaml:4:1: y\n',
      4,
    ],
    ['of hostile data', new Broken('broken', 'label \u001b]0;x\u0007', 2), 'assay: label ⟨U+001B⟩]0;x⟨U+0007⟩\n', 2],
    ['of the system', Object.assign(new Error('x'), { code: 'ENOSPC', path: '/run/x' }), 'assay: /run/x: no space left on the disk\n', 2],
    [
      'of ours',
      new TypeError('x is undefined'),
      'assay: internal error: x is undefined\n  hint: --log-level debug shows where; please report it\n',
      2,
    ],
  ])('%s', (_, error, text, exit) => {
    expect(explainError(error, () => {})).toEqual({ text, exit })
  })

  test('the stack goes to the debug log alone', () => {
    const seen: object[] = []
    explainError(new TypeError('x'), (_, fields) => seen.push(fields))
    expect(JSON.stringify(seen)).toContain('errors.test')
  })
})

describe('the log', () => {
  test('is one JSON object a line, from its level upward', () => {
    const lines: string[] = []
    const log = openLog('info', false, (line) => lines.push(line))
    log('debug', 'quiet')
    log('warn', 'disk is slow', { file: 'a' })
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level: 40, msg: 'disk is slow', file: 'a' }])
  })

  test('is words for people, without control characters', () => {
    const lines: string[] = []
    openLog('debug', true, (line) => lines.push(line))('debug', 'a\u001b[1m', { n: 1 })
    expect(lines).toEqual(['debug: a⟨U+001B⟩[1m n=1'])
  })
})

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [false, { FORCE_COLOR: '1' }, true],
  [false, { FORCE_COLOR: '0' }, false],
])('colour on a terminal (%s) with %j: %s', (tty, env, expected) => expect(wantsColor(capture(tty).stream, env)).toBe(expected))
