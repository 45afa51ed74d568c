import type { RowIssue } from '../contracts/data.ts'
import type { IssueCount } from '../contracts/outcome.ts'

const maxExamples = 5
const maxDetail = 200

/** Rows with a problem, counted by code, column and fate. */
export class IssueCounter {
  private readonly counts = new Map<string, { -readonly [K in keyof IssueCount]: IssueCount[K] }>()
  rejected = 0

  constructor(private readonly shard: string) {}

  readonly sink = (issue: RowIssue): void => {
    if (issue.rejected) this.rejected++
    const key = `${issue.code}\0${issue.column ?? ''}\0${issue.rejected}`
    const entry = this.counts.get(key) ?? {
      code: issue.code,
      shard: this.shard,
      column: issue.column ?? null,
      rejected: issue.rejected,
      count: 0,
      examples: [],
    }
    entry.count++
    if (entry.examples.length < maxExamples) {
      entry.examples = [...entry.examples, { row: issue.row, line: issue.line ?? null, detail: issue.detail?.slice(0, maxDetail) ?? null }]
    }
    this.counts.set(key, entry)
  }

  list(): IssueCount[] {
    return [...this.counts.keys()].sort().map((k) => this.counts.get(k) as IssueCount)
  }
}
