import { describe, expect, test } from 'vitest'
import type { Role } from '../../src/contracts/data.ts'
import type { FeatureSpec } from '../../src/contracts/pipeline.ts'
import { FeatureError } from '../../src/features/errors.ts'
import { planFeatures } from '../../src/features/plan.ts'

const cases: [string, Role[], FeatureSpec, string | null][] = [
  ['a ready embedding', ['embedding', 'text', 'image'], {}, null],
  ['numeric features', ['features', 'label'], {}, null],
  ['neither text nor image', ['id', 'label', 'predictions'], {}, null],
  ['text', ['text', 'label'], {}, 'hashed-text'],
  ['text and a model for it', ['text'], { text: { model: 'm/model.onnx' } }, 'text-model'],
  ['images', ['image', 'label'], {}, 'image-pixels'],
  ['images and a model for them', ['image'], { image: { model: 'm/resnet.onnx' } }, 'image-model'],
  ['both', ['image', 'text'], {}, 'hashed-text'],
  ['both, and a model for the images', ['image', 'text'], { image: { model: 'r.onnx' } }, 'image-model'],
  ['both, and something said of the text', ['image', 'text'], { image: { model: 'r.onnx' }, text: { dims: 64 } }, 'hashed-text'],
]

describe('what becomes the embedding', () => {
  test.each(cases)('%s', (_, roles, spec, kind) => {
    const plan = planFeatures(roles, spec)
    expect(plan?.kind ?? null).toBe(kind)
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
  })

  test('the tokenizer is beside the model unless it is named', () => {
    expect(planFeatures(['text'], { text: { model: '/models/minilm/model.onnx' } })).toMatchObject({ tokenizer: '/models/minilm' })
    expect(planFeatures(['text'], { text: { model: 'model.onnx' } })).toMatchObject({ tokenizer: '.' })
    expect(planFeatures(['text'], { text: { model: 'a/b.onnx', tokenizer: 'c' } })).toMatchObject({ tokenizer: 'c' })
  })

  test.each([
    [null, 28, 28, 882],
    [{ height: 28, width: 28, channels: 1 }, 28, 28, 784],
    [{ height: 8, width: 8, channels: 1 }, 8, 8, 64],
    [{ height: 32, width: 32, channels: 1 }, 32, 32, 1024],
    [{ height: 32, width: 32, channels: 3 }, 28, 28, 882],
    [{ height: 224, width: 224, channels: 1 }, 28, 28, 784],
    [{ height: 2, width: 300, channels: 1 }, 28, 28, 784],
  ])('pixels of raw images %j: %i x %i, %i dimensions', (shape, height, width, dims) => {
    expect(planFeatures(['image'], {}, shape)).toMatchObject({ height, width, dims })
  })

  test.each<[string, FeatureSpec['image']]>([
    ['three means for one channel', { model: 'm.onnx', channels: 1, mean: [0.1, 0.2, 0.3] }],
    ['a deviation of 0', { model: 'm.onnx', std: [0.2, 0, 0.2] }],
    ['two deviations', { model: 'm.onnx', std: [0.2, 0.3] }],
  ])('%s: a usage error', (_, image) => {
    expect(() => planFeatures(['image'], { image: image as NonNullable<FeatureSpec['image']> })).toThrow(FeatureError)
  })
})
