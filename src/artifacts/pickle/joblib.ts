import { fail } from './stack.ts'
import { type GlobalName, type Machine, opaque, type Ref, tupleAt } from './state.ts'
import { intOf, textOf } from './values.ts'

const maxNested = 8

/**
 * Arrays of joblib: an instance of `NumpyArrayWrapper`, and after the BUILD that gives it its state the raw numbers, unless they are objects,
 * which are a pickle of their own (joblib/numpy_pickle.py, `NumpyUnpickler.load_build`).
 */
const isWrapper = ({ module, attribute }: GlobalName): boolean =>
  attribute === 'NumpyArrayWrapper' && (module === 'joblib.numpy_pickle' || module.endsWith('.joblib.numpy_pickle'))

/** From here on the machine keeps what the next dictionary says. */
export function watchWrapper(m: Machine, name: GlobalName | null): void {
  if (name !== null && isWrapper(name)) m.array = { shape: opaque, dtype: opaque, alignment: opaque }
}

/** Keys and values that a dictionary takes: pairs of [from, to) of the stack. */
export function noteItems(m: Machine, from: number, to: number): void {
  if (m.array === null || to - from > 64) return
  for (let i = from; i + 1 < to; i += 2) {
    const value = m.stack[i + 1] as Ref
    switch (textOf(m, m.stack[i] as Ref)) {
      case 'shape':
        m.array.shape = value
        break
      case 'dtype':
        m.array.dtype = value
        break
      case 'numpy_array_alignment_bytes':
        m.array.alignment = value
    }
  }
}

/** Bytes of one item by the name that numpy gives a type: `f8`, `<i4`, `U10`, `V12`; null for objects and what is unknown. */
export function itemBytes(descr: string): number | null {
  const match = /^[<>|=]?([biufcSaUVmM?])(\d*)$/.exec(descr)
  if (match === null) return null
  if (match[2] === '') return match[1] === '?' ? 1 : match[1] === 'm' || match[1] === 'M' ? 8 : null
  return Number(match[2]) * (match[1] === 'U' ? 4 : 1)
}

function items(m: Machine, shape: Ref): number | null {
  const tuple = tupleAt(m.tuples, shape)
  if (tuple === null || tuple.length > tuple.items.length) return m.window.bytes.read(shape - 1, 1)[0] === 0x29 ? 1 : null
  let count = 1
  for (const item of tuple.items) {
    const n = intOf(m, item)
    if (n === null || n < 0) return null
    count *= n
  }
  return Number.isSafeInteger(count) ? count : null
}

/** See `build`. `after` is the position behind the BUILD. */
export function joblibBytes(m: Machine, name: GlobalName, after: number): number | null | 'object' {
  if (m.array === null || !isWrapper(name)) return 0
  const { shape, dtype, alignment } = m.array
  m.array = null
  const descr = m.dtypes.get(dtype) ?? null
  if (descr === null) return null
  if (/^[|<>=]?O/.test(descr)) return 'object'
  const size = itemBytes(descr)
  const count = items(m, shape)
  if (size === null || count === null) return null
  // An attribute that is there and not None: one byte says how many bytes of padding follow.
  const aligned = alignment > 0 && m.window.bytes.read(alignment - 1, 1)[0] !== 0x4e
  const padding = aligned ? 1 + (m.window.bytes.read(after, 1)[0] ?? 0) : 0
  return padding + size * count
}

/** An array of objects: a pickle of its own, with a memo of its own, in the middle of this one. False where reading cannot go on. */
export function joblibObjects(m: Machine, at: number): boolean {
  if (m.depth >= maxNested) {
    fail(m, 'arrays of objects lie too deep in each other', at)
    return false
  }
  const inner = m.nested(m.position)
  m.position = inner.end
  if (inner.stopped) return true
  fail(m, 'the objects of an array of joblib do not end', at)
  return false
}
