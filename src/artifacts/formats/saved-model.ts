import type { Bytes } from '../bytes.ts'
import { indexOfBytes } from '../bytes.ts'
import type { Checker } from './checker.ts'
import { type Field, fieldsOf, ProtobufError, textOf } from './protobuf.ts'

/** Operators of TensorFlow that leave the graph. */
const reaching: { readonly [op: string]: string } = {
  ReadFile: 'reads files',
  WriteFile: 'writes files',
  WholeFileReader: 'reads files',
  WholeFileReaderV2: 'reads files',
  MatchingFiles: 'lists files',
  PyFunc: 'calls Python',
  PyFuncStateless: 'calls Python',
  EagerPyFunc: 'calls Python',
  NumpyFunc: 'calls Python',
  PrintV2: 'may write files',
}

const isGraphName = /\.(?:pb|meta)$/i

function nodes(bytes: Bytes, within: Field, nodeField: number, found: Map<string, number>): void {
  for (const f of fieldsOf(bytes, within.from, within.to)) {
    if (f.wire !== 2 || f.number !== nodeField) continue
    for (const part of fieldsOf(bytes, f.from, f.to)) {
      if (part.number !== 2 || part.wire !== 2) continue
      const op = textOf(bytes, part)
      if (found.size < 10_000) found.set(op, (found.get(op) ?? 0) + 1)
    }
  }
}

/** GraphDef: nodes, and those of its functions. */
function graphDef(bytes: Bytes, within: Field, found: Map<string, number>): void {
  nodes(bytes, within, 1, found)
  for (const library of fieldsOf(bytes, within.from, within.to))
    if (library.number === 2 && library.wire === 2)
      for (const one of fieldsOf(bytes, library.from, library.to)) if (one.number === 1 && one.wire === 2) nodes(bytes, one, 3, found)
}

/** A SavedModel or a frozen graph: which operators leave it. */
export const checkSavedModel: Checker = ({ bytes, name, report, note }) => {
  if (!isGraphName.test(name)) return
  const found = new Map<string, number>()
  const whole: Field = { number: 1, wire: 2, value: 0, from: 0, to: bytes.size }
  try {
    if (/keras_metadata\.pb$/.test(name)) lambda()
    else if (/saved_model\.pb$/.test(name)) {
      for (const meta of fieldsOf(bytes))
        if (meta.number === 2 && meta.wire === 2)
          for (const f of fieldsOf(bytes, meta.from, meta.to)) if (f.number === 2 && f.wire === 2) graphDef(bytes, f, found)
      lambda()
    } else graphDef(bytes, whole, found)
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error
    report({
      rule: 'format-violation',
      // Protocol Buffers of other kinds end in .pb as well.
      verdict: /saved_model\.pb$/.test(name) ? 'review' : 'note',
      subject: 'protobuf',
      message: `is damaged as a graph of TensorFlow: ${error.message}.`,
      offset: error.offset,
    })
  }
  for (const [op, count] of found) {
    const what = reaching[op]
    if (what === undefined || !Object.hasOwn(reaching, op)) continue
    report({
      rule: 'remote-code',
      verdict: op === 'PrintV2' ? 'review' : 'block',
      runs: op !== 'PrintV2',
      subject: op,
      message: `has the operator ${op}, which ${what} when the model is called.`,
      offset: null,
      count,
    })
  }
  if (found.size > 0) note(`TensorFlow: ${found.size.toLocaleString('en')} kinds of operators`)

  function lambda(): void {
    const at = Math.max(
      indexOfBytes(bytes, Buffer.from('"class_name": "Lambda"')),
      indexOfBytes(bytes, Buffer.from('"class_name":"Lambda"')),
    )
    if (at >= 0)
      report({
        rule: 'remote-code',
        verdict: 'block',
        runs: true,
        subject: 'Lambda',
        message: 'has a Lambda layer, whose function is code that runs when the model is loaded or called.',
        offset: at,
      })
  }
}
