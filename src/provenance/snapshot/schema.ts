import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import type { ColumnInfo } from '../../contracts/data.ts'
import { type FieldType, fieldTypes, type RecordSchema } from '../../contracts/snapshot.ts'
import { SnapshotError } from './errors.ts'

/** A declared type, taken apart: `float32[512]` is a list of exactly 512, `int64[]` one of any length. */
export interface FieldSpec {
  readonly type: FieldType
  readonly list: boolean
  readonly length: number | null
}

/** Every value by its own kind. Texts for missing values play no part. */
export const noSchema: RecordSchema = { columns: null, nulls: [] }

const defaultNulls: readonly string[] = ['NA', 'N/A', 'null', 'NULL', 'None', '<NA>']
const notation = /^([a-z0-9]+)(\[(\d{0,9})\])?$/

export function parseFieldType(text: string): FieldSpec | null {
  const match = notation.exec(text)
  const type = fieldTypes.find((t) => t === match?.[1])
  if (!match || !type) return null
  return { type, list: match[2] !== undefined, length: match[3] ? Number(match[3]) : null }
}

const shape = z.strictObject({ columns: z.record(z.string(), z.string()), nulls: z.array(z.string()).optional() })

/**
 * A schema file (YAML or JSON): `columns:` with a type for each, `nulls:` with the texts that stand for a missing value.
 * @throws SnapshotError `invalid-schema` with file and line
 */
export function parseSchema(text: string, file: string): RecordSchema {
  const lines = new LineCounter()
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const fail = (message: string, at: number | undefined): never => {
    const line = at === undefined ? 1 : lines.linePos(at).line
    throw new SnapshotError(
      'invalid-schema',
      `${file}:${line}: ${message}`,
      { file, line },
      `types: ${fieldTypes.join(', ')}; lists as float32[512] or int64[]`,
    )
  }
  const [error] = yaml.errors
  if (error) return fail(error.message, error.pos[0])
  const offset = (path: readonly PropertyKey[]): number | undefined =>
    (yaml.getIn(path as unknown[], true) as { range?: readonly number[] } | undefined)?.range?.[0]
  const parsed = shape.safeParse(yaml.toJS({ maxAliasCount: 0 }))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return fail(`${issue?.path.map(String).join('.') || 'the schema'}: ${issue?.message ?? 'malformed'}`, offset(issue?.path ?? []))
  }
  for (const [column, type] of Object.entries(parsed.data.columns)) {
    if (!parseFieldType(type)) fail(`columns.${column}: ${JSON.stringify(type)} is no type`, offset(['columns', column]))
  }
  return { columns: parsed.data.columns, nulls: parsed.data.nulls ?? defaultNulls }
}

/** By what formats call their types: DuckDB, Arrow, numpy, and our own kinds of text cells. */
const known: readonly (readonly [RegExp, FieldType])[] = [
  [/^(varchar|text|string|str|bytes|(large)?utf8(view)?|uuid|enum.*|dictionary<.*utf8.*>)$/, 'text'],
  [/^decimal[([](1[0-5]|\d)\D.*$/, 'float64'],
  [/^decimal.*$/, 'text'],
  [/^u?(tiny|small|big|huge)?int(eger)?(8|16|32|64)?$/, 'int64'],
  [/^(float|real|float16|float32|half)$/, 'float32'],
  [/^(double|float64|number)$/, 'float64'],
  [/^bool(ean)?$/, 'bool'],
  [/^(blob|(large|fixedsize)?binary(view)?(\[\d+\])?|encoded image)$/, 'binary'],
  [/^(timestamp.*|date.*)$/, 'timestamp'],
]

function typeFor(name: string): string | null {
  const text = name.toLowerCase().replaceAll(/\s/g, '')
  const arrow = /^(fixedsizelist\[(\d+)\]|large?list|list)<(.*)>(\[(\d+)\])?$/.exec(text)
  const listed = arrow ? [arrow[3], arrow[2] ?? arrow[5] ?? ''] : null
  const numpy = /^([a-z]+\d*)\[(\d+(?:,\d+)*)\]$/.exec(text)
  const duckdb = /^(.*[^\d,[])\[(\d*)\]$/.exec(text)
  const scalar = known.find(([pattern]) => pattern.test(text))?.[1]
  if (scalar) return scalar
  if (numpy && /^(u?int|float|bool|str|bytes)/.test(text)) {
    const [, ...axes] = (numpy[2] as string).split(',').map(Number)
    const item = typeFor(numpy[1] as string)
    const dims = axes.reduce((a, b) => a * b, 1)
    return item && (dims === 1 ? item : `${item}[${dims}]`)
  }
  const [item, length] = listed ?? [duckdb?.[1], duckdb?.[2] ?? '']
  const inner = item === undefined ? null : known.find(([pattern]) => pattern.test(item))?.[1]
  return inner ? `${inner}[${length}]` : null
}

/** The schema that a typed source suggests; columns of a type that it cannot say are left out and count by value. */
export function inferSchema(columns: readonly ColumnInfo[]): RecordSchema {
  const found = columns.flatMap(({ name, type }) => {
    const declared = typeFor(type)
    return declared === null ? [] : [[name, declared] as const]
  })
  return { columns: Object.fromEntries(found), nulls: defaultNulls }
}
