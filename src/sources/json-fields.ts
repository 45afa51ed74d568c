import { randomBytes } from 'node:crypto'
import type { Cells } from '../contracts/chunk.ts'
import { SourceError } from './errors.ts'
import { limits } from './limits.ts'

type Parsed = Readonly<Record<string, unknown>>

const isObject = (v: unknown): v is Parsed => typeof v === 'object' && v !== null && !Array.isArray(v)

/** Objects within objects become columns of their own down to here, as the structs of Parquet and Arrow do. */
const maxPath = 6

interface Column {
  readonly name: string
  values: unknown[]
}

interface Node {
  readonly children: Map<string, Node>
  readonly path: string
  column: Column | null
}

const newNode = (path: string): Node => ({ children: new Map(), path, column: null })

/** Every field of JSON records, as columns: fields that only some records have are missing in the others. */
export class FieldColumns {
  private readonly columns = new Map<string, Column>()
  private readonly root = newNode('')
  private row = 0
  private nodes = 0

  constructor(private readonly file: string) {}

  /**
   * Takes the record of a line; `parsed` as JSON.parse reads it, null where it does not. Returns the name that two of its fields
   * share (`a.b`, and `b` in `a`): then nothing is taken.
   */
  add(text: string, parsed: Parsed | null): string | null {
    let twice = parsed ? this.put(parsed, this.root, 1, false) : inexact
    if (twice === inexact) {
      this.undo()
      twice = this.put(parseExactly(text) as Parsed, this.root, 1, true)
    }
    if (twice === null) this.row++
    else this.undo()
    return twice as string | null
  }

  private undo(): void {
    for (const { values } of this.columns.values()) if (values.length > this.row) values.length = this.row
  }

  /** The records since the last call. */
  take(): ReadonlyMap<string, Cells> {
    const out = new Map<string, Cells>()
    for (const column of this.columns.values()) {
      const { values } = column
      if (values.length > 0) {
        while (values.length < this.row) values.push(undefined)
        out.set(column.name, { kind: 'values', values })
      }
      column.values = []
    }
    this.row = 0
    return out
  }

  /** Null where all is taken, `inexact` at a number that JSON.parse may have rounded, a name at its second field. */
  private put(record: Parsed, at: Node, depth: number, exact: boolean): string | null | typeof inexact {
    for (const key of Object.keys(record)) {
      const value = record[key]
      const node = at.children.get(key) ?? this.grow(at, key)
      if (typeof value === 'object' && value !== null) {
        if (depth < maxPath && isObject(value) && hasKeys(value)) {
          const stopped = this.put(value, node, depth + 1, exact)
          if (stopped !== null) return stopped
          continue
        }
        if (!exact && hasLargeInteger(value)) return inexact
      } else if (typeof value === 'number' && !exact && isLarge(value)) return inexact
      node.column ??= this.columnOf(node.path)
      const { values } = node.column
      if (values.length > this.row) return node.path
      while (values.length < this.row) values.push(undefined)
      values.push(value)
    }
    return null
  }

  private grow(at: Node, key: string): Node {
    if (++this.nodes > limits.columns)
      throw new SourceError('too-large', `${this.file}: more than ${limits.columns} fields`, { file: this.file })
    const node = newNode(at === this.root ? key : `${at.path}.${key}`)
    at.children.set(key, node)
    return node
  }

  private columnOf(name: string): Column {
    let column = this.columns.get(name)
    if (!column) {
      column = { name, values: [] }
      this.columns.set(name, column)
    }
    return column
  }
}

const hasKeys = (value: Parsed): boolean => {
  for (const _ in value) return true
  return false
}

const inexact = Symbol('inexact')

const isLarge = (value: number): boolean => (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) && Number.isInteger(value)

/** Does the value hold an integer that may have been rounded when it was read? */
function hasLargeInteger(value: unknown): boolean {
  if (typeof value === 'number') return isLarge(value)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasLargeInteger)
  for (const key of Object.keys(value)) if (hasLargeInteger((value as Parsed)[key])) return true
  return false
}

/** Begins the strings that stand for what JSON.parse would not read exactly; nobody who writes data knows it. */
const mark = randomBytes(12).toString('hex')
const words = ['NaN', 'Infinity']
const longInteger = /-?\d{16,400}(?![\d.eE])/y

/** Long integers and NaN outside of strings, put into marked strings: one pass. */
function quoteExact(text: string): string {
  let out = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 34) {
      for (i++; i < text.length && text.charCodeAt(i) !== 34; i++) if (text.charCodeAt(i) === 92) i++
      continue
    }
    const isNumber = c === 45 || (c >= 48 && c <= 57)
    let token = words.find((w) => text.startsWith(w, i) || (c === 45 && text.startsWith(w, i + 1)))
    if (token && c === 45) token = `-${token}`
    if (!token && isNumber) {
      longInteger.lastIndex = i
      token = longInteger.exec(text)?.[0]
    }
    if (token) {
      out += `${text.slice(from, i)}"${mark}${token}"`
      from = i + token.length
      i = from - 1
    } else if (isNumber) {
      // the rest of a number is no beginning of another
      while (i + 1 < text.length && /[\d.eE+-]/.test(text[i + 1] as string)) i++
    }
  }
  return out + text.slice(from)
}

const marked = (text: string): unknown => {
  const token = text.slice(mark.length)
  if (!/^-?\d+$/.test(token)) return Number(token)
  const double = Number(token)
  return Number.isFinite(double) && BigInt(double) === BigInt(token) ? double : BigInt(token)
}

/** JSON with integers of any size (as bigint where it is long) and with NaN and infinities, which Python writes. Throws SyntaxError. */
const parseExactly = (text: string): unknown =>
  JSON.parse(quoteExact(text), (_, value: unknown) => (typeof value === 'string' && value.startsWith(mark) ? marked(value) : value))
