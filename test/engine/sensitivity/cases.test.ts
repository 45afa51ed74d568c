import { describe, expect, it } from 'vitest'
import { roles } from '../../../src/contracts/data.ts'
import { applicable, cases, changedColumns } from '../../../src/engine/sensitivity/cases.ts'
import { attacks } from '../../../src/inject/attacks/registry.ts'
import { parseOptions } from '../../../src/inject/options.ts'
import { keyed } from '../../../src/math/rng.ts'

const ids = (...of: Parameters<typeof applicable>) => applicable(...of).map((c) => c.id)

describe('attacks that are tried', () => {
  it('are every attack that a copy can be given', () => {
    expect(new Set(cases.map((c) => c.attack.id))).toEqual(new Set(attacks.map((a) => a.id)))
  })

  it.each(cases.map((c) => [c.id, c] as const))('%s draws options that the attack takes, others under another seed or none', (_, one) => {
    for (let seed = 0; seed < 5; seed++) {
      const random = keyed(Uint8Array.of(seed), 'test')
      const drawn = one.options({
        labels: ['a', 'b', 'c'],
        sources: ['x', 'y'],
        columns: ['u', 'v', 'w'],
        categories: ['k'],
        side: 64,
        random,
      })
      expect(drawn).not.toBeNull()
      expect(() => parseOptions(one.attack, drawn ?? {})).not.toThrow()
    }
  })

  it('are those that the columns allow', () => {
    expect(ids({ attacks: null }, ['label', 'features'])).toEqual([
      'flip-pair',
      'flip-uniform',
      'column-interval',
      'column-pair',
      'column-value',
    ])
    expect(ids({ attacks: null }, ['image'])).toEqual(['blend', 'patch', 'patch-anywhere', 'sinusoid', 'warp'])
    expect(ids({ attacks: null }, ['text', 'response'])).toContain('instruction-poison')
    expect(ids({ attacks: ['patch'] }, roles)).toEqual(['patch'])
    expect(() => ids({ attacks: ['path'] }, roles)).toThrow(/no attack "path"/)
  })

  it('change the columns that follow from what they write', () => {
    const attack = (id: string) => (cases.find((c) => c.id === id) as (typeof cases)[number]).attack
    expect(changedColumns(attack('patch'), { target: 'a' }, { embedding: 'image' })).toEqual(
      new Set(['label', 'image', 'pixels', 'noise', 'embedding']),
    )
    expect(changedColumns(attack('patch'), { target: 'a', 'clean-label': true }, { embedding: 'text' })).toEqual(
      new Set(['image', 'pixels', 'noise']),
    )
    expect(changedColumns(attack('flip-uniform'), {}, { embedding: 'image' })).toEqual(new Set(['label']))
  })
})
