import type { Checker } from './checker.ts'
import { fieldsOf, ProtobufError, textOf } from './protobuf.ts'

/** TFLite by the bounds of its tables: the operators that are not its own. */
export const checkTflite: Checker = ({ bytes, report, note }) => {
  const wrong = (message: string, offset: number): void =>
    report({ rule: 'format-violation', verdict: 'block', subject: 'flatbuffer', message: `is damaged as TFLite: ${message}.`, offset })
  const u32 = (at: number): number => {
    const part = bytes.read(at, 4)
    if (at < 0 || part.length < 4) throw new RangeError(String(at))
    return part.readUInt32LE(0)
  }
  /** Position of a field of a table; 0 where it is absent. */
  const field = (table: number, index: number): number => {
    const vtable = table - (u32(table) | 0)
    const size = u32(vtable) & 0xffff
    const slot = 4 + index * 2
    if (slot + 2 > size) return 0
    const offset = u32(vtable + slot) & 0xffff
    return offset === 0 ? 0 : table + offset
  }
  const customs: string[] = []
  try {
    const root = u32(0)
    const codes = field(root, 1)
    if (codes > 0) {
      const vector = codes + u32(codes)
      const count = u32(vector)
      if (count > 10_000) throw new RangeError(String(vector))
      for (let i = 0; i < count; i++) {
        const slot = vector + 4 + i * 4
        const custom = field(slot + u32(slot), 1)
        if (custom === 0) continue
        const text = custom + u32(custom)
        const length = u32(text)
        if (length > 1_000) throw new RangeError(String(text))
        customs.push(bytes.read(text + 4, length).toString('utf8'))
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    wrong('an offset leads out of the file', Number(error.message) || 0)
    return
  }
  for (const custom of new Set(customs)) {
    const leaves = /^Flex(?:ReadFile|WriteFile|PyFunc|EagerPyFunc|MatchingFiles|WholeFileReader)/.test(custom)
    if (leaves || !/^(?:Flex|TFLite_)/.test(custom))
      report({
        rule: 'remote-code',
        verdict: leaves ? 'block' : 'review',
        runs: leaves,
        subject: custom,
        message: leaves
          ? `has the operator ${custom}, which leaves the model.`
          : `has the operator ${custom}, which only a library of its own can run.`,
        offset: null,
      })
  }
  note(`TFLite: ${customs.length} operators that are not its own`)
}

/** Core ML by the bounds of its message: models and layers that are classes of the application. */
export const checkCoreml: Checker = ({ bytes, report, note }) => {
  try {
    for (const f of fieldsOf(bytes)) {
      if (f.number !== 555 || f.wire !== 2) continue
      for (const part of fieldsOf(bytes, f.from, f.to))
        if (part.number === 10 && part.wire === 2)
          report({
            rule: 'remote-code',
            verdict: 'review',
            subject: textOf(bytes, part).slice(0, 100),
            message: 'is run by a class of the application.',
            offset: f.from,
          })
    }
    note('Core ML: no code of its own')
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error
    report({
      rule: 'format-violation',
      verdict: 'block',
      subject: 'protobuf',
      message: `is damaged as Core ML: ${error.message}.`,
      offset: error.offset,
    })
  }
}
