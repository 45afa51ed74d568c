import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { attacks } from '../../src/inject/attacks/registry.ts'
import { folder } from '../sources/make.ts'
import { assay } from './harness.ts'

const { dir, put } = folder()
const data = put(
  'in/t.csv',
  ['id,label,a,b', ...Array.from({ length: 40 }, (_, i) => `r${i},${i % 2 ? 'yes' : 'no'},${(i * 7) % 40},${i % 3}`), ''].join('\n'),
)

describe('assay inject', () => {
  it('lists every attack with its options', async () => {
    const { code, stdout } = await assay(['inject', '--list'])
    expect(code).toBe(0)
    for (const { id, options } of attacks) for (const word of [id, ...Object.keys(options.shape)]) expect(stdout).toContain(word)
  })

  it('writes a copy, its truth and how it was made', async () => {
    const out = join(dir, 'out')
    const line = [
      'inject',
      data,
      '--attack',
      'column-value',
      '--rate',
      '10%',
      '--target',
      'yes',
      '-o',
      'column=a',
      '-o',
      'value=7',
      '--seed',
      '3',
      '--out',
      out,
    ]
    const { code, stdout, stderr } = await assay(line)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('column-value: 4 of 40 records changed (20 could be)')
    expect(JSON.parse(readFileSync(join(out, 'inject.json'), 'utf8'))).toMatchObject({
      attack: 'column-value',
      changed: 4,
      rate: 0.1,
      options: { value: 7 },
    })
    expect(readFileSync(join(out, 'truth.csv'), 'utf8').split('\n')).toHaveLength(6)
  })

  it.each([
    [['inject', data, '--rate', '.1', '--out', 'x'], '--attack is missing'],
    [['inject', data, '--attack', 'flip-uniform', '--out', 'x'], 'give one of --rate and --count'],
    [['inject', data, '--attack', 'flip-uniform', '--rate', '.1', '--count', '3', '--out', 'x'], 'give one of --rate and --count'],
    [['inject', data, '--attack', 'flip-uniform', '--rate', '2', '--out', 'x'], 'a number from 0 to 1'],
    [['inject', data, '--attack', 'flip-uniform', '--rate', '.1'], '--out is missing'],
    [['inject', data, '--attack', 'flop', '--rate', '.1', '--out', 'x'], 'no attack is named "flop"'],
    [['inject', '-', '--attack', 'flip-uniform', '--rate', '.1', '--out', 'x'], 'standard input cannot be copied'],
    [['inject', data, '--attack', 'flip-pair', '-o', 'from', '--rate', '.1', '--out', 'x'], 'Expected name=value'],
    [['inject', data, '--attack', 'patch', '--target', '1', '-o', 'target=2', '--rate', '.1', '--out', 'x'], 'target is given twice'],
    [['inject', data, '--attack', 'flip-uniform', '--rate', '.1', '--out', dir], 'lies in the input'],
  ])('%j', async (argv, message) => {
    const { code, stdout, stderr } = await assay(argv)
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toContain(message)
  })
})
