import type { Cell, Part } from '../../statistics/column-triggers/cell.ts'

const number = (v: number): string => String(Number(v.toPrecision(7)))

const quoted = (names: readonly string[], column: number): string => `"${names[column] ?? `column ${column + 1}`}"`

function partWords(part: Part, names: readonly string[]): string {
  const name = quoted(names, part.column)
  if (part.kind === 'missing') return `${name} missing`
  if (part.kind === 'value' && part.text) return `${name} = ${JSON.stringify(part.text)}`
  return part.kind === 'value' ? `${name} = ${number(part.value)}` : `${name} from ${number(part.low)} to ${number(part.high)}`
}

/** `"age" = 42 and "dose" from 3 to 4` */
export const cellWords = (cell: Cell, names: readonly string[]): string => cell.map((part) => partWords(part, names)).join(' and ')

/** The cell with the categories that its codes stand for. */
export const withTexts = (cell: Cell, texts: readonly string[]): Cell =>
  cell.map((part, l) => (part.kind === 'value' && texts[l] ? { ...part, text: texts[l] } : part))

/** What the fingerprint is made of: columns and kinds, no numbers that depend on the sample. */
export const cellNames = (cell: Cell, names: readonly string[]): string[] =>
  cell.map((part) => `${part.kind === 'value' ? partWords(part, names) : `${quoted(names, part.column)} ${part.kind}`}`)

export const ruleOf = (cell: Cell): string => (cell.length > 1 ? 'trigger-tabular/pair' : 'trigger-tabular/value')

/** The name of a group of flags: its place among the triggers of the run. */
export const groupName = (trigger: number): string => `trigger ${trigger + 1}`
