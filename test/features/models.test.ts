import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { makeBatch, matrixOf, rowsOf } from '../../src/contracts/batch.ts'
import type { Batch, RowIssue } from '../../src/contracts/data.ts'
import type { FeatureSpec } from '../../src/contracts/pipeline.ts'
import { type ModelLimits, modelLimits } from '../../src/features/model-limits.ts'
import { environment, startModelProcess } from '../../src/features/model-process.ts'
import { type Features, openFeatures } from '../../src/features/open.ts'
import { type FeaturePlan, planFeatures } from '../../src/features/plan.ts'
import { altered, encode, imageGraph, scratch, slowGraph, textGraph, tokenizerFiles, words } from './toy-models.ts'

const files = scratch()
const opened: Features[] = []
afterAll(async () => {
  await Promise.all(opened.map((f) => f.close()))
  files.remove()
})

const seed = new Uint8Array(16)
const issues: RowIssue[] = []
async function open(spec: FeatureSpec, limits: ModelLimits = modelLimits): Promise<Features> {
  issues.length = 0
  const plan = planFeatures([spec.text ? 'text' : 'image'], spec) as FeaturePlan
  const features = await openFeatures(plan, seed, (i) => issues.push(i), limits)
  opened.push(features)
  return features
}
const image = files.path('image/model.onnx', encode(imageGraph()))
const plain = { mean: [0], std: [1] }
const colours = (list: readonly (readonly [number, number, number])[], side: number): Batch => {
  const dims = side * side * 3
  const data = new Uint8Array(list.length * dims)
  list.forEach((rgb, r) => {
    for (let i = 0; i < dims; i++) data[r * dims + i] = rgb[i % 3] as number
  })
  return makeBatch({ row: Uint32Array.from(list.keys()), image: { data, rows: list.length, dims, height: side, width: side, channels: 3 } })
}
const close = (a: ArrayLike<number>, b: readonly number[], digits = 5): void => {
  expect(a.length).toBe(b.length)
  b.forEach((v, i) => {
    expect(a[i]).toBeCloseTo(v, digits)
  })
}
const embedding = (b: Batch): Float32Array => matrixOf(b, 'embedding')?.data as Float32Array

