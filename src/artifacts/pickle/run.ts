import type { Bytes } from '../bytes.ts'
import { noteItems } from './joblib.ts'
import { rare } from './rare.ts'
import { fail, floorOf, growStack, need, pushMark, readMemo, takeMark, writeMemo } from './stack.ts'
import { type Machine, maxStack, newMachine, opaque, putTuple, type Sink, unset } from './state.ts'
import { moveTo } from './window.ts'

export interface Ended {
  /** Position after the last opcode that was read. */
  readonly end: number
  readonly stopped: boolean
  /** Why an unpickler would stop with an error, and where; null where it would not. */
  readonly failure: Machine['failure']
  readonly opcodes: number
  /** The highest that PROTO names; 0 without. */
  readonly protocol: number
  /** Which opcodes occurred, by code. */
  readonly seen: Uint8Array
}

const u32 = (buf: Buffer, p: number): number =>
  ((buf[p] as number) | ((buf[p + 1] as number) << 8) | ((buf[p + 2] as number) << 16) | ((buf[p + 3] as number) << 24)) >>> 0

/**
 * Walks one pickle from `start` to its STOP as CPython's machine would, for protocols 0 to 5, and makes nothing of what it names. It goes on
 * after what would stop an unpickler, since unpicklers differ in that; it ends where no opcode can be read. Memory is eight bytes a value
 * on the stack or in the memo, and a window of 1 MiB.
 */
