import { readFileSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { FeatureError } from './errors.ts'
import { checkModel, type ModelFacts, type ModelPort, withOutput } from './model-check.ts'
import type { ModelLimits } from './model-limits.ts'
import type { Answered, ImageInput, ModelRequest } from './model-messages.ts'
import { openTokenizer } from './tokenizer.ts'

type Ort = typeof import('onnxruntime-node')

/** Runs inside the model's own process. */
export interface ModelRunner {
  readonly dims: number
  readonly input: ImageInput | null
  texts(texts: readonly string[]): Promise<Answered>
  images(pixels: Float32Array): Promise<Float32Array>
}

const float32 = 1
const int32 = 6
const int64 = 7
const maxDims = 8192
/** Records in one run of the model. */
const batchRows = 16

interface Loaded {
  readonly ort: Ort
  readonly session: InferenceSession
  readonly facts: ModelFacts
  readonly name: string
  readonly output: string
}

async function load(path: string, wanted: (facts: ModelFacts) => string, limits: ModelLimits): Promise<Loaded> {
  const name = basename(path)
  const { size } = statSync(path)
  if (size > limits.maxModelBytes)
    throw new FeatureError('model-unsafe', `${name} was not run: it has ${size} bytes, more than ${limits.maxModelBytes}`, { file: name })
  const bytes = readFileSync(path)
  const facts = checkModel(bytes, name, dirname(path), limits)
  const output = wanted(facts)
  const ort = await import('onnxruntime-node')
  const session = await ort.InferenceSession.create(isOutput(facts, output) ? bytes : withOutput(bytes, output), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    enableCpuMemArena: false,
    enableMemPattern: false,
    logSeverityLevel: 4,
    extra: { session: { model_external_initializers_file_folder_path: dirname(path) } },
  })
  return { ort, session, facts, name, output }
}

async function runOne(model: Loaded, feeds: Record<string, Tensor>, rows: number): Promise<Tensor> {
  const outputs = await model.session.run(feeds, [model.output])
  const tensor = outputs[model.output] as Tensor
  const problem =
    tensor.type !== 'float32'
      ? `values of type ${tensor.type}`
      : tensor.dims[0] !== rows || tensor.dims.length < 2
        ? `the shape ${tensor.dims.join(' x ')} for ${rows} records`
        : null
  if (problem) throw outputError(model, `has ${problem}`)
  return tensor
}

const outputError = (model: Loaded, problem: string): FeatureError =>
  new FeatureError(
    'model-output',
    `output ${model.output} of ${model.name} ${problem}, not one vector of float32 a record`,
    { file: model.name },
    'name another layer',
  )

const isOutput = (facts: ModelFacts, name: string): boolean => facts.outputs.some((o) => o.name === name)

/** By the names that sentence models use, else a vector a text, else a vector a token. */
function textOutput(facts: ModelFacts): string {
  const usual = ['sentence_embedding', 'last_hidden_state'].find((name) => isOutput(facts, name))
  const floats = facts.outputs.filter((o) => o.type === float32)
  return usual ?? (floats.find((o) => o.dims.length === 2) ?? floats[0] ?? facts.outputs[0])?.name ?? ''
}

/** Means over the middle axes of a tensor rows x ... x dims, or of its first vector; scaled to length 1 on demand. */
function pool(model: Loaded, tensor: Tensor, how: 'mean' | 'cls', channelsFirst: boolean): Float32Array {
  const [rows, ...rest] = tensor.dims as readonly [number, ...number[]]
  const values = tensor.data as Float32Array
  if (rest.length === 1) return Float32Array.from(values)
  const dims = (channelsFirst && rest.length === 3 ? rest[0] : rest.at(-1)) as number
  const cells = rest.reduce((a, b) => a * b, 1) / dims
  if (cells < 1 || dims < 1) throw outputError(model, 'is empty')
  const [cellStep, dimStep] = channelsFirst && rest.length === 3 ? [1, cells] : [dims, 1]
  const used = how === 'cls' ? 1 : cells
  const out = new Float32Array(rows * dims)
  for (let r = 0; r < rows; r++) {
    for (let d = 0; d < dims; d++) {
      let sum = 0
      for (let c = 0; c < used; c++) sum += values[r * cells * dims + c * cellStep + d * dimStep] as number
      out[r * dims + d] = sum / used
    }
  }
  return out
}

