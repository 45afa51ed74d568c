import type { Bytes } from '../bytes.ts'
import { openWindow, type Window } from './window.ts'

/**
 * A value of the machine: 1 + the position of the opcode that made it, which says what it is when somebody asks. So a stack or a memo
 * of ten million values costs eight bytes each and nothing is decoded that no call needs.
 */
export type Ref = number
/** Nothing is known of it. */
export const opaque: Ref = -1
/** A memo entry that nobody wrote. */
export const unset: Ref = 0

export interface GlobalName {
  readonly module: string
  readonly attribute: string
}

export type CallKind = 'REDUCE' | 'NEWOBJ' | 'NEWOBJ_EX' | 'OBJ' | 'INST' | 'BUILD'

export interface Call {
  readonly kind: CallKind
  /** Null where what is called was itself computed. */
  readonly callee: GlobalName | null
  /** The callee is what a call of this returned. */
  readonly resultOf: GlobalName | null
  readonly preview: string
  readonly offset: number
  /** A bytes argument: where it lies in the pickle. */
  readonly bytes: { readonly offset: number; readonly length: number } | null
  /** The first argument, where it is text. */
  readonly text: string | null
}

export interface Sink {
  global(name: GlobalName, offset: number): void
  call(call: Call): void
  /** Text or bytes that begin like a pickle: position and length of the content. */
  content(offset: number, length: number, text: boolean): void
  /** What no pickler writes, and readers take differently. */
  lie(subject: string, message: string, offset: number): void
}

const chunkBits = 16
const chunkSize = 1 << chunkBits
/** Entries this far past the last one are kept apart: an index costs its writer five bytes. */
const slack = 1 << 20
const maxSparse = 1 << 20
/** Stack slots: CPython would need eight bytes each, too. */
export const maxStack = 1 << 26
const maxRing = 1 << 16
const ringWidth = 4

/** What the pickle put aside, by index: dense from 0, the rest apart. */
export class Memo {
  readonly #chunks: Float64Array[] = []
  readonly #sparse = new Map<number, Ref>()
  /** Entries in all: the index that MEMOIZE writes next. */
  count = 0

