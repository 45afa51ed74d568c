import { describe, expect, it } from 'vitest'
import { screenAdapter } from '../../src/artifacts/base/adapters.ts'
import { shapeOf, spectrumOfProduct } from '../../src/artifacts/base/spectrum.ts'
import { inMemory } from '../../src/artifacts/bytes.ts'
import type { Located } from '../../src/artifacts/observation.ts'
import { u64 } from './assemble.ts'

/** Numbers as if drawn from a normal distribution; the same for one seed. */
function normals(n: number, seed: number): Float32Array {
  let state = (seed * 2_654_435_761 + 1) >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state + 1) / 4_294_967_298
  }
  return Float32Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()))
}

const [inner, outer, rank, layers] = [40, 24, 8, 12]
type Layer = { readonly a: Float32Array; readonly b: Float32Array }

/** One layer as training leaves it: directions of falling strength. */
function layerOf(seed: number, decay = 0.8): Layer {
  const b = normals(outer * rank, seed + 500)
  return { a: normals(rank * inner, seed), b: b.map((x, i) => 0.1 * x * decay ** (i % rank)) }
}

function adapter(all: readonly Layer[], names: readonly [string, string] = ['lora_A.weight', 'lora_B.weight']): Buffer {
  let at = 0
  const parts: Float32Array[] = []
  const header: Record<string, object> = {}
  for (const [i, { a, b }] of all.entries())
    for (const [name, t, shape] of [
      [names[0], a, [rank, inner]],
      [names[1], b, [outer, rank]],
    ] as const) {
      header[`base_model.model.model.layers.${i}.self_attn.q_proj.${name}`] = { dtype: 'F32', shape, data_offsets: [at, at + t.byteLength] }
      at += t.byteLength
      parts.push(t)
    }
  const text = Buffer.from(JSON.stringify(header))
  return Buffer.concat([u64(text.length), text, ...parts.map((t) => Buffer.from(t.buffer, t.byteOffset, t.byteLength))])
}

async function screened(bytes: Buffer) {
  const seen: Located[] = []
  const notes: string[] = []
  await screenAdapter(
    inMemory(bytes),
    'adapter_model.safetensors',
    (o) => seen.push(o),
    (_, text) => notes.push(text),
    () => false,
  )
  return { seen, notes }
}
const clean = Array.from({ length: layers }, (_, i) => layerOf(i, 0.7 + (i % 4) * 0.05))
const withLayer = (at: number, layer: Layer): readonly Layer[] => clean.map((one, i) => (i === at ? layer : one))

