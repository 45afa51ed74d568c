import { Unreadable } from './member.ts'

/** Bytes that grow as they are decoded, up to a limit. */
export class Output {
  #bytes: Uint8Array
  length = 0

  constructor(
    readonly maxBytes: number,
    first = 1 << 16,
  ) {
    this.#bytes = new Uint8Array(Math.max(16, Math.min(first, maxBytes)))
  }

  /** Room for `more` bytes behind `length`. @throws {Unreadable} */
  reserve(more: number): Uint8Array {
    const wanted = this.length + more
    if (wanted > this.maxBytes) throw new Unreadable(`it unpacks to more than ${this.maxBytes.toLocaleString('en')} bytes`, 'large')
    if (wanted > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.maxBytes, Math.max(this.#bytes.length * 2, wanted)))
      grown.set(this.#bytes.subarray(0, this.length))
      this.#bytes = grown
    }
    return this.#bytes
  }

  push(byte: number): void {
    this.reserve(1)[this.length++] = byte
  }

  /** Copies what lies `distance` bytes back, which may overlap what is written. */
  repeat(distance: number, length: number): void {
    const bytes = this.reserve(length)
    for (let i = 0; i < length; i++, this.length++) bytes[this.length] = bytes[this.length - distance] as number
  }

  append(source: Uint8Array): void {
    this.reserve(source.length).set(source, this.length)
    this.length += source.length
  }

  buffer(): Buffer {
    return Buffer.from(this.#bytes.buffer, 0, this.length)
  }
}

export const damaged = (what: string): never => {
  throw new Unreadable(`its ${what} data is damaged`, 'damaged')
}
