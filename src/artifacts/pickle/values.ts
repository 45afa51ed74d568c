import { op, opName } from './opcodes.ts'
import { type GlobalName, type Machine, type Ref, resultAt, tupleAt } from './state.ts'

const maxName = 1_000
const maxPreview = 120

/** Text of a bytes literal as Python prints it between quotes: `\x6f`, `\157`, `\n`. */
const fromEscapes = (text: string): string =>
  text.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[\s\S])/g, (whole, code: string) => {
    if (code.startsWith('x') && code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff)
    const named: { readonly [c: string]: string } = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"', '\n': '' }
    return named[code] ?? whole
  })

const rawUnicode = (text: string): string =>
  text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (whole, four?: string, eight?: string) => {
    const code = Number.parseInt(four ?? eight ?? '', 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })

function lineAt(m: Machine, position: number): string | null {
  const head = m.window.bytes.read(position, maxName + 1)
  const end = head.indexOf(10)
  return end < 0 ? null : head.toString('latin1', 0, end)
}

/** Python takes the quotes off what stands between equal ones. */
const unquoted = (line: string): string => {
  const text = line.trim()
  return text.length >= 2 && (text[0] === "'" || text[0] === '"') && text.endsWith(text[0] as string)
    ? fromEscapes(text.slice(1, -1))
    : fromEscapes(text)
}

const lengthBytes: { readonly [code: number]: number } = {
  [op.shortBinunicode]: 1,
  [op.binunicode]: 4,
  [op.binunicode8]: 8,
  [op.shortBinstring]: 1,
  [op.binstring]: 4,
  [op.shortBinbytes]: 1,
  [op.binbytes]: 4,
  [op.binbytes8]: 8,
  [op.bytearray8]: 8,
}
const texts: ReadonlySet<number> = new Set([op.shortBinunicode, op.binunicode, op.binunicode8, op.shortBinstring, op.binstring])

/** Where the content of a string or bytes opcode lies; null for other opcodes. */
export function contentOf(m: Machine, ref: Ref): { readonly code: number; readonly offset: number; readonly length: number } | null {
  if (ref <= 0) return null
  const head = m.window.bytes.read(ref - 1, 9)
  const code = head[0] ?? 0
  const width = lengthBytes[code]
  if (width === undefined || head.length < 1 + width) return null
  const length = width === 1 ? (head[1] as number) : width === 4 ? head.readUInt32LE(1) : Number(head.readBigUInt64LE(1))
  return { code, offset: ref + width, length }
}

/** The text that a reference stands for; null where it is no text, or too long for a name. */
export function textOf(m: Machine, ref: Ref): string | null {
  if (ref <= 0) return null
  const content = contentOf(m, ref)
  if (content !== null) {
    if (!texts.has(content.code) || content.length > maxName) return null
    const bytes = m.window.bytes.read(content.offset, content.length)
    return bytes.toString(content.code === op.shortBinstring || content.code === op.binstring ? 'latin1' : 'utf8')
  }
  const code = m.window.bytes.read(ref - 1, 1)[0]
  if (code !== op.string && code !== op.unicode) return null
  const line = lineAt(m, ref)
  if (line === null) return null
  return code === op.string ? unquoted(line) : rawUnicode(Buffer.from(line, 'latin1').toString('utf8'))
}

/** The whole number that a reference stands for, where it is one below 2^53. */
export function intOf(m: Machine, ref: Ref): number | null {
  if (ref <= 0) return null
  const head = m.window.bytes.read(ref - 1, 10)
  switch (head[0]) {
    case op.binint1:
      return head[1] ?? null
    case op.binint2:
      return head.length >= 3 ? head.readUInt16LE(1) : null
    case op.binint:
      return head.length >= 5 ? head.readInt32LE(1) : null
    case op.long1: {
      const length = head[1] ?? 9
      if (length > 8 || head.length < 2 + length) return null
      let value = 0
      for (let i = length - 1; i >= 0; i--) value = value * 256 + (head[2 + i] as number)
      return length > 0 && (head[1 + length] as number) >= 128 ? value - 256 ** length : value
    }
    case op.int:
    case op.long: {
      const value = Number((lineAt(m, ref) ?? '').trim().replace(/L$/, ''))
      return Number.isSafeInteger(value) ? value : null
    }
    default:
      return null
  }
}

export const globalOf = (m: Machine, ref: Ref): GlobalName | null => {
  const id = m.globals.get(ref)
  return id === undefined ? null : (m.names[id] ?? null)
}

export const nameOf = ({ module, attribute }: GlobalName): string => `${module}.${attribute}`

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`

/** What a reference stands for, as Python would print it, shortened. */
export function previewOf(m: Machine, ref: Ref, depth = 0): string {
  if (ref <= 0) return '…'
  const tuple = tupleAt(m.tuples, ref)
  if (tuple !== null) {
    if (depth >= 3) return '(…)'
    const items = tuple.items.map((item) => previewOf(m, item, depth + 1))
    const more = tuple.length > items.length ? ', …' : tuple.length === 1 ? ',' : ''
    return clipped(`(${items.join(', ')}${more})`)
  }
  const global = globalOf(m, ref)
  if (global !== null) return clipped(nameOf(global))
  const made = m.names[resultAt(m, ref)]
  if (made !== undefined) return clipped(`${nameOf(made)}(…)`)
  const content = contentOf(m, ref)
  if (content !== null) {
    const shown = m.window.bytes.read(content.offset, Math.min(content.length, maxPreview))
    if (texts.has(content.code)) return clipped(quoted(shown.toString('utf8')))
    return clipped(`b${quoted(shown.toString('latin1').replace(/[^\x20-\x7e]/g, '.'))}`)
  }
  const text = textOf(m, ref)
  if (text !== null) return clipped(quoted(text))
  const int = intOf(m, ref)
  if (int !== null) return String(int)
  const code = m.window.bytes.read(ref - 1, 1)[0] ?? 0
  const plain: { readonly [code: number]: string } = {
    [op.none]: 'None',
    [op.newtrue]: 'True',
    [op.newfalse]: 'False',
    [op.emptyTuple]: '()',
    [op.emptyList]: '[…]',
    [op.emptyDict]: '{…}',
    [op.list]: '[…]',
    [op.dict]: '{…}',
  }
  return plain[code] ?? `<${opName(code)}>`
}

const clipped = (text: string): string => (text.length > maxPreview ? `${text.slice(0, maxPreview - 1)}…` : text)
