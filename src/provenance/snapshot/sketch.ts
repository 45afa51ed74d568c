/** Bytes of a sketch: four lanes of 16 bits. */
const window = 8
/** Characters or bytes of one value that are looked at. */
const most = 16_384

/**
 * One-permutation MinHash (Li, Owen, Zhang 2012) over windows of eight characters or bytes of a record: two records agree in
 * about as many of the four lanes as they share of their windows. Finds candidates for "the same record, edited" where there
 * are no ids; says nothing certain, and is no part of a key.
 */
export class Sketch {
  private readonly lanes = new Uint32Array(4)

  clear(): void {
    this.lanes.fill(0xffffffff)
  }

  text(text: string): void {
    const end = Math.min(text.length, most)
    let rolling = 0
    for (let i = 0; i < end; i++) {
      rolling = (Math.imul(rolling, multiplier) + text.charCodeAt(i)) | 0
      if (i >= window) rolling = (rolling - Math.imul(power, text.charCodeAt(i - window))) | 0
      if (i >= window - 1) this.take(rolling)
    }
  }

  bytes(bytes: Uint8Array): void {
    const end = Math.min(bytes.length, most)
    let rolling = 0
    for (let i = 0; i < end; i++) {
      rolling = (Math.imul(rolling, multiplier) + (bytes[i] as number)) | 0
      if (i >= window) rolling = (rolling - Math.imul(power, bytes[i - window] as number)) | 0
      if (i >= window - 1) this.take(rolling)
    }
  }

  /** The low 16 bits of each lane, little-endian. */
  put(out: Uint8Array, at: number): void {
    for (let k = 0; k < 4; k++) {
      const lane = this.lanes[k] as number
      out[at + 2 * k] = lane & 255
      out[at + 2 * k + 1] = (lane >>> 8) & 255
    }
  }

  private take(rolling: number): void {
    // finaliser of MurmurHash3 (Appleby): spreads neighbouring windows over the whole range
    let h = rolling ^ (rolling >>> 16)
    h = Math.imul(h, 0x85ebca6b)
    h ^= h >>> 13
    h = Math.imul(h, 0xc2b2ae35)
    h = (h ^ (h >>> 16)) >>> 0
    const lane = h >>> 30
    if (h < (this.lanes[lane] as number)) this.lanes[lane] = h
  }
}

const multiplier = 0x01000193
/** multiplier ** window, modulo 2 ** 32 */
const power = Array.from({ length: window }, () => multiplier).reduce((a, b) => Math.imul(a, b), 1)
