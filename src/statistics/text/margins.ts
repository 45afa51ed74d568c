/** How much likelier a margin is among records of other labels than among those of the label itself, in nats. */
export type MarginEvidence = (margin: number) => number

const cells = 24
/** One record decides little: its own label may be wrong. */
const mostRatio = 20

/**
 * Log-likelihood ratio of two samples, by cells of equal weight in the mean of both; half a record is added to each cell. Without
 * enough of both it says nothing. A sum of such numbers is a test: on records of the label it exceeds x with a probability of at most
 * exp(-x) (Ville 1939; Shafer 2021). Records about which nothing is known have margins near 0, as few of either sort have: they add
 * nothing or speak for the label.
 * @param share of the records in question that are of other labels, above 0 to 1; the rest is the label's own
 */
export function marginEvidence(own: readonly number[], other: readonly number[], share: number): MarginEvidence {
  const used = Math.min(cells, Math.floor(Math.min(own.length, other.length) / 4))
  if (used < 2) return () => 0
  const pooled = [...own.map((m) => [m, 1 / own.length] as const), ...other.map((m) => [m, 1 / other.length] as const)]
  pooled.sort(([a], [b]) => a - b)
  const edges: number[] = []
  let weight = 0
  for (const [margin, w] of pooled) {
    weight += w
    if (edges.length < used - 1 && weight >= ((edges.length + 1) * 2) / used) edges.push(margin)
  }
  const cellOf = (margin: number): number => {
    const cell = edges.findIndex((edge) => margin <= edge)
    return cell < 0 ? edges.length : cell
  }
  const shares = (margins: readonly number[]): Float64Array => {
    const counts = new Float64Array(used).fill(0.5)
    for (const m of margins) counts[cellOf(m)] = (counts[cellOf(m)] as number) + 1
    return counts.map((n) => n / (margins.length + used / 2))
  }
  const [p, q] = [shares(other), shares(own)]
  const ratios = p.map((other, cell) => Math.max(1 / mostRatio, Math.min(mostRatio, other / (q[cell] as number))))
  const nats = ratios.map((ratio) => Math.log(1 - share + share * ratio))
  return (margin) => nats[cellOf(margin)] as number
}