  get(index: number): Ref {
    const chunk = this.#chunks[index >>> chunkBits]
    return chunk !== undefined && index < 0x80000000 ? (chunk[index & (chunkSize - 1)] as number) : (this.#sparse.get(index) ?? unset)
  }

  /** False where there are more far entries than are kept. */
  put(index: number, ref: Ref): boolean {
    let chunk = this.#chunks[index >>> chunkBits]
    if (chunk === undefined || index >= 0x80000000) {
      if (index > this.count + slack) {
        if (!this.#sparse.has(index)) this.count++
        this.#sparse.set(index, ref)
        return this.#sparse.size <= maxSparse
      }
      for (let i = this.#chunks.length; i <= index >>> chunkBits; i++) this.#chunks.push(new Float64Array(chunkSize))
      chunk = this.#chunks[index >>> chunkBits] as Float64Array
      if (this.#sparse.size > 0) this.#adopt()
    }
    const slot = index & (chunkSize - 1)
    if (chunk[slot] === unset) this.count++
    chunk[slot] = ref
    return true
  }

  /** Far entries that came into reach. */
  #adopt(): void {
    for (const [index, ref] of this.#sparse) {
      const chunk = this.#chunks[index >>> chunkBits]
      if (chunk === undefined || index >= 0x80000000) continue
      chunk[index & (chunkSize - 1)] = ref
      this.#sparse.delete(index)
    }
  }
}

/** The last values made by tuples and calls, by position: bounded, the newest win. */
export interface Ring {
  readonly refs: Float64Array
  readonly lengths: Int32Array
  /** [refs.length, 4] */
  readonly items: Float64Array
}

interface Rings {
  readonly tuples: Ring
  readonly results: { readonly refs: Float64Array; readonly names: Int32Array }
}

/** Positions are of the whole file, so all pickles of one file share their rings: there may be thousands. */
const ringsByFile = new WeakMap<Bytes, Rings>()

function ringsOf(bytes: Bytes): Rings {
  let rings = ringsByFile.get(bytes)
  if (!rings) {
    const size = ringSizeOf(bytes.size)
    rings = { tuples: newRing(size), results: { refs: new Float64Array(size), names: new Int32Array(size) } }
    ringsByFile.set(bytes, rings)
  }
  return rings
}

/** A power of two: no more entries than the pickle has bytes. */
const ringSizeOf = (size: number): number => Math.min(maxRing, 2 ** Math.ceil(Math.log2(Math.max(size, 256))))

const newRing = (size: number): Ring => ({
  refs: new Float64Array(size),
  lengths: new Int32Array(size),
  items: new Float64Array(size * ringWidth),
})

export function putTuple(ring: Ring, ref: Ref, stack: Float64Array, from: number, to: number): void {
  const slot = ref % ring.refs.length
  ring.refs[slot] = ref
  ring.lengths[slot] = to - from
  for (let i = 0; i < ringWidth && from + i < to; i++) ring.items[slot * ringWidth + i] = stack[from + i] as number
}

/** Length and the first four items; null where it is no tuple, or one of long ago. */
export function tupleAt(ring: Ring, ref: Ref): { readonly length: number; readonly items: readonly Ref[] } | null {
  const slot = ref % ring.refs.length
  if (ref <= 0 || ring.refs[slot] !== ref) return null
  const length = ring.lengths[slot] as number
  return { length, items: [...ring.items.subarray(slot * ringWidth, slot * ringWidth + Math.min(length, ringWidth))] }
}

/** What an array wrapper of joblib says of the raw numbers that follow it. */
export interface PendingArray {
  shape: Ref
  dtype: Ref
  alignment: Ref
}

export interface Machine {
  readonly window: Window
  readonly sink: Sink
  readonly depth: number
  /** Walks another pickle that begins at this position. */
  readonly nested: (position: number) => { readonly end: number; readonly stopped: boolean }
  /** Position after the opcode that is being read. */
  position: number
  stack: Float64Array
  sp: number
  marks: Int32Array
  mp: number
  readonly memo: Memo
  readonly tuples: Ring
  readonly results: Rings['results']
  /** Which global an opcode pushed. */
  readonly globals: Map<Ref, number>
  readonly names: GlobalName[]
  readonly nameIds: Map<string, number>
  readonly dtypes: Map<Ref, string>
  array: PendingArray | null
  /** Where the frame ends that is being read. */
  frameEnd: number
  /** As PROTO says; -1 before. */
  protocol: number
  /** The first thing that an unpickler would stop at. */
  failure: { readonly message: string; readonly offset: number } | null
  /** Opcodes that occurred, by code. */
  readonly seen: Uint8Array
}

export const maxGlobals = 1 << 20

export const newMachine = (bytes: Bytes, sink: Sink, depth: number, nested: Machine['nested']): Machine => ({
  window: openWindow(bytes),
  sink,
  depth,
  nested,
  position: 0,
  stack: new Float64Array(1 << 10),
  sp: 0,
  marks: new Int32Array(1 << 8),
  mp: 0,
  memo: new Memo(),
  ...ringsOf(bytes),
  globals: new Map(),
  names: [],
  nameIds: new Map(),
  dtypes: new Map(),
  array: null,
  frameEnd: Number.POSITIVE_INFINITY,
  protocol: -1,
  failure: null,
  seen: new Uint8Array(256),
})

export function putResult(m: Machine, ref: Ref, name: number): void {
  const slot = ref % m.results.refs.length
  m.results.refs[slot] = ref
  m.results.names[slot] = name
}

/** Id of the global whose call made the value: -1 where none is known. */
export function resultAt(m: Machine, ref: Ref): number {
  const slot = ref % m.results.refs.length
  return ref > 0 && m.results.refs[slot] === ref ? (m.results.names[slot] as number) : -1
}

export function nameId(m: Machine, name: GlobalName): number {
  const key = `${name.module}\u0000${name.attribute}`
  let id = m.nameIds.get(key)
  if (id === undefined) {
    if (m.nameIds.size >= maxGlobals) return -1
    id = m.names.push(name) - 1
    m.nameIds.set(key, id)
  }
  return id
}
