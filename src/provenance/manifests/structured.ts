import { Lexer, LineCounter, Parser, parseDocument } from 'yaml'
import type { Place } from '../../contracts/errors.ts'
import type { ProblemCode } from '../../contracts/provenance.ts'

export type Tree = { readonly value: unknown } | { readonly code: ProblemCode; readonly message: string; readonly place: Place }

export interface TreeLimits {
  readonly maxDepth: number
  /** Objects, lists and scalars together. */
  readonly maxNodes: number
}

const defaults: TreeLimits = { maxDepth: 64, maxNodes: 5_000_000 }

/** JSON from outside, bounded in depth and nodes. What is wrong comes back as text, with the line. */
export function parseJson(text: string, file: string, limits: TreeLimits = defaults): Tree {
  let value: unknown
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch (error) {
    const at = /position (\d+)/.exec((error as Error).message)
    const place = at ? { file, line: lineAt(text, Number(at[1])) } : { file }
    return { code: 'malformed', message: `${file} is not JSON.`, place }
  }
  return bounded(value, file, limits)
}

const maxYamlLength = 512 * 1024
const maxTagsInARow = 16

/**
 * YAML from outside, at most 512 KiB of it. Nesting is bounded before the parser composes its tree: it calls itself for every level,
 * and some hundred thousand levels end the process in a way that nothing can catch. Tags and anchors in a row cost it their square.
 */
export async function parseYaml(text: string, file: string, limits: TreeLimits = defaults): Promise<Tree> {
  const tooLarge = (message: string): Tree => ({ code: 'too-large', message: `${file} ${message}.`, place: { file } })
  if (text.length > maxYamlLength) return tooLarge(`has more than ${maxYamlLength.toLocaleString('en')} characters of YAML`)
  try {
    const parser = new Parser()
    let tags = 0
    for (const lexeme of new Lexer().lex(text)) {
      for (const _ of parser.next(lexeme));
      if (/^[!&]/.test(lexeme)) tags += 1
      else if (/\S/.test(lexeme)) tags = 0
      if (tags > maxTagsInARow) return tooLarge(`has more than ${maxTagsInARow} tags or anchors in a row`)
      if (parser.stack.length > 2 * limits.maxDepth) return tooLarge(`is nested deeper than ${limits.maxDepth} levels`)
    }
    const lines = new LineCounter()
    const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent', uniqueKeys: false })
    const [error] = document.errors
    if (error) return { code: 'malformed', message: `${file} is not YAML.`, place: { file, line: lines.linePos(error.pos[0]).line } }
    return bounded(document.toJS({ maxAliasCount: 100 }), file, limits)
  } catch {
    return { code: 'malformed', message: `${file} is not YAML that can be read within bounds.`, place: { file } }
  }
}

function lineAt(text: string, position: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

function bounded(value: unknown, file: string, { maxDepth, maxNodes }: TreeLimits): Tree {
  let level: unknown[] = [value]
  let nodes = 0
  for (let depth = 0; level.length > 0; depth += 1) {
    nodes += level.length
    if (depth > maxDepth) return { code: 'too-large', message: `${file} is nested deeper than ${maxDepth} levels.`, place: { file } }
    if (nodes > maxNodes)
      return { code: 'too-large', message: `${file} has more than ${maxNodes.toLocaleString('en')} values.`, place: { file } }
    const next: unknown[] = []
    for (const item of level) {
      if (typeof item === 'object' && item !== null) for (const child of Object.values(item)) next.push(child)
    }
    level = next
  }
  return { value }
}

export type Dictionary = Readonly<Record<string, unknown>>

export const isDictionary = (value: unknown): value is Dictionary => typeof value === 'object' && value !== null && !Array.isArray(value)

/** An own property: what a prototype holds is not in the file. */
export const property = (value: unknown, key: string): unknown =>
  isDictionary(value) && Object.hasOwn(value, key) ? value[key] : undefined

export const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

export const string = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** A count or a size: a whole number from 0 up, also where it is written as a string of digits. */
export function wholeNumber(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null
}
