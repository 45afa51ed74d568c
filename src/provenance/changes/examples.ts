import type { RecordRef } from '../../contracts/finding.ts'
import type { RecordChange } from '../../contracts/snapshot.ts'
import type { Examples } from './findings.ts'

const maxPerClass = 20
const maxPerKind = 400

export interface ExampleKeeper {
  add(change: RecordChange): void
  readonly examples: Examples
}

/** As a report names a record: where it is now, or, where it is gone, where it was. `suggestedLabel` is the baseline's. */
export function refOf({ kind, before, after }: RecordChange): RecordRef | null {
  const at = after ?? before
  if (!at) return null
  return {
    id: at.id,
    shard: at.shard,
    row: at.row,
    score: 1,
    pValue: null,
    givenLabel: at.label,
    suggestedLabel: before && after && before.label !== after.label ? before.label : null,
    source: at.source,
    group: kind,
  }
}

/** Keeps a few changed records of each kind and class of the baseline. */
export function keepExamples(): ExampleKeeper {
  const kept = new Map<string, RecordRef[]>()
  const perClass = new Map<string, number>()
  return {
    examples: kept,
    add(change) {
      const list = kept.get(change.kind) ?? []
      if (list.length >= maxPerKind) return
      const key = JSON.stringify([change.kind, (change.before ?? change.after)?.label ?? null])
      const n = perClass.get(key) ?? 0
      if (n >= maxPerClass) return
      const ref = refOf(change)
      if (!ref) return
      perClass.set(key, n + 1)
      list.push(ref)
      kept.set(change.kind, list)
    },
  }
}
