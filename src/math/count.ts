/** 1234567 -> "1,234,567" */
export const formatCount = (n: number): string => n.toString().replace(/\B(?=(\d{3})+$)/g, ',')

/** A natural logarithm as a power of ten: -23.03 -> "10^-10.0" */
export const powerOfTen = (log: number): string => `10^${(log / Math.LN10).toFixed(1)}`