function checkedDims(model: Loaded, vector: Float32Array): number {
  const dims = vector.length
  if (dims < 1 || dims > maxDims) throw outputError(model, `gives ${dims} values a record`)
  return dims
}

const refuseRows = (): never => {
  throw new FeatureError('model-crash', 'records of another kind than the model reads')
}

export async function openTextRunner(r: Extract<ModelRequest, { kind: 'open-text' }>): Promise<ModelRunner> {
  const tokenize = await openTokenizer(r.tokenizer, r.maxTokens)
  const model = await load(r.model, textOutput, r.limits)
  const ports = model.facts.inputs
  for (const p of ports) textFeed(model, p, [[0]])
  const embed = async (ids: readonly (readonly number[])[]): Promise<Float32Array> => {
    const feeds = Object.fromEntries(ports.map((p) => [p.name, textFeed(model, p, ids)]))
    return unit(pool(model, await runOne(model, feeds, ids.length), r.pooling, false), ids.length)
  }
  const dims = checkedDims(model, await embed([tokenize('a').ids]))
  const together = model.facts.batchDependent ? 1 : batchRows
  return {
    dims,
    input: null,
    images: refuseRows,
    async texts(texts) {
      const tokens = texts.map((t) => (t.trim() ? tokenize(t) : null))
      const data = new Float32Array(texts.length * dims)
      // Equal lengths together: no padding, which would let one text's length touch another's vector.
      const order = tokens.flatMap((t, i) => (t ? [i] : [])).sort((a, b) => lengthAt(tokens, a) - lengthAt(tokens, b) || a - b)
      for (let i = 0; i < order.length; ) {
        const length = lengthAt(tokens, order[i] as number)
        const rows: number[] = []
        while (i < order.length && rows.length < together && lengthAt(tokens, order[i] as number) === length)
          rows.push(order[i++] as number)
        const vectors = await embed(rows.map((row) => tokens[row]?.ids ?? []))
        if (vectors.length !== rows.length * dims) throw outputError(model, 'changes its length with the text')
        rows.forEach((row, k) => {
          data.set(vectors.subarray(k * dims, (k + 1) * dims), row * dims)
        })
      }
      return { data, cut: tokens.flatMap((t, i) => (t?.cut ? [i] : [])) }
    },
  }
}

const lengthAt = (tokens: readonly ({ readonly ids: readonly number[] } | null)[], i: number): number => tokens[i]?.ids.length ?? 0

function textFeed(model: Loaded, port: ModelPort, ids: readonly (readonly number[])[]): Tensor {
  const values: Record<string, (id: number, at: number) => number> = {
    input_ids: (id) => id,
    attention_mask: () => 1,
    token_type_ids: () => 0,
    position_ids: (_, at) => at,
  }
  const value = values[port.name]
  if (!value || (port.type !== int64 && port.type !== int32))
    throw new FeatureError(
      'model-options',
      `${model.name} reads ${port.name}, which Assay cannot give it`,
      { file: model.name },
      'a text model reads input_ids, attention_mask, token_type_ids or position_ids, as integers',
    )
  const flat = ids.flatMap((row) => row.map(value))
  const dims = [ids.length, ids[0]?.length ?? 0]
  return port.type === int64
    ? new model.ort.Tensor('int64', BigInt64Array.from(flat, BigInt), dims)
    : new model.ort.Tensor('int32', Int32Array.from(flat), dims)
}

function unit(vectors: Float32Array, rows: number): Float32Array {
  const dims = vectors.length / rows
  for (let r = 0; r < rows; r++) {
    const vector = vectors.subarray(r * dims, (r + 1) * dims)
    let norm = 0
    for (const v of vector) norm += v * v
    const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0
    for (let d = 0; d < dims; d++) vector[d] = (vector[d] as number) * scale
  }
  return vectors
}

