import { budgetOf, defaultLimits, type Limits } from '../../src/artifacts/budget.ts'
import { inMemory } from '../../src/artifacts/bytes.ts'
import { findingsOf } from '../../src/artifacts/findings.ts'
import type { Located, RuleName, Verdict } from '../../src/artifacts/observation.ts'
import { scanBytes } from '../../src/artifacts/scan-bytes.ts'

export interface Scanned {
  readonly observations: readonly Located[]
  readonly notes: readonly string[]
  /** The gravest verdict. */
  readonly verdict: Verdict | 'pass'
  readonly rules: readonly RuleName[]
}

/** What the scanner sees in one file. */
export function scanned(
  content: Buffer,
  name = 'model.pkl',
  limits: Limits = defaultLimits,
  sizes: ReadonlyMap<string, number> = new Map(),
): Scanned {
  const observations: Located[] = []
  const notes: string[] = []
  scanBytes(
    inMemory(content),
    name,
    { file: name, inside: [] },
    {
      limits,
      budget: budgetOf(limits),
      sizes,
      observe: (o) => observations.push(o),
      note: (_, sentence) => notes.push(sentence),
    },
  )
  // Whatever was seen makes findings that the report takes.
  findingsOf(observations)
  const found = observations.filter((o) => o.verdict !== 'note')
  const verdict = found.some((o) => o.verdict === 'block') ? 'block' : found.length > 0 ? 'review' : 'pass'
  return { observations, notes, verdict, rules: [...new Set(found.map((o) => o.rule))].sort() }
}
