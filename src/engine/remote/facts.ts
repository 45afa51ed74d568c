import type { Incomplete, IssueCount } from '../../contracts/outcome.ts'
import type { Tree } from '../../contracts/statistic.ts'
import type { ShardFacts } from '../fit.ts'
import type { ShardLeaves } from '../leaves.ts'

/** Name of the state that every answer carries: what reading brought to light. */
export const factsName = '#facts'

/** Reasons and examples that are kept; the counts are always whole. */
const maxReasons = 100
const maxExamples = 5

export interface Facts extends Omit<ShardFacts, 'shard'> {
  /** Partitions, those without rows left out. */
  readonly parts: number
}

export const factsOf = ({ shard: _, ...facts }: ShardFacts): Facts => ({ parts: 1, ...facts })
export const noFacts: Facts = { parts: 0, rows: 0, rejected: 0, issues: [], incomplete: [] }

const kind = (i: IssueCount): string => JSON.stringify([i.code, i.column, i.rejected])

function sumIssues(a: readonly IssueCount[], b: readonly IssueCount[]): IssueCount[] {
  const all = new Map(a.map((i) => [kind(i), i]))
  for (const issue of b) {
    const before = all.get(kind(issue))
    all.set(
      kind(issue),
      before
        ? {
            ...before,
            count: before.count + issue.count,
            examples: [...before.examples, ...issue.examples].slice(0, maxExamples),
          }
        : issue,
    )
  }
  return [...all.keys()].sort().map((k) => all.get(k) as IssueCount)
}

/** Facts of two sets of partitions as those of one. Associative; the order decides only which examples are kept. */
export function mergeFacts(a: Facts, b: Facts): Facts {
  const incomplete: readonly Incomplete[] = [...a.incomplete, ...b.incomplete].slice(0, maxReasons)
  const leaves = a.leaves && b.leaves ? mergeLeaves(a.leaves, b.leaves) : (a.leaves ?? b.leaves)
  return {
    parts: a.parts + b.parts,
    rows: a.rows + b.rows,
    rejected: a.rejected + b.rejected,
    issues: sumIssues(a.issues, b.issues),
    incomplete,
    ...(leaves ? { leaves } : {}),
  }
}

const mergeLeaves = (a: ShardLeaves, b: ShardLeaves): ShardLeaves => ({
  segments: [...a.segments, ...b.segments],
  rows: a.rows + b.rows,
  rejected: a.rejected + b.rejected,
  misfits: [...a.misfits, ...b.misfits].slice(0, maxReasons),
})

export const factsTree = (facts: Facts): Tree => JSON.stringify(facts)
export const factsFrom = (tree: Tree): Facts => JSON.parse(tree as string) as Facts