describe('spectrumOfProduct', () => {
  it('is that of the product, which is never made', async () => {
    // Columns of b and rows of a are orthogonal: the values are 6, 2 and 0.
    const b = Float32Array.from([3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5])
    const a = Float32Array.from([2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0])
    const { values, norm, topShare, entropy } = await spectrumOfProduct(b, a, 3)
    expect([...values].map((x) => Number(x.toFixed(6)))).toEqual([6, 2, 0])
    expect(norm).toBeCloseTo(Math.sqrt(40), 6)
    expect(topShare).toBeCloseTo(0.9, 6)
    expect(entropy).toBeCloseTo(-(0.9 * Math.log(0.9) + 0.1 * Math.log(0.1)) / Math.log(3), 6)
  })
  it('has the trace of the product as the sum of its squares', async () => {
    const { a, b } = layerOf(3)
    const { values } = await spectrumOfProduct(b, a, rank)
    let total = 0
    for (let i = 0; i < outer; i++)
      for (let j = 0; j < inner; j++) {
        let x = 0
        for (let k = 0; k < rank; k++) x += (b[i * rank + k] as number) * (a[k * inner + j] as number)
        total += x * x
      }
    expect(values.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(total, 6)
  })
  it('says nothing of a matrix that is zero, or of values that are alike', () => {
    expect(shapeOf(new Float64Array(4))).toMatchObject({ norm: 0, topShare: 0, entropy: 0, kurtosis: 0 })
    expect(shapeOf(Float64Array.of(2, 2, 2, 2))).toMatchObject({ topShare: 0.25, entropy: 1, kurtosis: 0 })
  })
})

describe('spectra of an adapter', () => {
  it('are a note where its layers are alike', async () => {
    const { seen, notes } = await screened(adapter(clean))
    expect(seen).toEqual([])
    expect(notes[0]).toMatch(
      /^adapter of 12 matrices; median of their spectra: \d+\.\d % in one direction, entropy 0\.\d\d, kurtosis \d+\.\d; most in one direction: \d+\.\d % of model\.layers\.\d+\.self_attn\.q_proj$/,
    )
  })
  it.each([
    ['diffusers', 'lora.down.weight', 'lora.up.weight'],
    ['kohya', 'lora_down.weight', 'lora_up.weight'],
    ['a named adapter', 'lora_A.default.weight', 'lora_B.default.weight'],
    ['an embedding', 'lora_embedding_A', 'lora_embedding_B'],
  ])('are read as %s writes them', async (_, a, b) => {
    expect((await screened(adapter(clean, [a, b]))).notes[0]).toContain('adapter of 12 matrices; median')
  })
  it('put up for review the layer that is of rank one', async () => {
    const { seen } = await screened(adapter(withLayer(7, layerOf(7, 0.05))))
    expect(seen.map((o) => `${o.verdict} ${o.rule} ${o.subject}`)).toEqual(['review adapter-mismatch model.layers.7.self_attn.q_proj'])
    expect(seen[0]?.message).toMatch(
      /to 99\.\d % in one direction of 8 \(entropy 0\.\d\d, kurtosis \d\.\d\), and the same matrix of its other/,
    )
  })
  it('put up for review the layer that is changed much more', async () => {
    const { a, b } = layerOf(7)
    const { seen } = await screened(adapter(withLayer(7, { a, b: b.map((x) => x * 20) })))
    expect(seen.map((o) => o.message)).toEqual([
      expect.stringMatching(
        /^changes model\.layers\.7\.self_attn\.q_proj \d\d\.\d times as much as the same matrix of its other layers\.$/,
      ),
    ])
  })
  it('put up for review the one layer that is changed at all', async () => {
    const { seen, notes } = await screened(
      adapter(clean.map((one, i) => (i === 4 ? one : { a: one.a, b: new Float32Array(outer * rank) }))),
    )
    expect(seen.map((o) => o.message)).toEqual([expect.stringContaining('one of only 1 of 12 matrices that it changes at all')])
    expect(notes).toHaveLength(1)
  })
  it('say what was not decomposed, and nothing of other files', async () => {
    const bytes = adapter(clean.slice(0, 2))
    const cut = await screened(bytes.subarray(0, bytes.length - 4))
    expect(cut.notes).toEqual([expect.stringContaining('1 more were not decomposed')])
    expect(await screened(Buffer.concat([u64(2), Buffer.from('{}')]))).toEqual({ seen: [], notes: [] })
    const zero = await screened(adapter([{ a: new Float32Array(rank * inner), b: new Float32Array(outer * rank) }]))
    expect(zero.notes).toEqual(['adapter of 1 matrices, none of which changes anything'])
  })
  it('end where numbers are as large, as small or as little a number as can be', async () => {
    const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY, 3.4e38, 1e-45, Number.MIN_VALUE, 0]
    const at = (i: number): Float32Array => Float32Array.from({ length: outer * rank }, (_, k) => extremes[(k * 7 + i) % 8] as number)
    const all = Array.from({ length: layers }, (_, i) => ({
      a: Float32Array.from([...at(i), ...at(i + 1)].slice(0, rank * inner)),
      b: at(i + 2),
    }))
    const { notes } = await screened(adapter(all))
    expect(notes).toHaveLength(1)
    expect(notes[0]).not.toMatch(/NaN|Infinity|undefined/)
    const doubles = Buffer.alloc(128)
    for (let i = 0; i < 16; i++) doubles.writeDoubleLE(i % 3 === 0 ? Number.MAX_VALUE : i, i * 8)
    const header = Buffer.from(
      '{"x.lora_A.weight":{"dtype":"F64","shape":[2,4],"data_offsets":[0,64]},"x.lora_B.weight":{"dtype":"F64","shape":[4,2],"data_offsets":[64,128]}}',
    )
    expect((await screened(Buffer.concat([u64(header.length), header, doubles]))).notes[0]).not.toMatch(/NaN|Infinity/)
  })
  it('accuse none of 200 adapters whose layers differ as those of training do', async () => {
    let accused = 0
    for (let run = 0; run < 200; run++) {
      const all = Array.from({ length: layers }, (_, i) => layerOf(run * 100 + i, 0.55 + ((i * 7 + run) % 9) * 0.05))
      accused += (await screened(adapter(all))).seen.length
    }
    expect(accused).toBe(0)
  })
})
