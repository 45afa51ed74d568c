/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`: Damerau-Levenshtein, restricted to adjacent swaps. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1)
      next.push(best)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}

const longest = 64

/** The candidate that a typing mistake explains best, or null where none is near. Case, `-` and `_` do not count. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > longest) return null
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_ ]/g, '')
  const target = plain(word)
  let best: string | null = null
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const other = plain(candidate)
    const whole = Math.min(target.length, other.length) >= 4 && (target.startsWith(other) || other.startsWith(target))
    const distance = whole ? Math.min(1, editDistance(target, other)) : editDistance(target, other)
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(Math.max(target.length, other.length) / 3))) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}
