import { joblibBytes, watchWrapper } from './joblib.ts'
import { op } from './opcodes.ts'
import {
  type CallKind,
  type GlobalName,
  type Machine,
  maxGlobals,
  nameId,
  opaque,
  putResult,
  type Ref,
  resultAt,
  tupleAt,
} from './state.ts'
import { contentOf, globalOf, nameOf, previewOf, textOf } from './values.ts'

/** Opcodes that name or call something; the rest of the machine only moves values. Positions are those of the opcode. */

function found(m: Machine, ref: Ref, name: GlobalName): number {
  const id = nameId(m, name)
  if (m.globals.size >= maxGlobals) m.globals.clear()
  m.globals.set(ref, id)
  m.sink.global(name, ref - 1)
  return id
}

export function pushGlobal(m: Machine, ref: Ref, module: string, attribute: string): void {
  found(m, ref, { module, attribute })
}

/** STACK_GLOBAL over the two values below the top. */
export function stackGlobal(m: Machine, ref: Ref, module: Ref, attribute: Ref): Ref {
  const m0 = textOf(m, module)
  const a0 = textOf(m, attribute)
  if (m0 !== null && a0 !== null) {
    found(m, ref, { module: m0, attribute: a0 })
    return ref
  }
  const shown = `${m0 === null ? previewOf(m, module) : m0}.${a0 === null ? previewOf(m, attribute) : a0}`
  m.sink.lie('STACK_GLOBAL', `STACK_GLOBAL takes a name that is no text of the pickle: ${shown}`, ref - 1)
  return opaque
}

/** The class behind `copyreg._reconstructor(cls, base, state)` and `copyreg.__newobj__(cls)`, which only make instances. */
function instanceOf(m: Machine, callee: GlobalName, args: Ref): number {
  if (!/^copy_?reg$/.test(callee.module) || !['_reconstructor', '__newobj__', '__newobj_ex__'].includes(callee.attribute)) return -1
  const first = tupleAt(m.tuples, args)?.items[0] ?? opaque
  return m.globals.get(first) ?? -1
}

function tell(m: Machine, kind: CallKind, callee: Ref, args: Ref, at: number): GlobalName | null {
  const global = globalOf(m, callee)
  const first = tupleAt(m.tuples, args)?.items[0] ?? opaque
  const content = contentOf(m, first)
  const bytes = content && [op.binbytes, op.binbytes8, op.shortBinbytes, op.bytearray8].includes(content.code as 0x42) ? content : null
  m.sink.call({
    kind,
    callee: global,
    resultOf: global === null ? (m.names[resultAt(m, callee)] ?? null) : null,
    preview: previewOf(m, args),
    offset: at,
    bytes: bytes && { offset: bytes.offset, length: bytes.length },
    text: textOf(m, first),
  })
  return global
}

/** REDUCE, NEWOBJ, NEWOBJ_EX, OBJ: the result keeps the name of what made it. */
export function call(m: Machine, kind: CallKind, ref: Ref, callee: Ref, args: Ref): Ref {
  const global = tell(m, kind, callee, args, ref - 1)
  if (global === null) {
    putResult(m, ref, resultAt(m, callee))
    return ref
  }
  const made = instanceOf(m, global, args)
  const id = made >= 0 ? made : nameId(m, global)
  putResult(m, ref, id)
  if (global.attribute === 'dtype' && global.module === 'numpy') {
    const descr = textOf(m, tupleAt(m.tuples, args)?.items[0] ?? opaque)
    if (descr !== null && m.dtypes.size < maxGlobals) m.dtypes.set(ref, descr)
  }
  watchWrapper(m, m.names[id] ?? null)
  return ref
}

/** INST names its class in the text after it and takes its arguments down to the mark. */
export function inst(m: Machine, ref: Ref, module: string, attribute: string, preview: string): void {
  const name = { module, attribute }
  const id = found(m, ref, name)
  // What it pushes is an instance, not the class.
  m.globals.delete(ref)
  m.sink.call({ kind: 'INST', callee: name, resultOf: null, preview, offset: ref - 1, bytes: null, text: null })
  putResult(m, ref, id)
  watchWrapper(m, name)
}

/**
 * BUILD: a state for the instance. Bytes that follow outside of the pickle's language are those of an array of joblib: their number, 0 for none,
 * null where it cannot be told, 'object' where another pickle follows.
 */
export function build(m: Machine, at: number, instance: Ref, state: Ref): number | null | 'object' {
  const global = globalOf(m, instance)
  const id = resultAt(m, instance)
  const name = global ?? m.names[id] ?? null
  if (name === null) return 0
  m.sink.call({
    kind: 'BUILD',
    callee: name,
    resultOf: global === null ? name : null,
    preview: previewOf(m, state),
    offset: at,
    bytes: null,
    text: null,
  })
  if (global !== null) m.sink.lie(nameOf(global), `BUILD changes ${nameOf(global)} itself, and no instance of it`, at)
  return joblibBytes(m, name, at + 1)
}
