import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tree } from '../../src/contracts/statistic.ts'
import { decodeTree, encodeTree } from '../../src/engine/codec.ts'
import { EngineError } from '../../src/engine/errors.ts'

const typed = fc.oneof(
  fc.float64Array({ maxLength: 9 }),
  fc.float32Array({ maxLength: 9 }),
  fc.int32Array({ maxLength: 9 }),
  fc.uint32Array({ maxLength: 9 }),
  fc.uint8Array({ maxLength: 9 }),
  fc.uint16Array({ maxLength: 9 }),
  fc.bigInt64Array({ maxLength: 9 }),
  fc.bigUint64Array({ maxLength: 9 }),
)
const tree = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme' }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    typed as fc.Arbitrary<Tree>,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('t', 'o', 'a', 'n')), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).tree

describe('codec', () => {
  it('reads back what it wrote, whatever the keys and numbers', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const { tree: back, metadata } = decodeTree(encodeTree(value, { plan: 'p', step: 's' }), 'f')
        expect(back).toEqual(value)
        expect(metadata).toEqual({ plan: 'p', step: 's' })
      }),
      { numRuns: 300 },
    )
  })

  it('is a safetensors file: header length, JSON, buffers without holes, each aligned to its item', () => {
    const bytes = encodeTree({ a: new Uint8Array([1, 2, 3]), b: new Float64Array([1.5]), c: new Int32Array([7]) }, {})
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as Record<
      string,
      { dtype: string; data_offsets: number[] }
    >
    const tensors = Object.entries(header).filter(([k]) => k !== '__metadata__')
    expect(tensors.map(([, t]) => [t.dtype, ...t.data_offsets])).toEqual([
      ['F64', 0, 8],
      ['I32', 8, 12],
      ['U8', 12, 15],
    ])
    expect(length % 8).toBe(0)
  })

  it('refuses damaged files with an EngineError, never another error', () => {
    const good = encodeTree({ a: new Float64Array([1, 2, 3]), n: 'x' }, { plan: 'p' })
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), (cut) => {
        expect(() => decodeTree(good.slice(0, cut), 'f')).toThrow(EngineError)
      }),
    )
    const huge = good.slice()
    new DataView(huge.buffer).setBigUint64(0, 1n << 60n, true)
    expect(() => decodeTree(huge, 'f')).toThrow(/header length/)
  })
})
