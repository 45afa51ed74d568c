import type { Cells } from '../contracts/chunk.ts'
import { cellAt, toText } from './cells.ts'

/** The labels of a record: a list, the JSON of one, or a text with bars between; null where it has none to tell. */
function labelsOf(value: unknown): readonly string[] | null {
  if (value === null || value === undefined) return null
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof Uint8Array)))
    return Array.from(value as ArrayLike<unknown>, (v) => toText(v) ?? '')
  const text = toText(value)
  if (typeof text !== 'string') return null
  if (text.trimStart().startsWith('[')) {
    try {
      const list: unknown = JSON.parse(text)
      if (Array.isArray(list)) return list.map((v) => toText(v) ?? '')
    } catch {
      // a label that begins with a bracket
    }
  }
  return text.split('|').map((part) => part.trim())
}

/** The labels of records with several as those of one class: its name where a record has it, `not NAME` where it has not. */
export function presence(cells: Cells, rows: number, name: string): Cells {
  const absent = `not ${name}`
  return {
    kind: 'values',
    values: Array.from({ length: rows }, (_, i) => {
      const labels = labelsOf(cellAt(cells, i))
      return labels === null ? null : labels.includes(name) ? name : absent
    }),
  }
}
