export function benjaminiHochberg(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((a, b) => (p[b] as number) - (p[a] as number))
  const adjusted = new Array<number>(p.length)
  let least = 1
  order.forEach((i, rank) => {
    least = Math.min(least, ((p[i] as number) * p.length) / (p.length - rank))
    adjusted[i] = least
  })
  return adjusted
}
