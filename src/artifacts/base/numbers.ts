import type { Tensor } from '../formats/safetensors.ts'

const halves = new Float32Array(65_536)
let halvesMade = false

/** Values of all half-precision numbers (IEEE 754 binary16). */
function halfTable(): Float32Array {
  if (halvesMade) return halves
  for (let i = 0; i < 65_536; i++) {
    const exponent = (i >> 10) & 31
    const fraction = i & 1023
    const size =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction
            ? Number.NaN
            : Number.POSITIVE_INFINITY
          : (1 + fraction / 1024) * 2 ** (exponent - 15)
    halves[i] = i >= 32_768 ? -size : size
  }
  halvesMade = true
  return halves
}

export const isFloat = ({ dtype }: Pick<Tensor, 'dtype'>): boolean => ['F64', 'F32', 'F16', 'BF16'].includes(dtype)
export const itemBytesOf = ({ dtype }: Pick<Tensor, 'dtype'>): number => (dtype === 'F64' ? 8 : dtype === 'F32' ? 4 : 2)

/** Numbers of F64, F32, F16 and BF16, little-endian; what is not finite as F32 is taken as 0. */
export function floatsOf(bytes: Buffer, dtype: string): Float32Array {
  const width = itemBytesOf({ dtype })
  const out = new Float32Array(Math.floor(bytes.length / width))
  const table = dtype === 'F16' ? halfTable() : null
  const word = new Uint32Array(1)
  const float = new Float32Array(word.buffer)
  for (let i = 0; i < out.length; i++) {
    let value: number
    if (dtype === 'F64') value = bytes.readDoubleLE(i * 8)
    else if (dtype === 'F32') value = bytes.readFloatLE(i * 4)
    else {
      const half = (bytes[i * 2] as number) | ((bytes[i * 2 + 1] as number) << 8)
      if (table) value = table[half] as number
      else {
        word[0] = half << 16
        value = float[0] as number
      }
    }
    out[i] = Number.isFinite(Math.fround(value)) ? value : 0
  }
  return out
}

const rounds = 12

/** Share of the squared Frobenius norm in the largest singular value, by power iteration. `a` is [rows, columns], row-major. 0..1, 0 for a zero matrix. */
export function topShare(a: Float32Array, rows: number, columns: number): number {
  let total = 0
  for (const x of a) total += x * x
  if (total === 0 || rows === 0 || columns === 0) return 0
  let v = new Float64Array(columns)
  // Deterministic, and orthogonal to nothing in particular.
  for (let j = 0; j < columns; j++) v[j] = 1 + Math.sin(j * 12.9898 + 1) * 0.5
  let value = 0
  for (let round = 0; round < rounds; round++) {
    const length = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0))
    if (length === 0) return 0
    const next = new Float64Array(columns)
    value = 0
    for (let i = 0; i < rows; i++) {
      const from = i * columns
      let dot = 0
      for (let j = 0; j < columns; j++) dot += (a[from + j] as number) * (v[j] as number)
      dot /= length
      value += dot * dot
      for (let j = 0; j < columns; j++) next[j] = (next[j] as number) + (a[from + j] as number) * dot
    }
    v = next
  }
  return Math.min(1, value / total)
}
