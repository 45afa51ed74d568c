const powers = Array.from({ length: 23 }, (_, i) => 10 ** i)

/**
 * Plain decimals of up to 15 digits: an exact integer over an exact power of ten is rounded once, so the result is that of
 * `Number` (Clinger 1990, fast path), several times sooner. NaN for everything else.
 */
export function plainDecimal(text: string): number {
  const length = text.length
  const negative = text.charCodeAt(0) === 45
  const start = negative ? 1 : 0
  if (length - start > 16 || length === start) return Number.NaN
  let mantissa = 0
  let point = -1
  for (let i = start; i < length; i++) {
    const c = text.charCodeAt(i) - 48
    if (c >= 0 && c <= 9) mantissa = mantissa * 10 + c
    else if (c === -2 && point < 0) point = i
    else return Number.NaN
  }
  const digits = length - start - (point < 0 ? 0 : 1)
  if (digits === 0 || digits > 15) return Number.NaN
  const value = point < 0 ? mantissa : mantissa / (powers[length - 1 - point] as number)
  return negative ? -value : value
}
