import type { DeclaredFacts, FactCheck, ReadFacts } from '../../contracts/provenance.ts'

export const number = (count: number): string => count.toLocaleString('en')

const check = (by: string, name: string, declared: string, read: string | null, agrees: boolean | null): FactCheck => ({
  by,
  name,
  declared,
  read,
  agrees,
})

/** A count beside what was read; null where nothing was. */
export const countCheck = (by: string, name: string, declared: number, read: number | null): FactCheck =>
  check(by, name, number(declared), read === null ? null : number(read), read === null ? null : read === declared)

const fold = (name: string): string => name.normalize('NFC').trim().toLowerCase()

/** Read name by declared name, exact spelling first, then the only one in another; others stay unmatched. */
function matched(declared: readonly string[], read: readonly string[]): Map<string, string> {
  const pairs = new Map(declared.filter((name) => read.includes(name)).map((name) => [name, name]))
  const free = read.filter((name) => !pairs.has(name))
  for (const name of declared) {
    if (pairs.has(name)) continue
    const same = free.filter((other) => fold(other) === fold(name))
    const rivals = declared.filter((other) => !pairs.has(other) && fold(other) === fold(name))
    if (same.length === 1 && rivals.length === 1) pairs.set(name, same[0] as string)
  }
  return pairs
}

/** Where the data write codes: "0" is the first of the declared names, and so on. Only where every label is such a code and no name is. */
function byPosition(declared: readonly string[], read: readonly string[]): Map<string, string> | null {
  const isCode = (label: string) => /^\d{1,9}$/.test(label) && Number(label) < declared.length
  if (read.length === 0 || !read.every(isCode) || declared.some((name) => /^-?\d+(?:\.\d+)?$/.test(name.trim()))) return null
  const codes = new Map(read.map((label) => [declared[Number(label)] as string, label]))
  return codes.size === read.length ? codes : null
}

const spelled = (name: string, read: string | undefined): string =>
  read === undefined || read === name ? name : `${name} (read as ${read})`

const pairsOf = (declared: readonly string[], read: readonly string[]): Map<string, string> =>
  byPosition(declared, read) ?? matched(declared, read)

/** Rows by class: each declared class, then each class that nobody declared. */
export function classChecks({ by, classes, classNames }: DeclaredFacts, labels: ReadFacts['labels']): FactCheck[] {
  if (classes === null) return classNames === undefined ? [] : nameChecks(by, classNames, labels)
  const declared = Object.entries(classes)
  if (labels === null) return declared.map(([name, count]) => countCheck(by, `rows of class ${name}`, count, null))
  const counts = new Map(labels.map(({ name, count }) => [name, count]))
  const pairs = pairsOf(
    declared.map(([name]) => name),
    [...counts.keys()],
  )
  const known = declared.map(([name, count]) =>
    countCheck(by, `rows of class ${spelled(name, pairs.get(name))}`, count, counts.get(pairs.get(name) ?? '') ?? 0),
  )
  const used = new Set(pairs.values())
  const others = labels
    .filter(({ name }) => !used.has(name))
    .map(({ name, count }) => check(by, `rows of class ${name}`, 'no such class', number(count), false))
  return [...known, ...others]
}

/** Classes declared without counts: none may be absent, no other may be there. */
function nameChecks(by: string, names: readonly string[], labels: ReadFacts['labels']): FactCheck[] {
  const pairs = pairsOf(
    names,
    (labels ?? []).map(({ name }) => name),
  )
  const used = new Set(pairs.values())
  const known = names.map((name) => {
    const read = labels === null ? null : pairs.has(name) ? 'there' : 'not there'
    return check(by, `class ${spelled(name, pairs.get(name))}`, 'there', read, read === null ? null : read === 'there')
  })
  const others = (labels ?? [])
    .filter(({ name }) => !used.has(name))
    .map(({ name, count }) => check(by, `class ${name}`, 'no such class', `${number(count)} rows`, false))
  return [...known, ...others]
}

/** The declared split whose name a shard has as a word: "train" for `train-00000-of-00002.parquet` and `data.npz#train`; null for none or two. */
function splitOf(shard: string, names: readonly string[]): string | null {
  const words = new Set(fold(shard.slice(shard.lastIndexOf('#') + 1)).split(/[^\p{L}\p{N}]+/u))
  const whole = names.filter((name) => fold(shard) === fold(name))
  const found = whole.length > 0 ? whole : names.filter((name) => words.has(fold(name)))
  return found.length === 1 ? (found[0] as string) : null
}

