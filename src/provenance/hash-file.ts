import { closeSync, fstatSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import type { DigestAlgorithm, DigestRequest, FileDigests } from '../contracts/provenance.ts'
import { openRegular, reasonOf } from './delivery.ts'
import { ProvenanceError } from './errors.ts'
import { type Hasher, hashersFor } from './hashers.ts'

/** Fits into a processor's second cache, so that what was just copied from the page cache is hashed from there. */
export const chunkBytes = 256 << 10
/** In one thread with others: so much is read before they get their turn. */
const bytesPerTurn = 64 << 20

/**
 * One for the thread: nothing here awaits while it holds data. The memory of WebAssembly begins on a page; copying
 * out of the page cache to an address 16 bytes after one, where large buffers come to lie, takes four times as long.
 */
declare const WebAssembly: { readonly Memory: new (pages: { readonly initial: number }) => { readonly buffer: ArrayBuffer } }
let shared: Buffer | null = null
const sharedBuffer = (): Buffer => {
  shared ??= Buffer.from(new WebAssembly.Memory({ initial: chunkBytes >> 16 }).buffer)
  return shared
}

interface OpenRange {
  readonly start: number
  readonly end: number
  readonly hasher: Hasher
  readonly at: number
}

/** Ranges in the order of their start; each has a hasher only while it is read: a terabyte in shards has a million ranges. */
class Ranges {
  readonly #asked: DigestRequest['ranges']
  readonly #make: (algorithm: DigestAlgorithm) => Hasher
  readonly #order: readonly number[]
  readonly #hexes: string[]
  #open: OpenRange[] = []
  #next = 0

  constructor(asked: DigestRequest['ranges'], make: (algorithm: DigestAlgorithm) => Hasher) {
    this.#asked = asked
    this.#make = make
    this.#hexes = asked.map(() => '')
    this.#order = asked.map((_, i) => i).sort((a, b) => this.#start(a) - this.#start(b))
  }

  #start(at: number): number {
    return this.#asked[at]?.range[0] ?? 0
  }

  /** Opens those that begin before `end`. */
  #enter(end: number): void {
    for (let at = this.#order[this.#next]; at !== undefined && this.#start(at) < end; at = this.#order[++this.#next]) {
      const asked = this.#asked[at]
      if (asked) this.#open.push({ start: asked.range[0], end: asked.range[1], hasher: this.#make(asked.algorithm), at })
    }
  }

  #leave(end: number): void {
    this.#open = this.#open.filter((range) => {
      if (range.end > end) return true
      this.#hexes[range.at] = range.hasher.hex()
      return false
    })
  }

  update(chunk: Buffer, position: number): void {
    const end = position + chunk.length
    this.#enter(end)
    for (const { start, end: last, hasher } of this.#open) {
      const from = Math.max(0, start - position)
      const to = Math.min(chunk.length, last - position)
      if (to > from) hasher.update(chunk.subarray(from, to))
    }
    this.#leave(end)
  }

  finish(): readonly string[] {
    this.#enter(Number.POSITIVE_INFINITY)
    this.#leave(Number.POSITIVE_INFINITY)
    return this.#hexes
  }
}

export interface HashOptions {
  readonly signal?: AbortSignal | undefined
  progress?(bytes: number): void
}

/**
 * Reads a file once, for all algorithms and ranges. A range beyond the end of the file is the digest of what there is of it.
 *
 * @param absolute where the file is; `request.path` is how errors name it.
 * @throws {ProvenanceError} `unreadable`; `changed`, when the file became another while it was read; `interrupted`
 */
export async function hashFile(absolute: string, request: DigestRequest, options: HashOptions = {}): Promise<FileDigests> {
  const { path } = request
  const algorithms = [...new Set(request.algorithms)]
  const make = await hashersFor([...algorithms, ...request.ranges.map((r) => r.algorithm)])
  const whole = algorithms.map((algorithm) => ({ algorithm, hasher: make(algorithm) }))
  const ranges = new Ranges(request.ranges, make)
  const ranged = request.ranges.length > 0
  const { fd } = openRegular(absolute, path)
  try {
    const before = fstatSync(fd)
    const buffer = sharedBuffer()
    let position = 0
    let turn = bytesPerTurn
    for (;;) {
      const n = readSync(fd, buffer, 0, buffer.length, null)
      if (n === 0) break
      const chunk = n === buffer.length ? buffer : buffer.subarray(0, n)
      for (const { hasher } of whole) hasher.update(chunk)
      if (ranged) ranges.update(chunk, position)
      position += n
      options.progress?.(n)
      // A file that somebody appends to has no end.
      if (position > before.size) break
      if (position < turn) continue
      turn += bytesPerTurn
      await setImmediate()
      if (options.signal?.aborted) throw new ProvenanceError('interrupted', 'interrupted', { file: path })
    }
    const after = fstatSync(fd)
    if (position !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs)
      throw new ProvenanceError('changed', `${path} was changed while it was read`, { file: path }, 'verify a folder that nobody writes to')
    return {
      path,
      bytes: position,
      digests: whole.map(({ algorithm, hasher }) => ({ algorithm, hex: hasher.hex() })),
      ranges: ranges.finish(),
    }
  } catch (error) {
    if (error instanceof ProvenanceError) throw error
    throw new ProvenanceError('unreadable', `${path} cannot be read: ${reasonOf(error)}`, { file: path })
  } finally {
    closeSync(fd)
  }
}
