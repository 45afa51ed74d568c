const powers = ['', 'k', 'm', 'g', 't', 'p'] as const

/** Bytes that a `contentSize` may mean. Equal where it is exact. */
export interface SizeRange {
  readonly low: number
  readonly high: number
}

/**
 * `contentSize` of schema.org: "13510573713 B", "8813", 8813, "4.698 MB", "97.73 TiB", "1,2 GB".
 * A rounded size means every size that rounds to it, with units of 1,000 or, where "KB" may mean so, of 1,024; null for what is no size.
 */
export function sizeRange(value: unknown): SizeRange | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? { low: value, high: value } : null
  if (typeof value !== 'string' || value.length > 64) return null
  const match = /^\s*(\d{1,18}(?:,\d{3})*)(?:[.,](\d{1,12}))?\s*(?:(bytes?|b)|([kmgtp])(i?)b?)?\s*$/i.exec(value)
  if (!match) return null
  const [, whole = '', fraction = '', , unit = '', binary = ''] = match
  const number = Number(`${whole.replaceAll(',', '')}.${fraction || '0'}`)
  const power = powers.indexOf(unit.toLowerCase() as (typeof powers)[number])
  if (power === 0) return fraction === '' && Number.isSafeInteger(number) ? { low: number, high: number } : null
  // as coarse as its last digit; a cut size is as common as a rounded one
  const step = 10 ** -fraction.length
  const smallest = binary ? 1024 ** power : 1000 ** power
  return { low: Math.max(0, Math.floor((number - step) * smallest)), high: Math.ceil((number + step) * 1024 ** power) }
}
