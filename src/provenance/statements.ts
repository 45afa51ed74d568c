import {
  type Digest,
  type DigestAlgorithm,
  type DigestRequest,
  digestAlgorithms,
  type FileDigests,
  type ManifestEntry,
} from '../contracts/provenance.ts'

/** What one manifest says of one file, held against the file. From the gravest to what says least. */
export type Standing = 'mismatch' | 'match' | 'weak' | 'placeholder' | 'none'

export interface Judgement {
  readonly standing: Standing
  /** The digest behind it: the strongest that matches, or the first that does not. Null for a size or a range. */
  readonly expected: Digest | null
  readonly actual: string | null
}

export const strength = (algorithm: DigestAlgorithm): number => digestAlgorithms.indexOf(algorithm)

const order: readonly Standing[] = ['mismatch', 'match', 'weak', 'placeholder', 'none']

/** The graver of two; among equals the one with the stronger digest, then the smaller text: any order gives the same. */
export function graver(a: Judgement, b: Judgement): Judgement {
  const byStanding = order.indexOf(a.standing) - order.indexOf(b.standing)
  if (byStanding !== 0) return byStanding < 0 ? a : b
  const rank = (j: Judgement): number => (j.expected ? strength(j.expected.algorithm) : -1)
  if (rank(a) !== rank(b)) return rank(a) > rank(b) ? a : b
  return (a.expected?.hex ?? '') <= (b.expected?.hex ?? '') ? a : b
}

export const rangeKey = (range: readonly [number, number], algorithm: DigestAlgorithm): string => `${range[0]}-${range[1]}-${algorithm}`

/** Overlapping ranges that in all are so many times the file are a trick to make it be hashed for ever. */
const maxRangeFactor = 8

/** The ranges to hash of a file of so many bytes, each once; those that reach beyond its end differ anyway. */
export function rangesOf(entries: readonly ManifestEntry[], bytes: number): DigestRequest['ranges'] {
  const ranges = new Map<string, DigestRequest['ranges'][number]>()
  let total = 0
  for (const { range, digests } of entries) {
    if (range === null || range[0] < 0 || range[1] < range[0] || range[1] > bytes) continue
    for (const { algorithm } of digests) {
      const key = rangeKey(range, algorithm)
      if (ranges.has(key)) continue
      total += range[1] - range[0]
      if (total <= maxRangeFactor * bytes) ranges.set(key, { range, algorithm })
    }
  }
  return [...ranges.values()]
}

/** What was computed of a file; `ranges` by `rangeKey`. */
export interface Computed {
  readonly bytes: number
  readonly digests: ReadonlyMap<DigestAlgorithm, string>
  readonly ranges: ReadonlyMap<string, string>
}

/** `entries` are those that the digests were asked for. */
export const computedOf = (digests: FileDigests, entries: readonly ManifestEntry[]): Computed => ({
  bytes: digests.bytes,
  digests: new Map(digests.digests.map(({ algorithm, hex }) => [algorithm, hex])),
  ranges: new Map(rangesOf(entries, digests.bytes).map(({ range, algorithm }, i) => [rangeKey(range, algorithm), digests.ranges[i] ?? ''])),
})

const differs: Judgement = { standing: 'mismatch', expected: null, actual: null }
const silent: Judgement = { standing: 'none', expected: null, actual: null }

function judgeWhole(entry: ManifestEntry, file: Computed, weakest: DigestAlgorithm): Judgement {
  let best: Digest | null = null
  for (const digest of entry.digests) {
    const actual = file.digests.get(digest.algorithm) ?? null
    if (actual !== digest.hex) return { standing: 'mismatch', expected: digest, actual }
    if (best === null || strength(digest.algorithm) > strength(best.algorithm)) best = digest
  }
  if (entry.bytes !== null && entry.bytes !== file.bytes) return { ...differs, expected: best, actual: best?.hex ?? null }
  if (best) return { standing: strength(best.algorithm) >= strength(weakest) ? 'match' : 'weak', expected: best, actual: best.hex }
  return entry.placeholder === null ? silent : { ...silent, standing: 'placeholder' }
}

/** Ranges vouch for a file only when all hold and together leave out no byte of it. */
function judgeRanges(entries: readonly ManifestEntry[], file: Computed, weakest: DigestAlgorithm): Judgement {
  const parts = entries.flatMap(({ range, digests }) => (range ? [{ range, digests }] : []))
  let weakestUsed: Digest | null = null
  let silentParts = false
  for (const { range, digests } of parts) {
    const [start, end] = range
    if (start < 0 || end < start || end > file.bytes) return differs
    if (digests.length === 0) silentParts = true
    let best: Digest | null = null
    for (const digest of digests) {
      const actual = file.ranges.get(rangeKey(range, digest.algorithm)) ?? null
      if (actual !== digest.hex) return { standing: 'mismatch', expected: digest, actual }
      if (best === null || strength(digest.algorithm) > strength(best.algorithm)) best = digest
    }
    if (best && (weakestUsed === null || strength(best.algorithm) < strength(weakestUsed.algorithm))) weakestUsed = best
  }
  let covered = 0
  for (const [start, end] of parts.map(({ range }) => range).sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (start > covered) return differs
    covered = Math.max(covered, end)
  }
  if (covered !== file.bytes) return differs
  if (silentParts || weakestUsed === null) return silent
  return { standing: strength(weakestUsed.algorithm) >= strength(weakest) ? 'match' : 'weak', expected: null, actual: null }
}

/** All that one manifest says of one file. */
export function judge(entries: readonly ManifestEntry[], file: Computed, weakest: DigestAlgorithm): Judgement {
  const whole = entries.filter(({ range }) => range === null).map((entry) => judgeWhole(entry, file, weakest))
  const ranged = entries.filter(({ range }) => range !== null)
  const all = ranged.length > 0 ? [...whole, judgeRanges(ranged, file, weakest)] : whole
  return all.length > 0 ? all.reduce(graver) : silent
}
