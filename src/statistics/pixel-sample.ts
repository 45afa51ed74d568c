import { codesOf, keysOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import { pixelsOf } from '../contracts/pixel-rows.ts'
import type { Context, PixelShape, Shape, Statistic } from '../contracts/statistic.ts'
import { compareDigests, shortDigest } from '../math/hash.ts'

/** The records of each class with the smallest keyed digests: a uniform sample that nobody can choose his way into. */
export interface PixelSample {
  /** Null where no record has pixels. */
  readonly shape: PixelShape | null
  /** More labels than are sampled by: there is no sample. */
  readonly tooManyClasses: boolean
  /** By name, ascending. */
  readonly classes: readonly SampledClass[]
}

export interface SampledClass {
  readonly name: string
  readonly rows: number
  /** [rows, height x width x channels], in the order of the keys. */
  readonly pixels: Uint8Array
}

interface ClassState {
  name: string
  rows: number
  /** [capacity, 16] */
  keys: Uint8Array
  /** [capacity, height x width x channels] */
  pixels: Uint8Array
}

interface State {
  height: number
  width: number
  channels: number
  tooManyClasses: boolean
  classes: ClassState[]
}

export interface PixelSampleOptions {
  /** Records a class, where they fit into `bytes`. */
  readonly perClass: number
  /** Of all classes together. */
  readonly bytes: number
  /** False: all records are one class without a name. */
  readonly labelled: boolean
}

const maxClasses = 4096
/** A class is cut back whenever it holds so many times what it may keep. */
const slack = 2

/** Equal keys (equal ids, or equal contents without ids) are ordered by pixels. */
export function pixelSample(options: PixelSampleOptions): Statistic<State, PixelSample> {
  return {
    id: `pixel-sample/${shortDigest({ ...options })}`,
    version: 1,
    needs: options.labelled ? ['label', 'pixels'] : ['pixels'],
    after: [],
    over: 'subject',
    keyed: true,
    init: () => ({ height: 0, width: 0, channels: 0, tooManyClasses: false, classes: [] }),
    update(_: Context, state: State, batch: Batch) {
      const pixels = pixelsOf(batch)
      const keys = keysOf(batch, 'key')
      const label = options.labelled ? codesOf(batch, 'label') : { codes: new Int32Array(batch.numRows), values: [''] }
      if (!pixels || !keys || !label || state.tooManyClasses) return
      measure(state, pixels)
      const each = eachOf(state)
      const entries = new Map<number, ClassState>()
      for (let i = 0; i < batch.numRows; i++) {
        const code = label.codes[i] as number
        if (code < 0) continue
        let entry = entries.get(code)
        if (!entry) {
          entry = entryOf(state, label.values[code] as string)
          entries.set(code, entry)
          if (overflow(state)) return
        }
        append(entry, each, keys.subarray(i * 16, (i + 1) * 16), pixels.data.subarray(i * each, (i + 1) * each))
        const cap = capOf(state, options)
        if (entry.rows >= slack * cap) keepSmallest(entry, cap, each)
      }
    },
    seal: (_: Context, state: State) => trim(state, options),
    merge(into: State, from: State) {
      if (from.height > 0) measure(into, from as unknown as PixelShape)
      const each = eachOf(into)
      into.tooManyClasses ||= from.tooManyClasses
      for (const more of from.classes) {
        if (into.tooManyClasses) break
        append(entryOf(into, more.name), each, more.keys, more.pixels)
        overflow(into)
      }
      trim(into, options)
    },
    finish(_: Context, state: State) {
      trim(state, options)
      const shape = { height: state.height, width: state.width, channels: state.channels as 1 | 3 }
      return {
        shape: state.height > 0 ? shape : null,
        tooManyClasses: state.tooManyClasses,
        classes: state.classes.map(({ name, rows, pixels }) => ({ name, rows, pixels })),
      }
    },
    bytes(shape: Shape) {
      const { height, width, channels } = shape.pixels ?? { height: 0, width: 0, channels: 1 }
      const each = height * width * channels
      // A buffer doubles before it is cut back.
      return (
        2 * slack * Math.min(options.bytes, (shape.rows ?? Number.POSITIVE_INFINITY) * each) * (1 + 16 / Math.max(1, each)) + maxClasses
      )
    },
  }
}

const eachOf = (s: State): number => s.height * s.width * s.channels

function measure(state: State, { height, width, channels }: PixelShape): void {
  state.height = height
  state.width = width
  state.channels = channels
}

/** More classes, fewer records each: what a class may keep only falls. */
const capOf = (state: State, { perClass, bytes }: PixelSampleOptions): number =>
  Math.min(perClass, Math.max(1, Math.floor(bytes / Math.max(1, eachOf(state)) / Math.max(1, state.classes.length))))

function entryOf(state: State, name: string): ClassState {
  let entry = state.classes.find((c) => c.name === name)
  if (!entry) {
    entry = { name, rows: 0, keys: new Uint8Array(0), pixels: new Uint8Array(0) }
    state.classes.push(entry)
  }
  return entry
}

function overflow(state: State): boolean {
  if (state.classes.length > maxClasses) state.tooManyClasses = true
  if (state.tooManyClasses) state.classes = []
  return state.tooManyClasses
}

function grown(buffer: Uint8Array, used: number, more: number): Uint8Array {
  if (used + more <= buffer.length) return buffer
  const out = new Uint8Array(Math.max(used + more, 2 * buffer.length))
  out.set(buffer.subarray(0, used))
  return out
}

function append(entry: ClassState, each: number, keys: Uint8Array, pixels: Uint8Array): void {
  entry.keys = grown(entry.keys, entry.rows * 16, keys.length)
  entry.pixels = grown(entry.pixels, entry.rows * each, pixels.length)
  entry.keys.set(keys, entry.rows * 16)
  entry.pixels.set(pixels, entry.rows * each)
  entry.rows += keys.length / 16
}

function keepSmallest(entry: ClassState, cap: number, each: number): void {
  const { keys, pixels } = entry
  const row = (r: number) => pixels.subarray(r * each, (r + 1) * each)
  const order = Array.from({ length: entry.rows }, (_, i) => i)
  order.sort((a, b) => compareDigests(keys, a * 16, keys, b * 16) || Buffer.compare(row(a), row(b)))
  const kept = order.slice(0, cap)
  entry.rows = kept.length
  entry.keys = new Uint8Array(kept.length * 16)
  entry.pixels = new Uint8Array(kept.length * each)
  kept.forEach((r, i) => {
    entry.keys.set(keys.subarray(r * 16, (r + 1) * 16), i * 16)
    entry.pixels.set(row(r), i * each)
  })
}

function trim(state: State, options: PixelSampleOptions): void {
  if (overflow(state)) state.height = state.width = state.channels = 0
  const cap = capOf(state, options)
  for (const entry of state.classes) keepSmallest(entry, cap, eachOf(state))
  state.classes.sort((a, b) => (a.name < b.name ? -1 : 1))
}
