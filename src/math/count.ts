/** 1234567 -> "1,234,567" */
export const formatCount = (n: number): string => n.toString().replace(/\B(?=(\d{3})+$)/g, ',')