describe('a model for images', () => {
  test('reads scaled and standardised pixels, and gives its output', async () => {
    const features = await open({ image: { model: image, mean: [0.5, 0.25, 0], std: [0.5, 1, 2] } })
    expect(features.dims).toBe(2)
    const out = await features.apply(
      colours(
        [
          [255, 0, 51],
          [0, 255, 0],
        ],
        16,
      ),
    )
    const [a, b] = [[1, -0.25, 0.1] as const, [-1, 0.75, 0] as const]
    close(
      embedding(out),
      [a, b].flatMap(([r, g, bl]) => [r + 10 * bl, g + 100 * bl]),
    )
  })

  test('an inner value is the embedding when the layer is named', async () => {
    const features = await open({ image: { model: image, layer: 'pooled', ...plain } })
    close(embedding(await features.apply(colours([[255, 51, 0]], 8))), [1, 0.2, 0])
  })

  test('a feature map is averaged over the picture', async () => {
    const features = await open({ image: { model: image, layer: 'means', ...plain } })
    expect(features.dims).toBe(3)
  })

  test('rows that cannot be decoded are left out and reported, and batches make no difference', async () => {
    const png = (value: number) =>
      sharp({ create: { width: 30, height: 20, channels: 3, background: { r: value, g: 0, b: value } } })
        .png()
        .toBuffer()
    const column = [...(await Promise.all([10, 20, 30, 40, 50].map(async (v) => new Uint8Array(await png(v))))), new Uint8Array([1, 2, 3])]
    const order = [5, 0, 1, 2, 3, 4]
    const features = await open({ image: { model: image, ...plain } })
    const run = (rows: readonly number[]) =>
      features.apply(makeBatch({ row: Uint32Array.from(rows), image: rows.map((r) => column[r] as Uint8Array) }))
    const whole = await run(order)
    expect([...rowsOf(whole)]).toEqual([0, 1, 2, 3, 4])
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([['undecodable-image', 5, true]])
    const parts: number[] = []
    for (const rows of [[5], [0, 1, 2], [3], [4]]) parts.push(...embedding(await run(rows)))
    expect(Float32Array.from(parts)).toEqual(embedding(whole))
    close(embedding(whole).subarray(0, 2), [110 / 255, 1000 / 255], 4)
  })

  test('a model of a fixed number of rows and open size', async () => {
    const features = await open({ image: { model: files.path('image/four.onnx', encode(imageGraph('side', 4))), size: 12, ...plain } })
    const out = await features.apply(
      colours(
        Array.from({ length: 7 }, (_, i) => [i, 0, 0] as const),
        12,
      ),
    )
    close(
      embedding(out).filter((_, i) => i % 2 === 0),
      [0, 1, 2, 3, 4, 5, 6].map((v) => v / 255),
    )
  })

  test('weights in a file beside the model are read, also when a layer is named', async () => {
    const bytes = altered(imageGraph(), (model) => {
      const tensor = model.graph?.initializer?.[0]
      if (!tensor) return
      files.path('image/weights.bin', tensor.rawData as Uint8Array)
      tensor.rawData = new Uint8Array(0)
      tensor.dataLocation = 1
      tensor.externalData = [{ key: 'location', value: 'weights.bin' }]
    })
    const beside = files.path('image/beside.onnx', bytes)
    const out = await (await open({ image: { model: beside, ...plain } })).apply(colours([[255, 0, 51]], 8))
    close(embedding(out), [1 + 10 * 0.2, 100 * 0.2])
    const inner = await (await open({ image: { model: beside, layer: 'pooled', ...plain } })).apply(colours([[255, 0, 51]], 8))
    close(embedding(inner), [1, 0, 0.2])
  })

  test('rows for which it gives no number are rejected', async () => {
    const log = { ...imageGraph(), nodes: [...imageGraph().nodes.slice(0, 2), { op: 'Log', inputs: ['pooled'], outputs: ['logits'] }] }
    const features = await open({ image: { model: files.path('image/log.onnx', encode(log)), ...plain } })
    expect([
      ...rowsOf(
        await features.apply(
          colours(
            [
              [9, 9, 9],
              [9, 0, 9],
              [5, 5, 5],
            ],
            8,
          ),
        ),
      ),
    ]).toEqual([0, 2])
    expect(issues).toEqual([{ code: 'non-finite', row: 1, column: 'image', detail: 'the model gave no finite vector', rejected: true }])
  })
})

describe('a model for text', () => {
  const model = files.path('text/model.onnx', encode(textGraph()))
  for (const [name, content] of Object.entries(tokenizerFiles)) files.path(`text/${name}`, content)
  const expected = (ids: readonly number[]): number[] => {
    const mean = [0, 1, 2, 3].map((d) => ids.reduce((sum, id) => sum + ([id, 1, id * id, 0][d] as number), 0) / ids.length)
    const norm = Math.hypot(...mean)
    return mean.map((v) => v / norm)
  }
  const id = (word: string): number => Math.max(0, words.indexOf(word))
  const tokens = (text: string): number[] => [1, ...text.split(' ').map(id), 2]
  const batch = (texts: readonly (string | null)[]): Batch => makeBatch({ row: Uint32Array.from(texts.keys()), text: texts })

  test('mean of its vectors, length 1; an empty text is zero', async () => {
    const features = await open({ text: { model } })
    const texts = ['no sign of pneumonia', 'left', 'effusion right clear unheard', 'clear left no sign']
    const out = embedding(await features.apply(batch([...texts, null, ' '])))
    close(out, [...texts.flatMap((t) => expected(tokens(t))), ...new Array(8).fill(0)])
    for (const [i, t] of texts.entries()) expect(embedding(await features.apply(batch([t])))).toEqual(out.subarray(i * 4, i * 4 + 4))
  })

  test('the first token’s vector with cls pooling', async () => {
    const features = await open({ text: { model, pooling: 'cls' } })
    close(embedding(await features.apply(batch(['clear left']))), expected([1]))
  })

  test('a text of too many tokens is cut and reported', async () => {
    const features = await open({ text: { model, maxTokens: 5 } })
    const out = await features.apply(batch(['left left left', 'left left left left', `${'left '.repeat(100_000)}clear`]))
    close(
      embedding(out),
      [0, 1, 2].flatMap(() => expected(tokens('left left left'))),
    )
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([1, 2].map((row) => ['too-long', row, false]))
  })

  test.each<[string, () => FeatureSpec, string]>([
    ['no tokenizer', () => ({ text: { model, tokenizer: files.path('none') } }), 'model-missing'],
    [
      'a damaged tokenizer',
      () => ({ text: { model, tokenizer: files.path('bad/tokenizer.json', '{"version"').replace(/tokenizer.json$/, '') } }),
      'model-broken',
    ],
    ['an image model', () => ({ text: { model: image, tokenizer: files.path('text') } }), 'model-options'],
  ])('%s', async (_, spec, code) => {
    files.path('bad/tokenizer_config.json', '{}')
    await expect(open(spec())).rejects.toMatchObject({ code })
  })
})

