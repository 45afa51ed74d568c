import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { onnx as Onnx } from 'onnx-proto'
import { onnxProto } from '../../src/features/model-check.ts'
import { encodeModel, type Graph } from '../../src/math/onnx.ts'

/** A folder for one test file. */
export function scratch(): { readonly path: (name: string, bytes?: Uint8Array | string) => string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'assay-features-'))
  return {
    path(name, bytes) {
      const path = join(folder, name)
      mkdirSync(join(path, '..'), { recursive: true })
      if (bytes !== undefined) writeFileSync(path, bytes)
      return path
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** Mean of each channel (`pooled`, 3 values), then a 3 x 2 matrix (`logits`). */
export const imageGraph = (side: number | string = 8, rows: number | string = 'n'): Graph => ({
  inputs: [{ name: 'pixels', type: 'float32', dims: [rows, 3, side, side] }],
  outputs: [{ name: 'logits', type: 'float32', dims: [rows, 2] }],
  nodes: [
    { op: 'GlobalAveragePool', inputs: ['pixels'], outputs: ['means'] },
    { op: 'Flatten', inputs: ['means'], outputs: ['pooled'] },
    { op: 'MatMul', inputs: ['pooled', 'weights'], outputs: ['logits'] },
  ],
  constants: [{ name: 'weights', type: 'float32', dims: [3, 2], values: [1, 0, 0, 1, 10, 100] }],
})

export const words = ['[UNK]', '[CLS]', '[SEP]', 'no', 'sign', 'of', 'pneumonia', 'effusion', 'left', 'right', 'clear']

/** One vector of four a token, which is [its id, 1, id squared, 0], and the outputs that sentence models have. */
export const textGraph = (): Graph => ({
  inputs: [
    { name: 'input_ids', type: 'int64', dims: ['n', 't'] },
    { name: 'attention_mask', type: 'int64', dims: ['n', 't'] },
  ],
  outputs: [{ name: 'last_hidden_state', type: 'float32', dims: ['n', 't', 4] }],
  nodes: [{ op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['last_hidden_state'] }],
  constants: [{ name: 'table', type: 'float32', dims: [words.length, 4], values: words.flatMap((_, id) => [id, 1, id * id, 0]) }],
})

/** Ones multiplied with ones, again and again. */
export const slowGraph = (side: number, times: number): Graph => ({
  inputs: [{ name: 'pixels', type: 'float32', dims: ['n', 3, 8, 8] }],
  outputs: [{ name: 'out', type: 'float32', dims: ['n', 3, 8, 8] }],
  nodes: [
    { op: 'Shape', inputs: ['pixels'], outputs: ['shape'] },
    { op: 'ReduceMax', inputs: ['pixels'], outputs: ['peak'], attributes: { keepdims: 0n } },
    { op: 'Expand', inputs: ['peak', 'side'], outputs: ['m0'] },
    ...Array.from({ length: times }, (_, i) => ({ op: 'MatMul', inputs: [`m${i}`, `m${i}`], outputs: [`m${i + 1}`] })),
    { op: 'ReduceMax', inputs: [`m${times}`], outputs: ['last'], attributes: { keepdims: 0n } },
    { op: 'Expand', inputs: ['last', 'shape'], outputs: ['out'] },
  ],
  constants: [{ name: 'side', type: 'int64', dims: [2], values: [side, side] }],
})

export const encode = encodeModel

/** The model with something changed that `encodeModel` would not write. */
export function altered(graph: Graph, change: (model: Onnx.ModelProto, proto: typeof Onnx) => void): Uint8Array {
  const proto = onnxProto()
  const model = proto.ModelProto.decode(encodeModel(graph))
  change(model, proto)
  return proto.ModelProto.encode(model).finish()
}

export const tokenizerFiles = {
  'tokenizer.json': JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [2], tokens: ['[SEP]'] },
      },
    },
    decoder: null,
    model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((w, i) => [w, i])), unk_token: '[UNK]' },
  }),
  'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', model_max_length: 512, unk_token: '[UNK]' }),
}
