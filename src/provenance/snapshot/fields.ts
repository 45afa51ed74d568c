import type { Cells, Lists } from '../../contracts/chunk.ts'
import { byValue, type Encoder, fieldPrefix, isBig, textStarts, vectorValue } from './canonical.ts'
import type { FieldSpec } from './schema.ts'
import { typed } from './typed.ts'

/** A column's name as it begins a field, and the same with the beginnings of texts, which most values are. */
export interface FieldName {
  readonly prefix: string
  readonly texts: readonly string[]
}

export const fieldName = (name: string): FieldName => {
  const prefix = fieldPrefix(name)
  return { prefix, texts: textStarts.slice(0, 512).map((length) => prefix + length) }
}

/** Appends the field of row i to a record; a missing value appends nothing. */
export type FieldAppender = (record: string, i: number) => string

/** `Unreadable` is thrown for a row that cannot be told. */
export function columnAppender({ prefix, texts }: FieldName, cells: Cells, spec: FieldSpec | null, e: Encoder): FieldAppender {
  const value = columnValues(cells, spec, e)
  const slow = (record: string, i: number): string => {
    const text = value(i)
    return text === null ? record : record + prefix + text
  }
  if (cells.kind !== 'values' || (spec !== null && (spec.type !== 'text' || spec.list))) return slow
  const { values } = cells
  return (record, i) => {
    const given = values[i]
    if (typeof given !== 'string') return slow(record, i)
    const start = texts[given.length]
    return given === '' || start === undefined ? slow(record, i) : record + start + given
  }
}

/** The canonical values of a column by row; null where missing. */
function columnValues(cells: Cells, spec: FieldSpec | null, e: Encoder): (i: number) => string | null {
  const one = spec === null ? (value: unknown) => byValue(value, e) : (value: unknown) => typed(spec, value, e)
  switch (cells.kind) {
    case 'values': {
      const { values } = cells
      return (i) => one(values[i])
    }
    case 'codes': {
      const { codes, values } = cells
      const cache: (string | null | undefined)[] = new Array(values.length)
      return (i) => {
        const code = codes[i] as number
        if (code < 0) return null
        let text = cache[code]
        if (text === undefined) text = cache[code] = one(values[code])
        else if (text?.[0] === '!') e.misfit(values[code])
        return text
      }
    }
    case 'numbers': {
      const { data, valid } = cells
      return (i) => (valid && !valid[i] ? null : one(data[i]))
    }
    case 'lists':
      return listValues(cells, one, spec, e)
  }
}

function listValues(
  cells: Lists,
  one: (value: unknown) => string | null,
  spec: FieldSpec | null,
  e: Encoder,
): (i: number) => string | null {
  const { data, dims, starts, lengths: sizes, valid, itemValid } = cells
  return (i) => {
    if (valid && !valid[i]) return null
    const start = dims === null ? (starts?.[i] ?? 0) : i * dims
    const length = dims ?? sizes?.[i] ?? 0
    // a list of exactly one where one value is declared: N x 1 arrays
    if (spec !== null && !spec.list && length === 1) return one(itemValid && !itemValid[start] ? null : data[start])
    if (spec === null && !itemValid && !isBig(data)) return vectorValue(data, start, length, false, e)
    const part = data.subarray(start, start + length)
    // bytes of a list are numbers; by themselves they would be binary
    const whole = !itemValid?.subarray(start, start + length).includes(0) && (spec?.list || !(part instanceof Uint8Array))
    return one(whole ? part : Array.from(part as ArrayLike<unknown>, (v, k) => (itemValid && !itemValid[start + k] ? null : v)))
  }
}
