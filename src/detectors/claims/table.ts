import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import Papa from 'papaparse'
import { sameValue } from '../../statistics/claims/extract.ts'
import type { Joined } from '../../statistics/claims/relations.ts'
import type { Units } from '../../statistics/claims/units.ts'

/** What an owner vouches for of one subject and measure, in the base unit. */
export interface Vouched {
  readonly subject: string
  readonly measures: string
  readonly relations: readonly string[]
  readonly values: readonly number[]
}

/** What an owner vouches for: amounts, and claims without a number. */
export interface OwnersTable {
  readonly amounts: readonly Vouched[]
  readonly joined: readonly Joined[]
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
 * An owner's table of claims: CSV with the columns subject, relation, object, value, unit. A row with a value vouches for an amount, any other for
 * what joins its subject and object.
 * @throws Error with the line, where the file is too large, a column is missing, a value has no known unit, or a row has neither value nor object
 */
export function readTable(path: string, units: Units): OwnersTable {
  const name = basename(path)
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) throw new Error(`table ${name}: no such file`)
  if (size > mostBytes) throw new Error(`table ${name}: larger than ${mostBytes} bytes`)
  const parsed = Papa.parse<Record<string, string>>(readFileSync(path, 'utf8').replace(/^\ufeff/, ''), {
    header: true,
    skipEmptyLines: true,
  })
  const has = (column: string): boolean => parsed.meta.fields?.includes(column) ?? false
  // A table without amounts needs no column for them, and one of amounts alone none for objects.
  const needed = has('object') && !has('value') ? ['subject'] : ['subject', 'value', 'unit']
  const absent = needed.filter((c) => !has(c))
  if (absent.length > 0) throw new Error(`table ${name}: no column ${absent.join(', ')}; the columns are ${columns.join(', ')}`)
  const by = new Map<string, { subject: string; measures: string; relations: Set<string>; values: Set<number> }>()
  const joined = new Map<string, Joined>()
  const said = (text: string | undefined): string => (text ?? '').trim().toLowerCase().replace(/\s+/g, ' ')
  parsed.data.forEach((row, i) => {
    const subject = said(row.subject)
    if (!row.value?.trim()) {
      const claim = { subject, relation: said(row.relation), object: said(row.object) }
      if (subject === '' || claim.object === '')
        throw new Error(`table ${name}: line ${i + 2}: a subject with a value or an object is expected`)
      joined.set(`${subject}\t${claim.relation}\t${claim.object}`, claim)
      return
    }
    const base = inBase(row.value, row.unit ?? '', units)
    if (!base || subject === '') throw new Error(`table ${name}: line ${i + 2}: a subject, a positive value and a known unit are expected`)
    const key = `${subject}\t${base.measures}`
    const own = by.get(key) ?? { subject, measures: base.measures, relations: new Set(), values: new Set() }
    own.values.add(base.value)
    if (row.relation?.trim()) own.relations.add(row.relation.trim())
    by.set(key, own)
  })
  return {
    amounts: [...by.values()].map((v) => ({ ...v, relations: [...v.relations].sort(), values: [...v.values].sort((a, b) => a - b) })),
    joined: [...joined.values()],
  }
}
