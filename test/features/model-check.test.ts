import { symlinkSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { checkModel } from '../../src/features/model-check.ts'
import { modelLimits } from '../../src/features/model-limits.ts'
import { altered, encode, imageGraph, scratch, textGraph } from './toy-models.ts'

const files = scratch()
afterAll(files.remove)
const folder = files.path('models/.', undefined)
files.path('models/weights.bin', new Uint8Array(24))
files.path('secret.bin', new Uint8Array(24))
symlinkSync(files.path('secret.bin'), files.path('models/link.bin'))

const check = (bytes: Uint8Array, limits = modelLimits) => checkModel(bytes, 'm.onnx', folder, limits)
const external = (location: string): Uint8Array =>
  altered(imageGraph(), (model) => {
    const tensor = model.graph?.initializer?.[0]
    if (!tensor) throw new Error('no weights')
    tensor.rawData = new Uint8Array(0)
    tensor.dataLocation = 1
    tensor.externalData = [{ key: 'location', value: location }]
  })

describe('static checks of a model', () => {
  test('what a sound model says of itself', () => {
    const facts = check(encode(imageGraph()))
    expect(facts.inputs).toEqual([{ name: 'pixels', type: 1, dims: [null, 3, 8, 8] }])
    expect([facts.outputs, facts.operators, facts.batchDependent]).toEqual([[{ name: 'logits', type: 1, dims: [null, 2] }], 3, false])
    expect([...facts.values]).toEqual(['means', 'pooled', 'logits'])
    expect(check(encode(textGraph())).inputs.map((i) => i.name)).toEqual(['input_ids', 'attention_mask'])
  })

  test('quantisation by the range of the batch is noticed', () => {
    const bytes = altered(imageGraph(), (model) => {
      model.graph?.node?.push({ opType: 'DynamicQuantizeLinear', input: ['pooled'], output: ['a', 'b', 'c'] })
    })
    expect(check(bytes).batchDependent).toBe(true)
  })

  test('external data in the folder is allowed', () => {
    expect(check(external('weights.bin')).operators).toBe(3)
  })

  test.each([
    ['a parent folder', '../secret.bin'],
    ['an absolute path', '/etc/hostname'],
    ['a symbolic link', 'link.bin'],
    ['no path', ''],
    ['a path with a null character', 'weights.bin\0.txt'],
  ])('external data by %s is refused', (_, location) => {
    expect(() => check(external(location))).toThrow(expect.objectContaining({ code: 'model-unsafe', exit: 2 }))
  })

  test('external data that is missing is named', () => {
    expect(() => check(external('lost.bin'))).toThrow(
      expect.objectContaining({ code: 'model-broken', message: expect.stringContaining('lost.bin') }),
    )
  })

  const node = (opType: string, domain: string): Uint8Array =>
    altered(imageGraph(), (model) => {
      model.graph?.node?.push({ opType, domain, input: ['pooled'], output: ['x'] })
    })
  test.each([
    ['a custom operator', 'Decode', 'ai.onnx.contrib'],
    ['an operator that runs Python', 'PythonOp', 'com.microsoft'],
    ['a compiled context', 'EPContext', 'com.microsoft'],
  ])('%s is refused', (_, opType, domain) => {
    expect(() => check(node(opType, domain))).toThrow(
      expect.objectContaining({ code: 'model-unsafe', message: expect.stringContaining(opType) }),
    )
  })

  test('a custom operator within a branch is refused', () => {
    const bytes = altered(imageGraph(), (model) => {
      const branch = { node: [{ opType: 'Run', domain: 'evil', output: ['y'] }], output: [{ name: 'y' }] }
      model.graph?.node?.push({ opType: 'If', input: ['pooled'], output: ['x'], attribute: [{ name: 'then_branch', type: 5, g: branch }] })
    })
    expect(() => check(bytes)).toThrow(expect.objectContaining({ code: 'model-unsafe', message: expect.stringContaining('evil.Run') }))
  })

  test('a function that the model defines is allowed, what it calls is checked too', () => {
    const withFunction = (inner: string): Uint8Array =>
      altered(imageGraph(), (model) => {
        model.graph?.node?.push({ opType: 'Mine', domain: 'local', input: ['pooled'], output: ['x'] })
        model.functions = [
          {
            name: 'Mine',
            domain: 'local',
            input: ['a'],
            output: ['b'],
            node: [{ opType: 'Relu', domain: inner, input: ['a'], output: ['b'] }],
          },
        ]
      })
    expect(check(withFunction('')).operators).toBe(5)
    expect(() => check(withFunction('evil'))).toThrow(expect.objectContaining({ code: 'model-unsafe' }))
  })

  test('graphs nested without end are refused', () => {
    const bytes = altered(imageGraph(), (model, proto) => {
      let graph: InstanceType<typeof proto.GraphProto> = proto.GraphProto.fromObject({ node: [{ opType: 'Relu' }] })
      for (let i = 0; i < 60; i++)
        graph = proto.GraphProto.fromObject({ node: [{ opType: 'Loop', attribute: [{ name: 'body', type: 5, g: graph }] }] })
      if (model.graph) model.graph.node = graph.node
    })
    expect(() => check(bytes)).toThrow(expect.objectContaining({ name: 'FeatureError' }))
  })

  test.each([
    ['too many operators', { ...modelLimits, maxOperators: 2 }, encode(imageGraph())],
    ['too much external data', { ...modelLimits, maxModelBytes: 200 }, external('weights.bin')],
    ['the ORT format', modelLimits, new TextEncoder().encode('xxxxORTM and more')],
  ])('%s is refused', (_, limits, bytes) => {
    expect(() => check(bytes, limits)).toThrow(expect.objectContaining({ code: 'model-unsafe' }))
  })

  test('what is no model is called so, whatever it is', () => {
    const sound = encode(imageGraph())
    for (const bytes of [
      new Uint8Array(0),
      new TextEncoder().encode('PK\x03\x04 a zip'),
      sound.subarray(0, 70),
      new Uint8Array(1000).fill(0xff),
    ])
      expect(() => check(bytes)).toThrow(expect.objectContaining({ code: 'model-broken', exit: 2 }))
  })
})
