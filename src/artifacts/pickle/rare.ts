import { build, call, inst, pushGlobal, stackGlobal } from './calls.ts'
import { joblibObjects } from './joblib.ts'
import { op, opName } from './opcodes.ts'
import { fail, floorOf, need, readMemo, takeMark, writeMemo } from './stack.ts'
import { type Machine, opaque } from './state.ts'
import { previewOf } from './values.ts'
import { endOfLine } from './window.ts'

const maxLine = 4_096
const newestProtocol = 5

/** The line at the position, which moves behind it. Where none ends, the rest is taken: some unpicklers do. */
function line(m: Machine, at: number): string {
  const from = m.position
  const end = endOfLine(m.window, from)
  if (end < 0) fail(m, 'a line has no end', at)
  m.position = end < 0 ? m.window.bytes.size + 1 : end
  return m.window.bytes.read(from, Math.min(maxLine, (end < 0 ? m.window.bytes.size + 1 : end) - from - 1)).toString('utf8')
}

/** A whole number as Python's `int` takes it. */
function lineNumber(m: Machine, at: number): number {
  const text = line(m, at).trim().replace(/_/g, '')
  return /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
}

/** The opcodes of text protocols, those that name or call, and those that are no part of the language. False where reading cannot go on. */
export function rare(m: Machine, code: number, at: number): boolean {
  const ref = at + 1
  const { stack } = m
  switch (code) {
    case op.proto: {
      const version = m.window.bytes.read(m.position, 1)[0] ?? 0
      m.position++
      if (version > newestProtocol) fail(m, `protocol ${version} is unknown`, at)
      if (m.protocol >= 0) m.sink.lie('PROTO', 'says its protocol twice', at)
      m.protocol = Math.max(m.protocol, version)
      return true
    }
    case op.frame: {
      const head = m.window.bytes.read(m.position, 8)
      m.position += 8
      if (head.length < 8) return true
      const end = m.position + Number(head.readBigUInt64LE(0))
      if (m.frameEnd !== Number.POSITIVE_INFINITY) m.sink.lie('frame', 'a frame begins within another', at)
      if (end > m.window.bytes.size) m.sink.lie('frame', 'a frame is longer than the file', at)
      m.frameEnd = end
      return true
    }
    case op.pop:
      if (m.mp > 0 && floorOf(m) === m.sp) m.mp--
      else {
        need(m, 1, at)
        m.sp--
      }
      return true
    case op.popMark:
      m.sp = takeMark(m, at)
      return true
    case op.dup:
      need(m, 1, at)
      stack[m.sp] = stack[m.sp - 1] as number
      m.sp++
      return true
    case op.float:
    case op.int:
    case op.long:
    case op.string:
    case op.unicode:
    case op.persid:
      line(m, at)
      stack[m.sp++] = ref
      return true
    case op.binpersid:
      need(m, 1, at)
      stack[m.sp - 1] = opaque
      return true
    case op.get:
      stack[m.sp++] = readMemo(m, lineNumber(m, at), at)
      return true
    case op.put: {
      const index = lineNumber(m, at)
      need(m, 1, at)
      writeMemo(m, index, stack[m.sp - 1] as number, at)
      return true
    }
    case op.global: {
      const module = line(m, at)
      pushGlobal(m, ref, module, line(m, at))
      stack[m.sp++] = ref
      return true
    }
    case op.stackGlobal:
      need(m, 2, at)
      m.sp--
      stack[m.sp - 1] = stackGlobal(m, ref, stack[m.sp - 1] as number, stack[m.sp] as number)
      return true
    case op.reduce:
    case op.newobj:
      need(m, 2, at)
      m.sp--
      stack[m.sp - 1] = call(m, code === op.reduce ? 'REDUCE' : 'NEWOBJ', ref, stack[m.sp - 1] as number, stack[m.sp] as number)
      return true
    case op.newobjEx:
      need(m, 3, at)
      m.sp -= 2
      stack[m.sp - 1] = call(m, 'NEWOBJ_EX', ref, stack[m.sp - 1] as number, stack[m.sp] as number)
      return true
    case op.inst: {
      const module = line(m, at)
      const attribute = line(m, at)
      const from = takeMark(m, at)
      inst(m, ref, module, attribute, previews(m, from, m.sp))
      m.sp = from
      stack[m.sp++] = ref
      return true
    }
    case op.obj: {
      const from = takeMark(m, at)
      if (m.sp <= from) fail(m, 'OBJ has no class', at)
      else stack[from] = call(m, 'OBJ', ref, stack[from] as number, m.sp - from > 1 ? (stack[from + 1] as number) : opaque)
      m.sp = Math.max(from + 1, floorOf(m))
      return true
    }
    case op.build:
      need(m, 2, at)
      m.sp--
      return skipArray(m, at, build(m, at, stack[m.sp - 1] as number, stack[m.sp] as number))
    case op.ext1:
    case op.ext2:
    case op.ext4:
      m.position += code === op.ext1 ? 1 : code === op.ext2 ? 2 : 4
      m.sink.lie('EXT', `${opName(code)} names something by a number that only the reading process knows`, at)
      stack[m.sp++] = opaque
      return true
    default:
      m.position = at
      fail(m, `byte 0x${code.toString(16).padStart(2, '0')} is no opcode`, at)
      return false
  }
}

const previews = (m: Machine, from: number, to: number): string =>
  `(${[...m.stack.subarray(from, Math.min(to, from + 4))].map((item) => previewOf(m, item, 1)).join(', ')}${to - from > 4 ? ', …' : to - from === 1 ? ',' : ''})`

/** Moves behind the numbers of an array of joblib. */
function skipArray(m: Machine, at: number, bytes: ReturnType<typeof build>): boolean {
  if (bytes === 0) return true
  // The frame before the numbers ends with the BUILD.
  if (m.position === m.frameEnd) m.frameEnd = Number.POSITIVE_INFINITY
  if (bytes === null) {
    fail(m, 'the size of an array of joblib cannot be told', at)
    return true
  }
  if (bytes === 'object') return joblibObjects(m, at)
  m.position += bytes
  return true
}
