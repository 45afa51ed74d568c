import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import Papa from 'papaparse'
import { sameValue } from '../../statistics/claims/extract.ts'
import type { Units } from '../../statistics/claims/units.ts'

/** What an owner vouches for of one subject and measure, in the base unit. */
export interface Vouched {
  readonly subject: string
  readonly measures: string
  readonly relations: readonly string[]
  readonly values: readonly number[]
}

const mostBytes = 16 * 2 ** 20
const columns = ['subject', 'relation', 'object', 'value', 'unit'] as const

/** `500 mg/kg` of the table as what is measured and how much; null where the unit is unknown. */
function inBase(value: string, unit: string, units: Units): { readonly measures: string; readonly value: number } | null {
  const [name = '', ...rates] = unit.trim().split('/')
  const known = units[name.toLowerCase()]
  const number = Number(value.replaceAll(',', ''))
  if (!known || value.trim() === '' || !Number.isFinite(number) || number <= 0) return null
  const rate =
    rates.map((r) => `/${{ kg: 'kg', dl: 'dL', ml: 'mL', l: 'L' }[r.trim().toLowerCase()] ?? ''}`).find((r) => r.length > 1) ?? ''
  return { measures: known.measures + rate, value: sameValue(number * known.factor) }
}

/**
 * An owner's table of claims: CSV with the columns subject, relation, object, value, unit. Rows with a value are read.
 * @throws Error with the line, where the file is too large, a column is missing, or a value has no known unit
 */
export function readTable(path: string, units: Units): readonly Vouched[] {
  const name = basename(path)
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) throw new Error(`table ${name}: no such file`)
  if (size > mostBytes) throw new Error(`table ${name}: larger than ${mostBytes} bytes`)
  const parsed = Papa.parse<Record<string, string>>(readFileSync(path, 'utf8').replace(/^\ufeff/, ''), {
    header: true,
    skipEmptyLines: true,
  })
  const absent = columns.filter((c) => c !== 'relation' && c !== 'object' && !parsed.meta.fields?.includes(c))
  if (absent.length > 0) throw new Error(`table ${name}: no column ${absent.join(', ')}; the columns are ${columns.join(', ')}`)
  const by = new Map<string, { subject: string; measures: string; relations: Set<string>; values: Set<number> }>()
  parsed.data.forEach((row, i) => {
    const subject = row.subject?.trim().toLowerCase() ?? ''
    if (!row.value?.trim()) return
    const base = inBase(row.value, row.unit ?? '', units)
    if (!base || subject === '') throw new Error(`table ${name}: line ${i + 2}: a subject, a positive value and a known unit are expected`)
    const key = `${subject}\t${base.measures}`
    const own = by.get(key) ?? { subject, measures: base.measures, relations: new Set(), values: new Set() }
    own.values.add(base.value)
    if (row.relation?.trim()) own.relations.add(row.relation.trim())
    by.set(key, own)
  })
  return [...by.values()].map((v) => ({ ...v, relations: [...v.relations].sort(), values: [...v.values].sort((a, b) => a - b) }))
}
