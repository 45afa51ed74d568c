import { type Machine, opaque, unset } from './state.ts'

export function fail(m: Machine, message: string, offset: number): void {
  m.failure ??= { message, offset }
}

export const floorOf = (m: Machine): number => (m.mp > 0 ? (m.marks[m.mp - 1] as number) : 0)

/** Makes sure of `n` values above the last mark: those that are not there become unknown ones. `m.sp` must be up to date. */
export function need(m: Machine, n: number, at: number): void {
  const floor = floorOf(m)
  if (m.sp - n >= floor) return
  fail(m, 'it takes more values from the stack than there are', at)
  while (m.sp - n < floor) {
    m.stack.copyWithin(floor + 1, floor, m.sp)
    m.stack[floor] = opaque
    m.sp++
  }
}

/** Takes the last mark away; the stack height that it stood for. */
export function takeMark(m: Machine, at: number): number {
  if (m.mp > 0) return m.marks[--m.mp] as number
  fail(m, 'there is no mark on the stack', at)
  return 0
}

export function pushMark(m: Machine, sp: number): void {
  if (m.mp === m.marks.length) {
    const grown = new Int32Array(m.mp * 2)
    grown.set(m.marks)
    m.marks = grown
  }
  m.marks[m.mp++] = sp
}

export function growStack(m: Machine): void {
  const grown = new Float64Array(m.stack.length * 2)
  grown.set(m.stack)
  m.stack = grown
}

/** Reads a memo entry that may be missing. */
export function readMemo(m: Machine, index: number, at: number): number {
  const ref = m.memo.get(index)
  if (ref !== unset) return ref
  const entry = Number.isNaN(index) ? 'a memo entry without a number' : `memo entry ${index}`
  fail(m, `${entry} was never written`, at)
  m.sink.lie('memo', `reads ${entry}, which was never written`, at)
  return opaque
}

export function writeMemo(m: Machine, index: number, ref: number, at: number): void {
  if (!(index >= 0) || !m.memo.put(index, ref))
    fail(m, Number.isNaN(index) ? 'a memo index is no number' : `the memo has no place ${index}`, at)
}
