import { plainDecimal } from '../../math/decimal.ts'

/** An instant: milliseconds since 1970, and the nanoseconds beyond them (0..999,999). */
export interface Instant {
  readonly ms: number
  readonly nanos: number
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const integer = /^[+-]?\d+$/
const special: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
}

/** Decimal notation, NaN and infinities in any case; undefined where the text is no number. */
export function parseFloat64(text: string): number | undefined {
  const plain = plainDecimal(text)
  if (plain - plain === 0) return plain
  const trimmed = text.trim()
  if (decimal.test(trimmed)) return Number(trimmed)
  const sign = /^[+-]/.test(trimmed) ? trimmed[0] : ''
  const found = special[trimmed.slice(sign ? 1 : 0).toLowerCase()]
  return found === undefined ? undefined : sign === '-' ? -found : found
}

/** An integer of any size, exactly; also `1.0` and `1e3`. Undefined where the text is no integer. */
export function parseInteger(text: string): number | bigint | undefined {
  const plain = plainDecimal(text)
  if (Number.isInteger(plain)) return plain
  const trimmed = text.trim()
  if (integer.test(trimmed)) {
    const digits = trimmed.replace(/^\+/, '')
    return digits.length > 1000 ? undefined : narrow(BigInt(digits))
  }
  const value = decimal.test(trimmed) ? Number(trimmed) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

/** A double where that is exact, else the integer itself. */
export const narrow = (value: bigint): number | bigint => {
  const double = Number(value)
  return Number.isFinite(double) && BigInt(double) === value ? double : value
}

const bools: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  '1': true,
  false: false,
  f: false,
  no: false,
  n: false,
  '0': false,
}

export const parseBool = (text: string): boolean | undefined => {
  const word = text.trim().toLowerCase()
  return Object.hasOwn(bools, word) ? bools[word] : undefined
}

const iso = /^([+-]?\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/i

/** ISO 8601 dates and times (without a zone: UTC), or an epoch as `fromEpoch` takes it; undefined where the text is no time. */
export function parseTime(text: string): Instant | undefined {
  const match = iso.exec(text.trim())
  if (!match) {
    const epoch = parseFloat64(text)
    return epoch === undefined ? undefined : fromEpoch(epoch)
  }
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = ''] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const isDate = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  if (!isDate || Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60) return undefined
  const digits = fraction.padEnd(9, '0')
  const offset = /^[+-]/.test(zone)
    ? Number(`${zone[0]}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0))
    : 0
  const ms =
    date.getTime() + Number(hour) * 3_600_000 + (Number(minute) - offset) * 60_000 + Number(second) * 1000 + Number(digits.slice(0, 3))
  return Number.isFinite(ms) ? { ms, nanos: Number(digits.slice(3)) } : undefined
}

/** Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size (times from 1973 to 5138 are certain). */
export function fromEpoch(value: number | bigint): Instant | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  const size = Math.abs(Number(value))
  if (size < 1e11) return split(Number(value) * 1000)
  if (size < 1e14) return split(Number(value))
  const whole = BigInt(typeof value === 'number' ? Math.trunc(value) : value)
  const nanos = size < 1e17 ? whole * 1000n : whole
  const rest = ((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n
  return { ms: Number((nanos - rest) / 1_000_000n), nanos: Number(rest) }
}

function split(value: number): Instant {
  const ms = Math.floor(value)
  return { ms, nanos: Math.round((value - ms) * 1000) * 1000 }
}