/** Rows, in all and by split. Where only some of the declared splits were read, the rows of those are what must be there. */
export function rowChecks({ by, rows, splits }: DeclaredFacts, read: ReadFacts): FactCheck[] {
  if (splits === null) return rows === null ? [] : [countCheck(by, 'rows', rows, read.rows)]
  const names = Object.keys(splits)
  const counts = new Map<string, number>()
  const shards = (read.splits ?? []).map(({ name, rows: count }) => ({ split: splitOf(name, names), count }))
  for (const { split, count } of shards) if (split !== null) counts.set(split, (counts.get(split) ?? 0) + count)
  if (shards.length === 0 || shards.some(({ split }) => split === null)) return wholeChecks(by, rows, splits, read.rows)
  const bySplit = names.map((name) => countCheck(by, `rows of split ${name}`, splits[name] as number, counts.get(name) ?? null))
  if (rows === null || counts.size < names.length) return bySplit
  return [countCheck(by, 'rows', rows, read.rows), ...bySplit]
}

/** Where the shards do not tell the splits: as many rows as one of them, or as all. */
function wholeChecks(by: string, rows: number | null, splits: Readonly<Record<string, number>>, read: number | null): FactCheck[] {
  const one = Object.entries(splits).find(([, count]) => count === read)
  if (one) return [countCheck(by, `rows of split ${one[0]}`, one[1], read)]
  return [countCheck(by, 'rows', rows ?? Object.values(splits).reduce((sum, count) => sum + count, 0), read)]
}

export type Family = 'number' | 'boolean' | 'time' | 'text' | 'list' | 'object'

/** What kind of value a type name stands for, in any of the vocabularies; null where it may be more than one. */
export function familyOf(type: string | null): Family | null {
  const name = (type ?? '').toLowerCase()
  if (/^(?:timestamp|date|time|duration)/.test(name)) return 'time'
  if (/list|sequence|array|\[/.test(name)) return 'list'
  if (/struct|object$|map\b|json/.test(name)) return /image|audio|video|media/.test(name) ? null : 'object'
  if (/bool/.test(name)) return 'boolean'
  if (/date|time|year|duration/.test(name)) return 'time'
  if (/(?:^|[:/]|u|big|huge|small|tiny|medium)int\d*\b|integer|long|short|float|double|decimal|number|numeric|real|half/.test(name))
    return 'number'
  if (/string|text|utf8|char|\burl$|\buri$|^str$/.test(name)) return 'text'
  return null
}

/** A file without types writes times, lists and numbers as text, and digits may be text: those are no disagreement. */
function compatible(declared: Family | null, read: Family | null): boolean {
  if (declared === null || read === null || declared === read) return true
  if (read === 'text') return declared !== 'number' && declared !== 'boolean'
  if (declared === 'text') return read !== 'list' && read !== 'object'
  const scalar = (family: Family) => family === 'number' || family === 'boolean' || family === 'time'
  return (scalar(declared) && scalar(read)) || (!scalar(declared) && !scalar(read))
}

/** Columns: missing ones, other ones, and values of another kind. A declared column may be read as its parts (`answers.text`). */
export function columnChecks({ by, columns }: DeclaredFacts, read: ReadFacts['columns']): FactCheck[] {
  if (columns === null) return []
  if (read === null) return columns.map(({ name, type }) => check(by, `column ${name}`, type ?? 'there', null, null))
  const pairs = matched(
    columns.map(({ name }) => name),
    read.map(({ name }) => name),
  )
  const parts = new Set<string>()
  const known = columns.map(({ name, type }) => {
    const found = read.find((column) => column.name === pairs.get(name))
    if (found)
      return check(
        by,
        `column ${spelled(name, found.name)}`,
        type ?? 'there',
        found.type ?? 'there',
        compatible(familyOf(type), familyOf(found.type)),
      )
    const inner = read.filter((column) => column.name.startsWith(`${name}.`))
    for (const column of inner) parts.add(column.name)
    return check(by, `column ${name}`, type ?? 'there', inner.length > 0 ? 'in parts' : 'not there', inner.length > 0)
  })
  const used = new Set(pairs.values())
  const others = read
    .filter(({ name }) => !used.has(name) && !parts.has(name))
    .map(({ name, type }) => check(by, `column ${name}`, 'no such column', type ?? 'there', false))
  return [...known, ...others]
}

export function fileChecks({ by, files }: DeclaredFacts, read: ReadFacts['files']): FactCheck[] {
  const sizes = new Map((read ?? []).map(({ path, bytes }) => [path, bytes]))
  return (files ?? []).map(({ path, bytes }) => {
    const there = sizes.get(path)
    const text = read === null ? null : there === undefined ? 'not there' : `${number(there)} bytes`
    return check(by, `size of ${path}`, `${number(bytes)} bytes`, text, read === null ? null : there === bytes)
  })
}

/** Declared columns that were read, under any spelling. */
export function overlap({ columns }: DeclaredFacts, read: ReadFacts['columns']): number {
  if (columns === null || read === null) return 0
  const names = new Set(read.flatMap(({ name }) => [fold(name), fold(name.split('.')[0] as string)]))
  return columns.filter(({ name }) => names.has(fold(name))).length
}
