import { realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute, join, relative, sep } from 'node:path'
import type { onnx as Onnx } from 'onnx-proto'
import { FeatureError } from './errors.ts'
import type { ModelLimits } from './model-limits.ts'

type OnnxProto = typeof import('onnx-proto')

export interface ModelPort {
  readonly name: string
  /** TensorProto.DataType: 1 float32, 6 int32, 7 int64. */
  readonly type: number
  /** Null where the model leaves it open. */
  readonly dims: readonly (number | null)[]
}

export interface ModelFacts {
  /** Without those that have a default. */
  readonly inputs: readonly ModelPort[]
  readonly outputs: readonly ModelPort[]
  /** Every value that the graph computes. */
  readonly values: ReadonlySet<string>
  readonly operators: number
  /** A row's result depends on the other rows of its batch: quantised by the range of the whole batch. */
  readonly batchDependent: boolean
}

/** Built into ONNX Runtime: standard operators, classical ML, Microsoft's fused and quantised ones. */
const builtInDomains = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft', 'com.microsoft.nchwc'])
/** They run code or read files that these checks do not see. */
const refusedOperators = new Set(['EPContext', 'ATen', 'PythonOp', 'PythonOpGrad'])
const maxDepth = 32
const external = 1

export const onnxProto = (): OnnxProto['onnx'] => (createRequire(import.meta.url)('onnx-proto') as OnnxProto).onnx

/**
 * Static checks of an ONNX model before anything of it runs: it parses; every operator is one that ONNX Runtime has built in or that the
 * model itself defines from such; no operator that runs code or reads files; not more than `maxOperators`; external data only in files
 * inside the folder of the model (symbolic links resolved), and not more than `maxModelBytes` in all.
 *
 * @throws FeatureError `model-broken`, `model-unsafe`
 */
export function checkModel(bytes: Uint8Array, name: string, folder: string, limits: ModelLimits): ModelFacts {
  const model = parse(bytes, name)
  const graph = model.graph
  if (!graph?.node?.length) throw broken(name, 'it has no graph')
  const walk = new Walk(name, realpathSync(folder), limits, bytes.length)
  for (const f of model.functions ?? []) walk.defined.add(`${f.domain ?? ''} ${f.name ?? ''}`)
  for (const f of model.functions ?? []) walk.nodes(f.node ?? [], 1)
  walk.graph(graph, 0)
  const initialised = new Set((graph.initializer ?? []).map((t) => t.name))
  return {
    inputs: (graph.input ?? []).filter((i) => !initialised.has(i.name)).map(port),
    outputs: (graph.output ?? []).map(port),
    values: new Set(graph.node.flatMap((n) => n.output ?? [])),
    operators: walk.operators,
    batchDependent: walk.batchDependent,
  }
}

const broken = (name: string, problem: string): FeatureError =>
  new FeatureError(
    'model-broken',
    `${name} is not an ONNX model that can be read: ${problem}`,
    { file: name },
    'export the model to ONNX again',
  )

function parse(bytes: Uint8Array, name: string): Onnx.ModelProto {
  if (bytes.length >= 8 && Buffer.from(bytes.subarray(4, 8)).toString('latin1') === 'ORTM')
    throw new FeatureError(
      'model-unsafe',
      `${name} is in the ORT format, which cannot be checked before it runs`,
      { file: name },
      'give the .onnx file',
    )
  try {
    return onnxProto().ModelProto.decode(bytes)
  } catch (cause) {
    throw broken(name, cause instanceof Error ? cause.message.slice(0, 200) : 'damaged')
  }
}

function port(value: Onnx.IValueInfoProto): ModelPort {
  const tensor = value.type?.tensorType
  const dims = (tensor?.shape?.dim ?? []).map((d) => {
    const size = d.dimParam ? 0 : Number(d.dimValue ?? 0)
    return size > 0 ? size : null
  })
  return { name: value.name ?? '', type: tensor?.elemType ?? 0, dims }
}

class Walk {
  operators = 0
  batchDependent = false
  readonly defined = new Set<string>()
  readonly #files = new Set<string>()

  constructor(
    readonly name: string,
    readonly folder: string,
    readonly limits: ModelLimits,
    private total: number,
  ) {}

  graph(graph: Onnx.IGraphProto, depth: number): void {
    if (depth > maxDepth) this.refuse(`graphs within graphs, more than ${maxDepth} deep`)
    for (const tensor of graph.initializer ?? []) this.tensor(tensor)
    for (const sparse of graph.sparseInitializer ?? []) this.sparse(sparse)
    this.nodes(graph.node ?? [], depth)
  }

  nodes(nodes: readonly Onnx.INodeProto[], depth: number): void {
    for (const node of nodes) {
      const type = node.opType ?? ''
      const domain = node.domain ?? ''
      if (++this.operators > this.limits.maxOperators) this.refuse(`more than ${this.limits.maxOperators} operators`)
      if (!this.defined.has(`${domain} ${type}`) && (!builtInDomains.has(domain) || refusedOperators.has(type)))
        this.refuse(`the operator ${printable(domain ? `${domain}.${type}` : type)}, which is not built into ONNX Runtime`)
      if (type.startsWith('DynamicQuantize')) this.batchDependent = true
      for (const attribute of node.attribute ?? []) {
        if (attribute.t) this.tensor(attribute.t)
        for (const tensor of attribute.tensors ?? []) this.tensor(tensor)
        if (attribute.sparseTensor) this.sparse(attribute.sparseTensor)
        for (const sparse of attribute.sparseTensors ?? []) this.sparse(sparse)
        if (attribute.g) this.graph(attribute.g, depth + 1)
        for (const graph of attribute.graphs ?? []) this.graph(graph, depth + 1)
      }
    }
  }

  sparse(sparse: Onnx.ISparseTensorProto): void {
    if (sparse.values) this.tensor(sparse.values)
    if (sparse.indices) this.tensor(sparse.indices)
  }

  tensor(tensor: Onnx.ITensorProto): void {
    if (tensor.dataLocation !== external) return
    const location = tensor.externalData?.find((e) => e.key === 'location')?.value ?? ''
    if (this.#files.has(location)) return
    const path = this.inside(location)
    this.#files.add(location)
    this.total += statSync(path).size
    if (this.total > this.limits.maxModelBytes) this.refuse(`more than ${this.limits.maxModelBytes} bytes with its external data`)
  }

  inside(location: string): string {
    if (!location || isAbsolute(location) || location.includes('\0'))
      this.refuse(`external data at "${printable(location)}", outside its folder`)
    let path: string
    try {
      path = realpathSync(join(this.folder, location))
    } catch {
      throw new FeatureError(
        'model-broken',
        `${this.name} needs the file ${printable(location)} beside it`,
        { file: this.name },
        'copy the whole folder of the model',
      )
    }
    const way = relative(this.folder, path)
    if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
      this.refuse(`external data at "${printable(location)}", outside its folder`)
    return path
  }

  refuse(what: string): never {
    throw new FeatureError(
      'model-unsafe',
      `${this.name} was not run: it has ${what}`,
      { file: this.name },
      'Assay runs only self-contained models of standard operators',
    )
  }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120)

/**
 * The model with the inner value `layer` as one more output. Protocol buffers merge what is concatenated, so that nothing of the model is
 * decoded and written anew.
 */
export function withOutput(bytes: Uint8Array, layer: string): Uint8Array {
  const { ModelProto } = onnxProto()
  return Buffer.concat([bytes, ModelProto.encode(ModelProto.fromObject({ graph: { output: [{ name: layer }] } })).finish()])
}
