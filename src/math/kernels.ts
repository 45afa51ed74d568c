import type { Matrix } from '../contracts/batch.ts'
import { MathError, requireLength } from './errors.ts'
import { type Graph, type GraphNode, type Port, run } from './onnx.ts'

export { setKernelThreads } from './onnx.ts'

export type Matrix64 = Matrix<Float64Array>

const matrix64 = (data: Float64Array, rows: number, dims: number): Matrix64 => ({ data, rows, dims })

/**
 * `op(a) op(b)` in f64. Shapes: op(a) [m, k], op(b) [k, n], result [m, n].
 * Throws MathError `bad-shape`, `kernel-unavailable`.
 */
export async function gemm(
  a: Matrix64,
  b: Matrix64,
  options: { readonly transA?: boolean; readonly transB?: boolean } = {},
): Promise<Matrix64> {
  const { transA = false, transB = false } = options
  const [m, k] = transA ? [a.dims, a.rows] : [a.rows, a.dims]
  const [k2, n] = transB ? [b.dims, b.rows] : [b.rows, b.dims]
  requireLength('a', a.data.length, a.rows * a.dims)
  requireLength('b', b.data.length, b.rows * b.dims)
  if (k !== k2) throw new MathError('bad-shape', `gemm of [${m}, ${k}] with [${k2}, ${n}]`)
  if (m === 0 || n === 0 || k === 0) return matrix64(new Float64Array(m * n), m, n)
  const graph = (): Graph => ({
    inputs: [port('a', ['r', 's']), port('b', ['t', 'u'])],
    outputs: [port('y', ['m', 'n'])],
    nodes: [{ op: 'Gemm', inputs: ['a', 'b'], outputs: ['y'], attributes: { transA: BigInt(transA), transB: BigInt(transB) } }],
  })
  const out = await run(`gemm ${transA} ${transB}`, graph, {
    a: { data: a.data, dims: [a.rows, a.dims] },
    b: { data: b.data, dims: [b.rows, b.dims] },
  })
  return matrix64(out.y?.data as Float64Array, m, n)
}

const port = (name: string, dims: readonly (number | string)[], type: Port['type'] = 'float64'): Port => ({ name, type, dims })

/** Random Fourier features (Rahimi and Recht 2007): z = sqrt(2 / D) cos(x w + b). `w` is [d, D] row-major, `b` [D] in radians. */
export interface Fourier {
  readonly w: Float64Array
  readonly b: Float64Array
}

/** x [n, d] -> `z` [n, D]. The cosine is taken in f32, everything else in f64. */
const fourierNodes = (scale: string): GraphNode[] => [
  { op: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['phase'] },
  { op: 'Cast', inputs: ['phase'], outputs: ['phase32'], attributes: { to: 1n } },
  { op: 'Cos', inputs: ['phase32'], outputs: ['cos32'] },
  { op: 'Cast', inputs: ['cos32'], outputs: ['cos'], attributes: { to: 11n } },
  { op: 'Mul', inputs: ['cos', scale], outputs: ['z'] },
]

const fourierPorts = (d: number, features: number): Port[] => [port('x', ['n', d]), port('w', [d, features]), port('b', [features])]

const fourierScale = (features: number) => ({ name: 'scale', type: 'float64' as const, dims: [], values: [Math.sqrt(2 / features)] })

function fourierFeeds(x: Matrix64, f: Fourier) {
  const features = f.b.length
  requireLength('x', x.data.length, x.rows * x.dims)
  requireLength('w', f.w.length, x.dims * features)
  return {
    x: { data: x.data, dims: [x.rows, x.dims] },
    w: { data: f.w, dims: [x.dims, features] },
    b: { data: f.b, dims: [features] },
  }
}

/** x [n, d] -> [n, D] in f64, of which the cosine has f32 precision. A row's result does not depend on the other rows. */
export async function randomFourier(x: Matrix64, f: Fourier): Promise<Matrix64> {
  const features = f.b.length
  const feeds = fourierFeeds(x, f)
  if (x.rows === 0) return matrix64(new Float64Array(0), 0, features)
  const graph = (): Graph => ({
    inputs: fourierPorts(x.dims, features),
    outputs: [port('z', ['n', features])],
    nodes: fourierNodes('scale'),
    constants: [fourierScale(features)],
  })
  const out = await run(`fourier ${x.dims} ${features}`, graph, feeds)
  return matrix64(out.z?.data as Float64Array, x.rows, features)
}

/**
 * Sums that grow block by block. With q = features (+ 1 with `intercept`, the last row and column):
 * `gram` [q, q] = sum of z zᵀ, `cross` [q, k] = sum of z yᵀ.
 * Only the upper triangle of `gram` is kept up to date: call `symmetrise` before reading the lower one.
 */
export interface GramSums {
  readonly q: number
  readonly k: number
  readonly intercept: boolean
  readonly gram: Float64Array
  readonly cross: Float64Array
}

export const gramSums = (features: number, k: number, intercept: boolean): GramSums => {
  const q = features + (intercept ? 1 : 0)
  return { q, k, intercept, gram: new Float64Array(q * q), cross: new Float64Array(q * k) }
}

/** Copies the upper triangle of a [q, q] matrix to the lower one, in place. */
export function symmetrise(gram: Float64Array, q: number): void {
  for (let i = 1; i < q; i++) for (let j = 0; j < i; j++) gram[i * q + j] = gram[j * q + i] as number
}

// Measured on x64: 256 columns by 1,024 rows is the fastest block; half of the tiles follow by symmetry.
const tileColumns = 256

