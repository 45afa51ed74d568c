import type { DeclaredFacts } from '../../../contracts/provenance.ts'
import { isDictionary, list, property, wholeNumber } from '../structured.ts'
import type { Node, Terms } from './json-ld.ts'
import { localName, nodes, textOf } from './json-ld.ts'

const maxRecordSets = 1_000
const maxFields = 10_000

/** What record sets say of the rows: columns with types, and counts where a publisher gives them. Splits and enumerations are words, not rows. */
export function recordSetFacts(dataset: Node, terms: Terms, file: string): DeclaredFacts[] {
  const facts: DeclaredFacts[] = []
  for (const set of nodes(dataset.get('recordSet'), terms).slice(0, maxRecordSets)) {
    const kinds = list(set.get('dataType')).flatMap((type) => (typeof type === 'string' ? [localName(type, terms)] : []))
    const name = textOf(set.get('name')) ?? set.id ?? 'without a name'
    if (kinds.includes('Split')) {
      const splits = splitCounts(set)
      if (splits) facts.push({ ...nothing, splits, by: `${file}, record set ${name}` })
      continue
    }
    if (set.get('isEnumeration') === true || kinds.includes('Enumeration')) continue
    const columns = nodes(set.get('field'), terms)
      .slice(0, maxFields)
      .flatMap((field) => columnOf(field, terms))
    const data = set.get('data')
    const rows =
      wholeNumber(set.get('numberOfExamples')) ?? wholeNumber(set.get('numberOfRecords')) ?? (Array.isArray(data) ? data.length : null)
    if (columns.length === 0 && rows === null) continue
    facts.push({ ...nothing, rows, columns: columns.length === 0 ? null : columns, by: `${file}, record set ${name}` })
  }
  return facts
}

const nothing = { rows: null, classes: null, columns: null, splits: null, files: null }

/** The column of the file where the source names one, else the name of the field. Fields made from a file's name or bytes are no columns. */
function columnOf(field: Node, terms: Terms): { readonly name: string; readonly type: string | null }[] {
  const [source] = nodes(field.get('source'), terms)
  const [extract] = nodes(source?.get('extract'), terms)
  if (extract?.get('fileProperty') !== undefined) return []
  const name = textOf(extract?.get('column')) ?? lastPart(textOf(field.get('name')) ?? field.id)
  if (name === null) return []
  const types = list(field.get('dataType')).flatMap((type) => (typeof type === 'string' ? [localName(type, terms)] : []))
  const many = field.get('repeated') === true || field.get('isArray') === true || field.get('subField') !== undefined
  return [{ name, type: many ? 'list' : (types[0] ?? null) }]
}

const lastPart = (name: string | null): string | null => (name === null ? null : name.slice(name.lastIndexOf('/') + 1))

/** Rows by split, where the inline records of a split have a count beside its name. */
function splitCounts(set: Node): Record<string, number> | null {
  const counts = new Map<string, number>()
  for (const item of list(set.get('data')).slice(0, maxFields)) {
    if (!isDictionary(item)) continue
    const name = Object.entries(item).find(([key, value]) => typeof value === 'string' && /name$/.test(key))?.[1]
    const key = Object.keys(item).find((each) => /(?:^|[/_])num(?:ber_of)?_(?:examples|records|rows)$|numberOfExamples$/.test(each))
    const count = key === undefined ? null : wholeNumber(property(item, key))
    if (typeof name === 'string' && count !== null) counts.set(name, count)
  }
  return counts.size === 0 ? null : Object.fromEntries(counts)
}
