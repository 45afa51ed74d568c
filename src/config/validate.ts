import type * as z from 'zod'
import { formatKey, issueAt, type KeyPath, type YamlFile } from './document.ts'
import { ConfigError, type ConfigIssue } from './errors.ts'
import { nearest } from './nearest.ts'

type Issue = z.core.$ZodIssue
interface Def {
  readonly type: string
  readonly shape?: Readonly<Record<string, Schema>>
  readonly element?: Schema
  readonly valueType?: Schema
  readonly innerType?: Schema
  readonly options?: readonly Schema[]
}
interface Schema {
  readonly def: Def
}

/** The alternatives that a schema stands for, without wrappers. */
function unwrap(schema: Schema): readonly Schema[] {
  if (schema.def.innerType) return unwrap(schema.def.innerType)
  if (schema.def.type === 'union') return (schema.def.options ?? []).flatMap(unwrap)
  return [schema]
}

const child = (schema: Schema, part: string | number): readonly Schema[] =>
  unwrap(schema).flatMap(({ def }) => {
    const next = typeof part === 'number' ? def.element : def.type === 'record' ? def.valueType : def.shape?.[part]
    return next ? [next] : []
  })

function keysAt(schema: Schema, path: KeyPath): readonly string[] {
  let here: readonly Schema[] = [schema]
  for (const part of path) here = here.flatMap((s) => child(s, part))
  return here.flatMap(unwrap).flatMap(({ def }) => Object.keys(def.shape ?? {}))
}

/** Where else the schema knows a key of this name: `gate.fail-on`, `sources[].columns`. */
function placesOf(schema: Schema, key: string, prefix = ''): readonly string[] {
  return unwrap(schema).flatMap(({ def }) => [
    ...Object.entries(def.shape ?? {}).flatMap(([name, value]) => [
      ...(name === key && prefix ? [prefix] : []),
      ...placesOf(value, key, prefix ? `${prefix}.${name}` : name),
    ]),
    ...(def.element ? placesOf(def.element, key, prefix) : []),
  ])
}

const valueAt = (value: unknown, path: KeyPath): unknown => {
  let here = value
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined
    here = (here as Record<string | number, unknown>)[part]
  }
  return here
}

function describe(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return value.length ? 'a list' : 'an empty list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string') return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}...` : JSON.stringify(value)
  return String(value)
}

/** Of a union's failures, the one of the alternative that the value was meant to be. */
function pick(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.find((branch) => branch.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'))
  if (!meant) return [issue]
  return meant.flatMap(pick).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue)
}

function hintFor(issue: Issue, value: unknown): string | null {
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const near = nearest(value, issue.values.map(String))
    return near ? `did you mean ${near}?` : null
  }
  const wantsText =
    issue.code === 'invalid_union'
      ? issue.errors.some((b) => b.some((e) => e.code === 'invalid_type' && e.expected === 'string'))
      : issue.code === 'invalid_type' && issue.expected === 'string'
  if (wantsText && (typeof value === 'number' || typeof value === 'boolean')) return `put it in quotes: '${value}'`
  return null
}

function toIssues(schema: Schema, yaml: YamlFile, issue: Issue): readonly ConfigIssue[] {
  const path = issue.path as KeyPath
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path).filter((key) => !Object.hasOwn((valueAt(yaml.value, path) as object | undefined) ?? {}, key))
    return issue.keys.map((key) => {
      const near = nearest(key, known)
      const elsewhere = placesOf(schema, key)[0]
      const hint = near
        ? `did you mean ${near}?`
        : elsewhere
          ? `${key} belongs under ${elsewhere}`
          : known.length
            ? `known here: ${known.join(', ')}`
            : null
      return issueAt(yaml, [...path, key], 'is not a known key', { hint, on: 'key' })
    })
  }
  const value = valueAt(yaml.value, path)
  if (issue.code === 'custom') return [issueAt(yaml, path, issue.message, { on: 'key' })]
  const missing = value === undefined
  const message = missing ? `is missing: expected ${issue.message}` : `expected ${issue.message}, found ${describe(value)}`
  return [issueAt(yaml, path, message, { hint: missing ? null : hintFor(issue, value), on: missing ? 'key' : 'value' })]
}

/**
 * Checks a file against its schema.
 * @throws ConfigError with every mistake, each with its line and column
 */
export function validate<T extends z.ZodType>(schema: T, yaml: YamlFile): z.output<T> {
  const result = schema.safeParse(yaml.value)
  if (result.success) return result.data
  const issues = result.error.issues.flatMap(pick).flatMap((issue) => toIssues(schema as unknown as Schema, yaml, issue))
  throw new ConfigError(
    'invalid-config',
    issues.sort((a, b) => a.line - b.line || a.column - b.column),
  )
}

export const unknownDetector = (yaml: YamlFile, path: KeyPath, id: string, known: readonly string[], on: 'key' | 'value'): ConfigIssue => {
  const near = nearest(id, known)
  return issueAt(yaml, path, `${formatKey([id])} is not a detector`, {
    hint: near ? `did you mean ${near}?` : `known: ${known.join(', ')}`,
    on,
  })
}
