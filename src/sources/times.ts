/** ISO 8601 in UTC; null where no calendar reaches. */
export const isoTime = (ms: number): string | null => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : null)

/**
 * The same of a whole number of units since 1970, `digits` of them a second's fraction: 3 are milliseconds. As many digits
 * are shown as the value has beyond milliseconds.
 */
export function isoInstant(value: bigint, digits: 0 | 3 | 6 | 9): string | null {
  const nanos = value * 10n ** BigInt(9 - digits)
  const rest = ((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n
  const text = isoTime(Number((nanos - rest) / 1_000_000n))
  return text === null || rest === 0n ? text : `${text.slice(0, -1)}${String(rest).padStart(6, '0').replace(/0+$/, '')}Z`
}
