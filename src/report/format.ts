import { formatCount as whole } from '../math/count.ts'

/** Numbers for people, the same in every format and locale. */

export const formatCount = (n: number): string => (Number.isInteger(n) ? whole(n) : formatNumber(n))

/** Four significant digits; scientific below 1e-3 and from 1e6. */
export function formatNumber(n: number): string {
  if (!Number.isFinite(n)) return String(n)
  if (Number.isInteger(n) && Math.abs(n) < 1e15) return formatCount(n)
  const size = Math.abs(n)
  if (size < 1e-3 || size >= 1e6) return n.toExponential(1)
  return String(Number(n.toPrecision(4)))
}

/** `.0004` -> `4.0e-4`; `p` below the smallest double is a bound. */
export function formatP(p: number): string {
  if (p === 0) return '<1e-300'
  return p < 0.001 ? p.toExponential(1) : p.toFixed(3)
}

/** `p = 0.012`, `p < 1e-300` */
export const pEquals = (p: number): string => (p === 0 ? 'p < 1e-300' : `p = ${formatP(p)}`)

export function formatPercent(fraction: number): string {
  const percent = fraction * 100
  if (percent === 0 || percent === 100) return `${percent} %`
  if (percent < 0.01) return '<0.01 %'
  if (percent > 99.9 && percent < 100) return `${(Math.floor(percent * 1000) / 1000).toFixed(3)} %`
  return `${Number(percent.toFixed(percent < 1 ? 2 : 1))} %`
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`
}

/** `1 record`, `2 records` */
export const plural = (n: number, one: string, many = `${one}s`): string => `${formatCount(n)} ${n === 1 ? one : many}`

const superscripts = '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'
const raised = (exponent: string): string => [...exponent].map((c) => (c === '-' ? '\u207b' : (superscripts[Number(c)] as string))).join('')

/** `1.7e-16` as it is printed: 1.7 \u00d7 10\u207b\u00b9\u2076. */
export const typeset = (number: string): string =>
  number
    .replace(/(\d)e([+-]?\d+)/g, (_, digit: string, exponent: string) => `${digit}\u00a0\u00d7\u00a010${raised(exponent.replace('+', ''))}`)
    .replace('1\u00a0\u00d7\u00a010\u207b\u00b3\u2070\u2070', '10\u207b\u00b3\u2070\u2070')
