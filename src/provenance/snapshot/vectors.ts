/** Numbers of a list as bytes, in the narrowest of four types that holds all of them exactly. */
export interface PackedNumbers {
  readonly type: 'u1' | 'i4' | 'f4' | 'f8'
  /** Little-endian; valid until the next call. */
  readonly bytes: Uint8Array
}

let memory = new ArrayBuffer(1 << 16)

function room(bytes: number): ArrayBuffer {
  if (bytes > memory.byteLength) memory = new ArrayBuffer(Math.max(bytes, 2 * memory.byteLength))
  return memory
}

/** `round` takes every number to the nearest float32 first. -0 is 0, and there is one NaN. */
export function packNumbers(data: ArrayLike<number>, start: number, length: number, round: boolean): PackedNumbers {
  if (data instanceof Uint8Array) return { type: 'u1', bytes: data.subarray(start, start + length) }
  let small = true
  let whole = true
  let single = true
  for (let i = start; i < start + length; i++) {
    const v = data[i] as number
    if (whole && v !== (v | 0)) whole = false
    if (small && (v & 255) !== v) small = false
    if (single && !round && Math.fround(v) !== v && !Number.isNaN(v)) single = false
    if (!whole && !single) break
  }
  const type = whole && small ? 'u1' : whole ? 'i4' : single || round ? 'f4' : 'f8'
  const size = Number(type[1])
  const buffer = room(length * size)
  const Out = { u1: Uint8Array, i4: Int32Array, f4: Float32Array, f8: Float64Array }[type]
  const out = new Out(buffer, 0, length)
  for (let i = 0; i < length; i++) {
    const v = data[start + i] as number
    // a number plus zero is itself, and -0 becomes 0
    out[i] = Number.isNaN(v) ? Number.NaN : v + 0
  }
  return { type, bytes: new Uint8Array(buffer, 0, length * size) }
}
