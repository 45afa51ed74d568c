import { type Dictionary, isDictionary, list, property } from '../structured.ts'

/** Terms of an inline `@context`. A context behind an address is never fetched: its terms are known by their names. */
export type Terms = ReadonlyMap<string, string>

const maxExpansions = 8

/** Inline contexts of a document. The last one wins, as in JSON-LD. */
export function termsOf(context: unknown): Terms {
  const terms = new Map<string, string>()
  for (const part of list(context)) {
    if (!isDictionary(part)) continue
    for (const [term, value] of Object.entries(part)) {
      const iri = typeof value === 'string' ? value : property(value, '@id')
      if (typeof iri === 'string' && !term.startsWith('@')) terms.set(term, iri)
    }
  }
  return terms
}

/**
 * The last part of the IRI behind a key or a type: "sha256" for `sha256`, `sc:sha256`, `https://schema.org/sha256` and an alias of it.
 * Croissant and schema.org share no name with two meanings, so that the prefix need not be known.
 */
export function localName(key: string, terms: Terms): string {
  let iri = key
  for (let i = 0; i < maxExpansions; i += 1) {
    const next = terms.get(iri)
    if (next === undefined || next === iri) break
    iri = next
  }
  return iri.slice(Math.max(iri.lastIndexOf('/'), iri.lastIndexOf('#'), iri.lastIndexOf(':')) + 1)
}

/** An object of the document under the local names of its keys. */
export interface Node {
  readonly id: string | null
  readonly types: readonly string[]
  /** Undefined where the key is absent. */
  get(name: string): unknown
}

export function nodeOf(value: Dictionary, terms: Terms): Node {
  const byName = new Map<string, unknown>()
  for (const [key, item] of Object.entries(value)) {
    const name = localName(key, terms)
    // a key under its own name goes before an alias
    if (!byName.has(name) || key === name) byName.set(name, item)
  }
  const id = property(value, '@id')
  return {
    id: typeof id === 'string' ? id : null,
    types: list(property(value, '@type')).flatMap((type) => (typeof type === 'string' ? [localName(type, terms)] : [])),
    get: (name) => byName.get(name),
  }
}

/** Objects under a key, one or many. */
export const nodes = (value: unknown, terms: Terms): Node[] =>
  list(value).flatMap((item) => (isDictionary(item) ? [nodeOf(item, terms)] : []))

/** Text of a value: plain, `{"@value": ...}`, by language, or the first of a list; null for anything else. */
export function textOf(value: unknown): string | null {
  const [first] = list(value)
  if (typeof first === 'string') return first
  if (!isDictionary(first)) return null
  const inner = property(first, '@value') ?? property(first, 'en') ?? Object.values(first)[0]
  return typeof inner === 'string' ? inner : null
}

/** What a value refers to: `"repo"`, `{"@id": "repo"}`, or since 1.1 `{"fileObject": {"@id": "repo"}}`. */
export function references(value: unknown, terms: Terms): string[] {
  return list(value).flatMap((item) => {
    if (typeof item === 'string') return [item]
    if (!isDictionary(item)) return []
    const node = nodeOf(item, terms)
    if (node.id !== null) return [node.id]
    return ['fileObject', 'fileSet'].flatMap((key) => {
      const inner = node.get(key)
      const id = typeof inner === 'string' ? inner : property(inner, '@id')
      return typeof id === 'string' ? [id] : []
    })
  })
}
