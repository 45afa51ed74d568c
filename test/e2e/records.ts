/** Records of three well separated classes from five sources; deterministic. */
export interface Records {
  readonly id: readonly string[]
  readonly label: readonly string[]
  readonly source: readonly string[]
  readonly features: readonly (readonly number[])[]
}

export const classes = ['bird', 'cat', 'dog'] as const
export const sources = ['a', 'b', 'c', 'd', 'e'] as const
const dims = 6

/** Mulberry32 and the sum of twelve uniforms: good enough for test data, the same everywhere. */
export function generator(seed: number): { readonly uniform: () => number; readonly normal: () => number } {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = () => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += uniform()
    return sum
  }
  return { uniform, normal }
}

/** With `flips`, source c labels that share of its cats as dogs. */
export function records(rows: number, seed: number, flips = 0): Records {
  const { uniform, normal } = generator(seed)
  const made = { id: [] as string[], label: [] as string[], source: [] as string[], features: [] as number[][] }
  for (let row = 0; row < rows; row++) {
    const code = Math.floor(uniform() * classes.length)
    const source = sources[Math.floor(uniform() * sources.length)] as string
    const flipped = source === 'c' && code === 1 && uniform() < flips
    made.id.push(`r${String(row).padStart(6, '0')}`)
    made.label.push(classes[flipped ? 2 : code] as string)
    made.source.push(source)
    made.features.push(Array.from({ length: dims }, (_, d) => Number((normal() + (d % classes.length === code ? 4 : 0)).toFixed(4))))
  }
  return made
}

export const part = (r: Records, from: number, to: number): Records => ({
  id: r.id.slice(from, to),
  label: r.label.slice(from, to),
  source: r.source.slice(from, to),
  features: r.features.slice(from, to),
})

export const featureNames = Array.from({ length: dims }, (_, d) => `x${d}`)

export const csv = (r: Records): string =>
  `id,label,source,${featureNames.join(',')}\n${r.id.map((id, i) => `${id},${r.label[i]},${r.source[i]},${r.features[i]?.join(',')}\n`).join('')}`

export const jsonl = (r: Records): string =>
  r.id.map((id, i) => `${JSON.stringify({ id, label: r.label[i], source: r.source[i], embedding: r.features[i] })}\n`).join('')

/** Version 1 of NumPy's file format. */
export function npy(values: Uint8Array | Float32Array | Float64Array | BigInt64Array, shape: readonly number[]): Buffer {
  const descr =
    values instanceof Uint8Array ? '|u1' : values instanceof Float32Array ? '<f4' : values instanceof Float64Array ? '<f8' : '<i8'
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
  const header = dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11, ' ').concat('\n')
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  return Buffer.concat([start, Buffer.from(header, 'latin1'), Buffer.from(values.buffer, values.byteOffset, values.byteLength)])
}

/** Out-of-sample predictions of a good model, as aligned arrays: float32 rows x 3 and int64 rows. */
export function predictions(rows: number, seed: number): { readonly predictions: Buffer; readonly label: Buffer } {
  const { uniform, normal } = generator(seed)
  const p = new Float32Array(rows * classes.length)
  const y = new BigInt64Array(rows)
  for (let row = 0; row < rows; row++) {
    const code = Math.floor(uniform() * classes.length)
    const logits = classes.map((_, c) => normal() + (c === code ? 5 : 0))
    const sum = logits.reduce((total, l) => total + Math.exp(l), 0)
    for (const [c, l] of logits.entries()) p[row * classes.length + c] = Math.exp(l) / sum
    y[row] = BigInt(uniform() < 0.05 ? (code + 1) % classes.length : code)
  }
  return { predictions: npy(p, [rows, classes.length]), label: npy(y, [rows]) }
}