describe('what can go wrong', () => {
  const slow = (side: number, times: number) => files.path(`slow-${side}-${times}.onnx`, encode(slowGraph(side, times)))
  test.each<[string, FeatureSpec['image'], Partial<ModelLimits>, string, number]>([
    ['no such file', { model: files.path('lost.onnx') }, {}, 'model-missing', 4],
    ['a folder', { model: files.path('image') }, {}, 'model-missing', 4],
    ['no model', { model: files.path('text.onnx', 'hello') }, {}, 'model-broken', 2],
    ['an unknown layer', { model: image, layer: 'fc7' }, {}, 'model-options', 4],
    ['another size', { model: image, size: 9 }, {}, 'model-options', 4],
    ['other channels', { model: image, channels: 1, mean: [0], std: [1] }, {}, 'model-options', 4],
    ['a text model', { model: files.path('image/text.onnx', encode(textGraph())) }, {}, 'model-options', 4],
    ['a file that is too large', { model: image }, { maxModelBytes: 50 }, 'model-unsafe', 2],
    [
      'an operator that does not exist',
      { model: files.path('odd.onnx', encode({ ...imageGraph(), nodes: [{ op: 'Nothing', inputs: ['pixels'], outputs: ['logits'] }] })) },
      {},
      'model-broken',
      2,
    ],
    ['minutes of work', { model: slow(2000, 400) }, { openTimeoutMs: 4000 }, 'model-time', 2],
    ['gigabytes of memory', { model: slow(12_000, 3) }, { maxMemoryBytes: 400 * 2 ** 20 }, 'model-memory', 2],
  ])('%s: an error that says so', async (_, spec, limits, code, exit) => {
    const error = await open({ image: spec as NonNullable<FeatureSpec['image']> }, { ...modelLimits, ...limits }).catch((e: unknown) => e)
    expect(error).toMatchObject({ name: 'FeatureError', code, exit })
  })

  test('a closed model says that it is', async () => {
    const features = await open({ image: { model: image } })
    await features.close()
    await expect(features.apply(colours([[1, 2, 3]], 8))).rejects.toMatchObject({ code: 'model-crash' })
  })

  test('the model’s process sees nothing of the environment', () => {
    expect(Object.keys(environment()).filter((name) => !['SystemRoot', 'TEMP', 'TMP'].includes(name))).toEqual([])
  })

  test('a process asked before a model is open, or after it is closed, says so', async () => {
    const child = startModelProcess('m.onnx', 2 ** 30)
    await expect(child.ask({ kind: 'text', texts: [] }, 20_000)).rejects.toMatchObject({ message: 'no model is open' })
    child.close()
    await expect(child.ask({ kind: 'text', texts: [] }, 20_000)).rejects.toMatchObject({ code: 'model-crash', message: 'm.onnx is closed' })
  })
})