const tileSizes = (columns: number): number[] => {
  const tiles = Math.max(1, Math.ceil(columns / tileColumns))
  return Array.from({ length: tiles }, (_, i) => Math.floor((columns * (i + 1)) / tiles) - Math.floor((columns * i) / tiles))
}

function gramGraph(
  head: { inputs: Port[]; nodes: GraphNode[]; constants: Graph['constants'] },
  features: number,
  k: number,
  intercept: boolean,
): Graph {
  const sizes = tileSizes(features)
  const split = sizes.length > 1
  const part = (i: number): string => (split ? `z_${i}` : 'z')
  const nodes = [...head.nodes]
  const outputs: Port[] = []
  const output = (op: string, inputs: string[], name: string, dims: number[], attributes: GraphNode['attributes'] = {}): void => {
    nodes.push({ op, inputs, outputs: [name], attributes })
    outputs.push(port(name, dims))
  }
  if (split) nodes.push({ op: 'Split', inputs: ['z', 'sizes'], outputs: sizes.map((_, i) => part(i)), attributes: { axis: 1n } })
  sizes.forEach((a, i) => {
    for (let j = i; j < sizes.length; j++) output('Gemm', [part(i), part(j)], `g_${i}_${j}`, [a, sizes[j] as number], { transA: 1n })
  })
  if (k > 0) output('Gemm', ['z', 'y'], 'cross', [features, k], { transA: 1n })
  if (intercept) output('ReduceSum', ['z', 'rowAxis'], 'sums', [features], { keepdims: 0n })
  return {
    inputs: k > 0 ? [...head.inputs, port('y', ['n', k])] : head.inputs,
    outputs,
    nodes,
    constants: [
      ...(head.constants ?? []),
      ...(split ? [{ name: 'sizes', type: 'int64' as const, dims: [sizes.length], values: sizes }] : []),
      ...(intercept ? [{ name: 'rowAxis', type: 'int64' as const, dims: [1], values: [0] }] : []),
    ],
  }
}

/**
 * Adds the rows of `x` to `into`: with `fourier`, of their random Fourier features, which never leave the runtime.
 * `targets` [n, k], required where k > 0. Blocks of about 1,024 rows are fastest.
 */
export async function addGram(into: GramSums, x: Matrix64, targets: Matrix64 | null, fourier: Fourier | null): Promise<void> {
  const { q, k, intercept } = into
  const features = q - (intercept ? 1 : 0)
  if (!fourier && x.dims !== features) throw new MathError('bad-shape', `rows of ${x.dims} values for a Gram matrix of ${features}`)
  if (fourier && fourier.b.length !== features)
    throw new MathError('bad-shape', `${fourier.b.length} features for a Gram matrix of ${features}`)
  if ((targets?.dims ?? 0) !== k || (targets && targets.rows !== x.rows))
    throw new MathError('bad-shape', `targets [${targets?.rows ?? 0}, ${targets?.dims ?? 0}] where [${x.rows}, ${k}] were expected`)
  if (x.rows === 0) return
  const head = () =>
    fourier
      ? { inputs: fourierPorts(x.dims, features), nodes: fourierNodes('scale'), constants: [fourierScale(features)] }
      : { inputs: [port('z', ['n', features])], nodes: [], constants: [] }
  const out = await run(
    `gram ${fourier ? x.dims : 'dense'} ${features} ${k} ${intercept}`,
    () => gramGraph(head(), features, k, intercept),
    {
      ...(fourier ? fourierFeeds(x, fourier) : { z: { data: x.data, dims: [x.rows, x.dims] } }),
      ...(targets ? { y: { data: targets.data, dims: [targets.rows, targets.dims] } } : {}),
    },
  )
  const data = (name: string): Float64Array => out[name]?.data as Float64Array
  const sizes = tileSizes(features)
  let top = 0
  for (let i = 0; i < sizes.length; i++) {
    let left = top
    for (let j = i; j < sizes.length; j++) {
      addTile(into.gram, q, top, left, data(`g_${i}_${j}`), sizes[j] as number)
      left += sizes[j] as number
    }
    top += sizes[i] as number
  }
  if (k > 0) addTo(into.cross, data('cross'))
  if (!intercept) return
  const sums = data('sums')
  for (let i = 0; i < features; i++) into.gram[i * q + features] = (into.gram[i * q + features] as number) + (sums[i] as number)
  into.gram[q * q - 1] = (into.gram[q * q - 1] as number) + x.rows
  if (targets) addRows(into.cross.subarray(features * k), targets)
}

function addTile(into: Float64Array, stride: number, top: number, left: number, tile: Float64Array, width: number): void {
  const height = tile.length / width
  for (let r = 0; r < height; r++) {
    const to = (top + r) * stride + left
    const from = r * width
    for (let c = 0; c < width; c++) into[to + c] = (into[to + c] as number) + (tile[from + c] as number)
  }
}

function addTo(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < from.length; i++) into[i] = (into[i] as number) + (from[i] as number)
}

function addRows(into: Float64Array, m: Matrix64): void {
  const { data, rows, dims } = m
  for (let r = 0; r < rows; r++) for (let c = 0; c < dims; c++) into[c] = (into[c] as number) + (data[r * dims + c] as number)
}

/** zᵀz [q, q] and zᵀy [q, k] of `z` [n, q], in one graph. */
export async function gram(
  z: Matrix64,
  targets: Matrix64 | null = null,
): Promise<{ readonly gram: Matrix64; readonly cross: Matrix64 | null }> {
  const sums = gramSums(z.dims, targets?.dims ?? 0, false)
  await addGram(sums, z, targets, null)
  symmetrise(sums.gram, sums.q)
  return { gram: matrix64(sums.gram, sums.q, sums.q), cross: targets ? matrix64(sums.cross, sums.q, sums.k) : null }
}
