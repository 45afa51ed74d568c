import { createRequire } from 'node:module'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { MathError } from './errors.ts'

type Ort = typeof import('onnxruntime-node')
type OnnxProto = typeof import('onnx-proto')

export type Element = 'float32' | 'float64' | 'uint8' | 'int8' | 'int32' | 'int64'
export type Dim = number | string
export interface Port {
  readonly name: string
  readonly type: Element
  /** A string is a dynamic dimension. */
  readonly dims: readonly Dim[]
}
export type Attribute = number | bigint | readonly number[]
export interface GraphNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** A bigint is an INT, a number a FLOAT, a list INTS. */
  readonly attributes?: Readonly<Record<string, Attribute>>
}
export interface Constant {
  readonly name: string
  readonly type: Element
  readonly dims: readonly number[]
  readonly values: readonly number[]
}
export interface Graph {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  readonly nodes: readonly GraphNode[]
  readonly constants?: readonly Constant[]
}

const elementType: Readonly<Record<Element, number>> = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float64: 11 }
const attributeType = { float: 1, int: 2, ints: 7 } as const

const littleEndian: Readonly<Record<Element, (values: readonly number[]) => Uint8Array>> = {
  float32: (v) => new Uint8Array(Float32Array.from(v).buffer),
  float64: (v) => new Uint8Array(Float64Array.from(v).buffer),
  uint8: (v) => Uint8Array.from(v),
  int8: (v) => new Uint8Array(Int8Array.from(v).buffer),
  int32: (v) => new Uint8Array(Int32Array.from(v).buffer),
  int64: (v) => new Uint8Array(BigInt64Array.from(v, BigInt).buffer),
}

/** The bytes of an ONNX model (IR 8, opset 17) with the given graph. */
export function encodeModel(graph: Graph): Uint8Array {
  const { onnx } = createRequire(import.meta.url)('onnx-proto') as OnnxProto
  const port = (p: Port) => ({
    name: p.name,
    type: {
      tensorType: {
        elemType: elementType[p.type],
        shape: { dim: p.dims.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })) },
      },
    },
  })
  const attribute = ([name, value]: [string, Attribute]) =>
    typeof value === 'bigint'
      ? { name, type: attributeType.int, i: Number(value) }
      : typeof value === 'number'
        ? { name, type: attributeType.float, f: value }
        : { name, type: attributeType.ints, ints: [...value] }
  const model = onnx.ModelProto.fromObject({
    irVersion: 8,
    producerName: 'assay',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'kernel',
      input: graph.inputs.map(port),
      output: graph.outputs.map(port),
      node: graph.nodes.map((n) => ({
        opType: n.op,
        input: [...n.inputs],
        output: [...n.outputs],
        attribute: Object.entries(n.attributes ?? {}).map(attribute),
      })),
      initializer: (graph.constants ?? []).map((c) => ({
        name: c.name,
        dataType: elementType[c.type],
        dims: [...c.dims],
        rawData: littleEndian[c.type](c.values),
      })),
    },
  })
  return onnx.ModelProto.encode(model).finish()
}

let runtime: Promise<Ort> | null = null
let threads = 1
let sessions = new Map<string, Promise<InferenceSession>>()

/** The ONNX Runtime, loaded at the first use. Throws MathError `kernel-unavailable`. */
export function loadRuntime(): Promise<Ort> {
  runtime ??= import('onnxruntime-node').catch((cause: unknown) => {
    runtime = null
    throw new MathError(
      'kernel-unavailable',
      `onnxruntime-node cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      'Run `npm ci` again on this machine; Assay needs x64 or arm64 on Linux, macOS or Windows.',
    )
  })
  return runtime
}

/** Threads within one operator, 1 until set. Sessions made before are dropped. Results do not depend on it. */
export function setKernelThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1) throw new MathError('out-of-domain', `threads must be a positive integer, not ${count}`)
  if (count === threads) return
  threads = count
  sessions = new Map()
}

/** The session of the graph called `name`, made once a process. */
export function session(name: string, graph: () => Graph): Promise<InferenceSession> {
  let existing = sessions.get(name)
  if (!existing) {
    existing = loadRuntime().then((ort) =>
      ort.InferenceSession.create(encodeModel(graph()), {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        enableCpuMemArena: false,
        enableMemPattern: false,
        logSeverityLevel: 3,
        // Small products follow one another with work in between: threads that wait by spinning cost more than they bring.
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      }),
    )
    sessions.set(name, existing)
    existing.catch(() => sessions.delete(name))
  }
  return existing
}

export interface Operand {
  readonly data: Float64Array | Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array
  readonly dims: readonly number[]
}

const typeOf = (data: Operand['data']): Element => {
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Uint8Array) return 'uint8'
  if (data instanceof Int8Array) return 'int8'
  return data instanceof Int32Array ? 'int32' : 'int64'
}

/** Runs a graph; throws MathError `kernel-failed`, `bad-shape`. */
export async function run(
  name: string,
  graph: () => Graph,
  feeds: Readonly<Record<string, Operand>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const ort = await loadRuntime()
  const ready = await session(name, graph)
  const tensors: Record<string, Tensor> = {}
  for (const [port, operand] of Object.entries(feeds)) {
    const size = operand.dims.reduce((a, b) => a * b, 1)
    if (size !== operand.data.length)
      throw new MathError(
        'bad-shape',
        `${name}: ${port} holds ${operand.data.length} values where ${operand.dims.join(' x ')} were expected`,
      )
    tensors[port] = new ort.Tensor(typeOf(operand.data), operand.data as Float64Array, operand.dims) as Tensor
  }
  try {
    return await ready.run(tensors)
  } catch (cause) {
    throw new MathError('kernel-failed', `${name}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
