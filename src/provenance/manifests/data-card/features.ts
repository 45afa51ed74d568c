import { type Dictionary, isDictionary, list, property, string } from '../structured.ts'

export interface Features {
  readonly columns: readonly { readonly name: string; readonly type: string | null }[] | null
  /** Of the only column that is a class; null where there is none or more than one. */
  readonly classNames: readonly string[] | null
}

const maxFeatures = 10_000
const maxClasses = 100_000

/** Features as YAML cards list them (`{name, dtype}`) and as JSON has them (`{column: {_type, dtype}}`). */
export function columnsOfFeatures(value: unknown): Features {
  const named = Array.isArray(value)
    ? value.flatMap((item) =>
        isDictionary(item) && typeof property(item, 'name') === 'string' ? [[String(property(item, 'name')), item] as const] : [],
      )
    : isDictionary(value)
      ? Object.entries(value).flatMap(([name, item]) => (isDictionary(item) || Array.isArray(item) ? [[name, item] as const] : []))
      : []
  const features = named.slice(0, maxFeatures)
  const classes = features.flatMap(([, item]) => (isDictionary(item) ? [classNamesOf(item)] : [])).filter((names) => names !== null)
  return {
    columns: features.length === 0 ? null : features.map(([name, item]) => ({ name, type: typeOf(item) })),
    classNames: classes.length === 1 ? (classes[0] ?? null) : null,
  }
}

function typeOf(item: Dictionary | readonly unknown[]): string | null {
  if (Array.isArray(item)) return 'list'
  if (!isDictionary(item)) return null
  const kind = string(property(item, '_type'))
  const dtype = property(item, 'dtype')
  if (classNamesOf(item) !== null) return 'class'
  if (['sequence', 'list', 'feature'].some((key) => property(item, key) !== undefined) || kind === 'Sequence' || kind === 'List')
    return 'list'
  if (property(item, 'struct') !== undefined) return 'object'
  if (typeof dtype === 'string') return dtype
  return kind ?? (dtype === undefined && kind === null ? 'object' : null)
}

/** `dtype: {class_label: {names: {'0': 'cat'}}}` or `{_type: ClassLabel, names: [...]}`; in the order of the codes. */
function classNamesOf(item: Dictionary): string[] | null {
  const label = property(property(item, 'dtype'), 'class_label')
  const names = property(label === undefined && property(item, '_type') === 'ClassLabel' ? item : label, 'names')
  if (Array.isArray(names)) return texts(names)
  if (!isDictionary(names)) return label === undefined ? null : []
  const codes = Object.keys(names)
  if (!codes.every((code) => /^\d{1,9}$/.test(code))) return texts(Object.values(names))
  return texts(codes.sort((a, b) => Number(a) - Number(b)).map((code) => names[code]))
}

const texts = (values: readonly unknown[]): string[] =>
  list(values)
    .slice(0, maxClasses)
    .map((value) => String(typeof value === 'object' ? '' : value))
