import type { Cells } from '../contracts/chunk.ts'

/**
 * Conversations: lists of turns, each with who speaks and what is said, under the names of the OpenAI (`role`, `content`) and the
 * ShareGPT (`from`, `value`) formats. As `text` a conversation is what the model is given, as `response` what it is to answer.
 */
export type Side = 'text' | 'response'

const speakers = ['role', 'from', 'speaker'] as const
const contents = ['content', 'value', 'text'] as const
const answering = /^(?:assistant|gpt|chatgpt|model|bot|ai)$/i
const mostTurns = 10_000

interface Turn {
  readonly speaker: string
  readonly content: string
}

/** Lists and structs come as plain values from JSON, as `items` and `entries` from DuckDB, as vectors and rows from Arrow. */
function listOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return null
  const { items } = value as { readonly items?: unknown }
  if (Array.isArray(items)) return items
  return Symbol.iterator in value && 'length' in value ? [...(value as Iterable<unknown>)] : null
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { entries } = value as { readonly entries?: unknown }
  return (typeof entries === 'object' && entries !== null ? entries : value) as Readonly<Record<string, unknown>>
}

const own = (fields: Readonly<Record<string, unknown>>, names: readonly string[]): unknown => {
  for (const name of names) if (fields[name] !== undefined && fields[name] !== null) return fields[name]
  return null
}

/** The text of a turn; of a list of parts, what its text parts say. */
function contentOf(value: unknown): string | null {
  if (typeof value === 'string') return value
  const parts = listOf(value)
  if (!parts) return null
  return parts
    .map((part) => (typeof part === 'string' ? part : own(fieldsOf(part) ?? {}, ['text'])))
    .filter((text) => typeof text === 'string')
    .join('\n')
}

function turnOf(value: unknown): Turn | null {
  const fields = fieldsOf(value)
  const speaker = fields && own(fields, speakers)
  if (!fields || typeof speaker !== 'string') return null
  const content = own(fields, contents)
  return { speaker, content: content === null ? '' : (contentOf(content) ?? '') }
}

/** The turns of a conversation; null where the value is none. */
function turnsOf(value: unknown): readonly Turn[] | null {
  const list = listOf(value)
  if (!list || list.length === 0 || list.length > mostTurns) return null
  const turns = list.map(turnOf)
  return turns.every((t) => t !== null) ? turns : null
}

export const isChat = (value: unknown): boolean => turnsOf(value) !== null

const sideOf = (turns: readonly Turn[], side: Side): string | null =>
  turns
    .filter((t) => answering.test(t.speaker) === (side === 'response') && t.content !== '')
    .map((t) => t.content)
    .join('\n\n') || null

/** The same cells, with one side of each conversation in the place of its list. */
export function chatCells(cells: Cells, side: Side): Cells {
  if (cells.kind !== 'values' || !cells.values.some((v) => typeof v === 'object' && v !== null)) return cells
  return {
    kind: 'values',
    values: cells.values.map((value) => {
      const turns = typeof value === 'object' && value !== null ? turnsOf(value) : null
      return turns ? sideOf(turns, side) : value
    }),
  }
}

/** Several columns of text as one, what is there of them, parted by a blank line: an instruction and its input. */
export function joinedCells(columns: readonly Cells[], rows: number, text: (cells: Cells, i: number) => unknown): Cells {
  return {
    kind: 'values',
    values: Array.from({ length: rows }, (_, i) => {
      const parts = columns.map((c) => text(c, i))
      const odd = parts.find((p) => p !== null && p !== undefined && typeof p !== 'string')
      return odd === undefined ? parts.filter((p) => typeof p === 'string' && p !== '').join('\n\n') : odd
    }),
  }
}

const separator = '\n\n'

/** A turn with another content, of the kind that it had: of a list of parts the text parts become one. */
function withContent(turn: unknown, content: string): unknown {
  const fields = turn as Readonly<Record<string, unknown>>
  const key =
    contents.find((name) => fields[name] !== undefined && fields[name] !== null) ?? (fields.from === undefined ? 'content' : 'value')
  const old = fields[key]
  const isText = (part: unknown): boolean => typeof part === 'string' || typeof (part as { readonly text?: unknown })?.text === 'string'
  return { ...fields, [key]: Array.isArray(old) ? [{ type: 'text', text: content }, ...old.filter((part) => !isText(part))] : content }
}

/**
 * A conversation out of JSON in which one side says `text` in all. Turns that still say what they said stay as they are. A value that is no conversation becomes the text.
 */
export function withSide(value: unknown, side: Side, text: string): unknown {
  const turns = turnsOf(value)
  if (!turns) return text
  const list = value as readonly unknown[]
  const own = [...turns.keys()].filter(
    (i) => answering.test(turns[i]?.speaker as string) === (side === 'response') && turns[i]?.content !== '',
  )
  if (own.length === 0) {
    const by = speakers.find((name) => (list[0] as Record<string, unknown>)[name] !== undefined) as string
    const said =
      by === 'from'
        ? { from: side === 'response' ? 'gpt' : 'human', value: text }
        : { [by]: side === 'response' ? 'assistant' : 'user', content: text }
    return side === 'response' ? [...list, said] : [said, ...list]
  }
  const said = own.map((i) => turns[i]?.content as string)
  const spread = spreadText(said, text)
  return list.map((turn, i) => {
    const k = own.indexOf(i)
    return k < 0 || spread[k] === said[k] ? turn : withContent(turn, spread[k] as string)
  })
}

/**
 * Parts that are `text` once the empty ones are left out and the rest joined by blank lines. Parts at the beginning and the end that the text still
 * has stay as they are; of the others the first gets what is left, and the rest nothing.
 */
export function spreadText(parts: readonly string[], text: string): string[] {
  const part = (k: number): string => parts[k] as string
  let [first, last, rest] = [0, parts.length - 1, text]
  for (; first < last && rest.startsWith(part(first) + separator); first++) rest = rest.slice(part(first).length + separator.length)
  for (; last > first && rest.endsWith(separator + part(last)); last--) rest = rest.slice(0, -(part(last).length + separator.length))
  return parts.map((old, k) => (k < first || k > last ? old : k === first ? rest : ''))
}