export function runPickle(bytes: Bytes, start: number, sink: Sink, depth = 0): Ended {
  const m = newMachine(bytes, sink, depth, (position) => runPickle(bytes, position, sink, depth + 1))
  const { window, memo, tuples, seen } = m
  const { size } = bytes
  let { stack } = m
  let sp = 0
  let floor = 0
  let base = start
  let p = 0
  let opcodes = 0
  moveTo(window, start)
  let buf = window.buffer
  let limit = buf.length
  for (;;) {
    // Not a number where a length was cut off.
    if (!(p + 16 <= limit)) {
      const position = base + p
      if (!(position < size)) {
        fail(m, position === size ? 'it ends without STOP' : 'it is cut off', size)
        return ended(m, opcodes, size, false)
      }
      if (base + limit < size || p > limit) {
        moveTo(window, position)
        buf = window.buffer
        base = position
        p = 0
        limit = buf.length
        if (limit === 0) {
          fail(m, 'it cannot be read to its end', position)
          return ended(m, opcodes, position, false)
        }
      }
    }
    const at = base + p
    if (at >= m.frameEnd) {
      if (at > m.frameEnd) sink.lie('frame', 'an opcode reaches beyond the end of its frame, where readers differ', at)
      m.frameEnd = Number.POSITIVE_INFINITY
    }
    if (sp + 4 > stack.length) {
      if (stack.length >= maxStack) {
        fail(m, 'its stack is deeper than any pickler makes it', at)
        return ended(m, opcodes, at, false)
      }
      growStack(m)
      stack = m.stack
    }
    const code = buf[p++] as number
    const ref = at + 1
    opcodes++
    seen[code] = 1
    switch (code) {
      case 0x68: // BINGET
      case 0x6a: {
        // LONG_BINGET
        const index = code === 0x68 ? (buf[p] as number) : u32(buf, p)
        p += code === 0x68 ? 1 : 4
        const value = memo.get(index)
        stack[sp++] = value !== unset ? value : p > limit ? opaque : readMemo(m, index, at)
        break
      }
      case 0x94: // MEMOIZE
        if (sp <= floor) sp = more(m, sp, 1, at)
        if (!memo.put(memo.count, stack[sp - 1] as number)) writeMemo(m, -1, 0, at)
        break
      case 0x71: // BINPUT
      case 0x72: // LONG_BINPUT
        if (sp <= floor) sp = more(m, sp, 1, at)
        writeMemo(m, code === 0x71 ? (buf[p] ?? 0) : u32(buf, p), stack[sp - 1] as number, at)
        p += code === 0x71 ? 1 : 4
        break
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
      case 0x43: // SHORT_BINBYTES
        if (beginsPickle(buf, p + 1, code === 0x43)) sink.content(at + 2, buf[p] as number, code !== 0x43)
        p += 1 + (buf[p] as number)
        stack[sp++] = ref
        break
      case 0x8a: // LONG1
        p += 1 + (buf[p] as number)
        stack[sp++] = ref
        break
      case 0x58: // BINUNICODE
      case 0x42: // BINBYTES
        if (beginsPickle(buf, p + 4, code === 0x42)) sink.content(at + 5, u32(buf, p), code !== 0x42)
        p += 4 + u32(buf, p)
        stack[sp++] = ref
        break
      case 0x54: // BINSTRING
      case 0x8b: {
        // LONG4
        const length = u32(buf, p)
        if (length >= 0x80000000) {
          fail(m, 'a length is negative', at)
          return ended(m, opcodes, at, false)
        }
        p += 4 + length
        stack[sp++] = ref
        break
      }
      case 0x8d: // BINUNICODE8
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        p += 8 + u32(buf, p) + u32(buf, p + 4) * 0x100000000
        stack[sp++] = ref
        break
      case 0x4b: // BININT1
        p++
        stack[sp++] = ref
        break
      case 0x4d: // BININT2
        p += 2
        stack[sp++] = ref
        break
      case 0x4a: // BININT
        p += 4
        stack[sp++] = ref
        break
      case 0x47: // BINFLOAT
        p += 8
        stack[sp++] = ref
        break
      case 0x4e: // NONE
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
      case 0x5d: // EMPTY_LIST
      case 0x7d: // EMPTY_DICT
      case 0x8f: // EMPTY_SET
      case 0x97: // NEXT_BUFFER
        stack[sp++] = ref
        break
      case 0x29: // EMPTY_TUPLE
        putTuple(tuples, ref, stack, sp, sp)
        stack[sp++] = ref
        break
      case 0x98: // READONLY_BUFFER
        break
      case 0x28: // MARK
        pushMark(m, sp)
        floor = sp
        break
      case 0x61: // APPEND
        if (sp - 2 < floor) sp = more(m, sp, 2, at)
        sp--
        break
      case 0x73: // SETITEM
        if (sp - 3 < floor) sp = more(m, sp, 3, at)
        if (m.array !== null) noteItems(m, sp - 2, sp)
        sp -= 2
        break
      case 0x75: // SETITEMS
      case 0x65: // APPENDS
      case 0x90: {
        // ADDITEMS
        const from = takeMark(m, at)
        if (m.array !== null && code === 0x75) noteItems(m, from, sp)
        sp = from
        floor = floorOf(m)
        if (sp - 1 < floor) sp = more(m, sp, 1, at)
        break
      }
      case 0x74: // TUPLE
      case 0x64: // DICT
      case 0x6c: // LIST
      case 0x91: {
        // FROZENSET
        const from = takeMark(m, at)
        if (code === 0x74) putTuple(tuples, ref, stack, from, sp)
        else if (code === 0x64 && m.array !== null) noteItems(m, from, sp)
        sp = from
        floor = floorOf(m)
        stack[sp++] = ref
        break
      }
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        // TUPLE3
        const n = code - 0x84
        if (sp - n < floor) sp = more(m, sp, n, at)
        putTuple(tuples, ref, stack, sp - n, sp)
        sp -= n
        stack[sp++] = ref
        break
      }
      case 0x2e: // STOP
        if (sp <= floor) fail(m, 'STOP finds no value on the stack', at)
        return ended(m, opcodes, at + 1, true)
      default: {
        m.sp = sp
        m.position = at + 1
        const goesOn = rare(m, code, at)
        sp = m.sp
        floor = floorOf(m)
        p = m.position - base
        if (!goesOn) return ended(m, opcodes, m.position, false)
      }
    }
  }
}

/** PROTO and a version; in text "gA", which is how those two bytes look in base 64. */
const beginsPickle = (buf: Buffer, p: number, raw: boolean): boolean =>
  raw ? buf[p] === 0x80 && (buf[p + 1] as number) <= 5 : buf[p] === 0x67 && buf[p + 1] === 0x41

/** The stack height with at least `n` values above the last mark. */
function more(m: Machine, sp: number, n: number, at: number): number {
  m.sp = sp
  need(m, n, at)
  return m.sp
}

const ended = (m: Machine, opcodes: number, end: number, stopped: boolean): Ended => ({
  end: Math.min(m.window.bytes.size, end),
  stopped,
  failure: m.failure,
  opcodes,
  protocol: Math.max(0, m.protocol),
  seen: m.seen,
})
