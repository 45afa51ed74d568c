import { type Cipher, createCipheriv, hash } from 'node:crypto'

export interface Random {
  /** 0..2^32-1 */
  uint32(): number
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number
  /** Uniform in 0..n-1 without bias, n up to 2^32. */
  below(n: number): number
  /** Standard normal deviate. */
  normal(): number
  /** `n` standard normal deviates. */
  normals(n: number): Float64Array
  /** 0..n-1 in random order. */
  permutation(n: number): Uint32Array
}

const blockBytes = 16_384

/**
 * The stream of AES-256 in counter mode under the key SHA-256(length(domain) domain seed): cryptographically strong,
 * so fit for sampling that an attacker must not foresee, and fast enough for everything else.
 * The same (seed, domain) gives the same numbers everywhere.
 */
export function keyed(seed: Uint8Array, domain: string): Random {
  const name = Buffer.from(domain)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(name.length)
  const key = hash('sha256', Buffer.concat([length, name, seed]), 'buffer')
  const cipher: Cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  const zeros = new Uint8Array(blockBytes)
  let block = new DataView(new ArrayBuffer(0))
  let at = 0
  let spare = Number.NaN

  const uint32 = (): number => {
    if (at === block.byteLength) {
      const bytes = cipher.update(zeros)
      block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      at = 0
    }
    const value = block.getUint32(at, true)
    at += 4
    return value
  }
  const uniform = (): number => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53
  const below = (n: number): number => {
    const limit = 2 ** 32 - (2 ** 32 % n)
    let value = uint32()
    while (value >= limit) value = uint32()
    return value % n
  }
  // Marsaglia's polar method: two deviates a round.
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const value = spare
      spare = Number.NaN
      return value
    }
    for (;;) {
      const u = 2 * uniform() - 1
      const v = 2 * uniform() - 1
      const s = u * u + v * v
      if (s === 0 || s >= 1) continue
      const scale = Math.sqrt((-2 * Math.log(s)) / s)
      spare = v * scale
      return u * scale
    }
  }
  return {
    uint32,
    uniform,
    below,
    normal,
    normals: (n) => {
      const out = new Float64Array(n)
      for (let i = 0; i < n; i++) out[i] = normal()
      return out
    },
    permutation: (n) => {
      const out = Uint32Array.from({ length: n }, (_, i) => i)
      for (let i = n - 1; i > 0; i--) {
        const j = below(i + 1)
        const value = out[i] as number
        out[i] = out[j] as number
        out[j] = value
      }
      return out
    },
  }
}
