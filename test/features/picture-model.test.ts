import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import { type ModelLimits, modelLimits } from '../../src/features/model-limits.ts'
import { openPictureModel, rgbPicture } from '../../src/features/picture-model.ts'
import { encode, imageGraph, scratch, slowGraph } from './toy-models.ts'

const files = scratch()
afterAll(() => files.remove())
const plain = { layer: null, size: null, channels: null, mean: [0], std: [1] }
const solid = (rgb: readonly number[], side: number) => ({
  data: Uint8Array.from({ length: side * side * 3 }, (_, i) => rgb[i % 3] as number),
  height: side,
  width: side,
  channels: 3,
})

test('answers pictures of any size, as the features of the same model do', async () => {
  const model = await openPictureModel({ model: files.path('m.onnx', encode(imageGraph())), ...plain }, modelLimits)
  expect(model.dims).toBe(2)
  const answers = await model.answers([solid([255, 0, 0], 8), solid([0, 255, 51], 20)])
  for (const [i, v] of [1, 0, 2, 21].entries()) expect(answers[i]).toBeCloseTo(v, 4)
  expect(await model.answers([])).toHaveLength(0)
  await model.close()
})

describe('a model that goes beyond its limits is ended', () => {
  test.each<[string, () => Uint8Array, Partial<ModelLimits>, string]>([
    ['it hangs', () => encode(slowGraph(2000, 400)), { openTimeoutMs: 2500 }, 'model-time'],
    ['it eats memory', () => encode(slowGraph(9_000, 3)), { maxMemoryBytes: 350 * 2 ** 20 }, 'model-memory'],
  ])('%s', async (name, bytes, limits, code) => {
    const model = files.path(`${name.replaceAll(' ', '-')}.onnx`, bytes())
    await expect(openPictureModel({ model, ...plain }, { ...modelLimits, ...limits })).rejects.toMatchObject({ name: 'FeatureError', code })
  })
})

test('what does not fit is told with the key of the base model', async () => {
  const model = files.path('n.onnx', encode(imageGraph(9)))
  await expect(openPictureModel({ model, ...plain, size: 12 }, modelLimits)).rejects.toMatchObject({
    code: 'model-options',
    message: expect.stringContaining('base-model.size'),
  })
})

test('a picture of a row is RGB of 8 bits; one that cannot be decoded is none', async () => {
  const bright = await sharp(Uint16Array.from([65_535, 0, 257, 514]), { raw: { width: 2, height: 2, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer()
  const batch = makeBatch({ row: Uint32Array.from([0, 1, 2]), image: [bright, Buffer.from('no picture'), null] })
  const picture = await rgbPicture(batch, 0, 320)
  expect(picture).toMatchObject({ height: 2, width: 2, channels: 3 })
  expect([...(picture?.data ?? [])].filter((_, i) => i % 3 === 0)).toEqual([255, 0, 1, 2])
  expect([await rgbPicture(batch, 1, 320), await rgbPicture(batch, 2, 320)]).toEqual([null, null])
})