export async function openImageRunner(r: Extract<ModelRequest, { kind: 'open-image' }>): Promise<ModelRunner> {
  const model = await load(r.model, (facts) => layerOf(facts, r.layer, basename(r.model)), r.limits)
  const { input, fixedRows, name } = imageInput(model, r)
  const size = input.channels * input.height * input.width
  const { channels, height, width } = input
  const shape = input.channelsFirst ? [channels, height, width] : [height, width, channels]
  const rowsAtOnce = fixedRows ?? (model.facts.batchDependent ? 1 : batchRows)
  // Always as many rows: kernels round differently for different numbers.
  const embed = async (pixels: Float32Array): Promise<Float32Array> => {
    const padded = new Float32Array(rowsAtOnce * size)
    padded.set(pixels)
    const feeds = { [name]: new model.ort.Tensor('float32', padded, [rowsAtOnce, ...shape]) }
    const vectors = pool(model, await runOne(model, feeds, rowsAtOnce), 'mean', input.channelsFirst)
    return vectors.subarray(0, (vectors.length / rowsAtOnce) * (pixels.length / size))
  }
  const dims = checkedDims(model, await embed(new Float32Array(size)))
  return {
    dims,
    input,
    texts: refuseRows,
    async images(pixels) {
      const rows = pixels.length / size
      const data = new Float32Array(rows * dims)
      for (let i = 0; i < rows; i += rowsAtOnce)
        data.set(await embed(pixels.subarray(i * size, Math.min(rows, i + rowsAtOnce) * size)), i * dims)
      return data
    },
  }
}

function layerOf(facts: ModelFacts, layer: string | null, name: string): string {
  if (layer === null) return (facts.outputs.find((o) => o.type === float32) ?? facts.outputs[0])?.name ?? ''
  if (isOutput(facts, layer) || facts.values.has(layer)) return layer
  const known = facts.outputs
    .join(', ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 200)
  throw new FeatureError('model-options', `${name} has no value called ${layer}`, { file: name }, `its outputs are: ${known}`)
}

function imageInput(
  model: Loaded,
  r: Extract<ModelRequest, { kind: 'open-image' }>,
): { input: ImageInput; fixedRows: number | null; name: string } {
  const [port, ...others] = model.facts.inputs
  const wrong = (problem: string): FeatureError =>
    new FeatureError(
      'model-options',
      `${model.name} ${problem}`,
      { file: model.name },
      'an image model has one float32 input of shape N x C x H x W or N x H x W x C',
    )
  if (!port || others.length > 0) throw wrong(`has ${model.facts.inputs.length} inputs`)
  if (port.type !== float32) throw wrong(`does not read float32`)
  if (port.dims.length !== 4) throw wrong(`reads a tensor of ${port.dims.length} axes`)
  const [rows, second, third, fourth] = port.dims as readonly [number | null, number | null, number | null, number | null]
  const isColour = (n: number | null): n is 1 | 3 => n === 1 || n === 3
  const channelsFirst = isColour(second) || !isColour(fourth)
  const [c, h, w] = channelsFirst ? [second, third, fourth] : [fourth, second, third]
  if (c !== null && !isColour(c)) throw wrong(`reads ${c} channels`)
  if (c !== null && r.channels !== null && c !== r.channels)
    throw wrong(`reads ${c} channels, not the ${r.channels} of features.image.channels`)
  for (const side of [h, w])
    if (side !== null && r.size !== null && side !== r.size)
      throw wrong(`reads ${side} pixels a side, not the ${r.size} of features.image.size`)
  const height = h ?? r.size ?? 224
  const width = w ?? r.size ?? 224
  if (height > 2048 || width > 2048) throw wrong(`reads images of ${height} x ${width}`)
  if (rows !== null && rows > 1024) throw wrong(`reads ${rows} images at once`)
  return { input: { height, width, channels: c ?? r.channels ?? 3, channelsFirst }, fixedRows: rows, name: port.name }
}
