import type { AuditOutcome } from '../../src/contracts/outcome.ts'
import { buildReport, type Policy } from '../../src/report/build.ts'
import type { Report } from '../../src/report/schema.ts'
import { outcome, policy } from '../golden/cases/poisoned-tabular.ts'
import { labelFlip, record, source } from '../golden/parts.ts'
import { payloads } from './payloads.ts'

const texts = payloads.map(([, text]) => text)

/** A report in which every payload is a record's id, label, source, group, text and file, and stands in messages, evidence and columns. */
export function hostileReport(): Report {
  const records = texts.map((text, row) => ({
    id: text,
    shard: `${text.slice(0, 200)}.csv`,
    row,
    score: 0.9,
    pValue: null,
    givenLabel: text,
    suggestedLabel: texts[(row + 1) % texts.length] as string,
    source: text,
    group: text,
    excerpt: text,
  }))
  const hostile: AuditOutcome = {
    ...outcome,
    subject: { name: texts.slice(0, 5).join(' '), version: texts[3] as string },
    inputs: texts.map((text) => ({ id: text, bytes: 1, sha256: 'cd'.repeat(32), over: 'subject' as const })),
    rows: { read: 1_000, rejected: 0, unlabelled: 0, flagged: texts.length, reference: 0 },
    labels: texts.map((name) => ({ name, count: 1, flagged: 1 })),
    sources: texts.map((name) => ({ name, count: 1, flagged: 1 })),
    columns: texts.map((name) => ({ name, type: name, role: null })),
    issues: texts.map((text, row) => ({
      code: 'wrong-type',
      shard: text,
      column: text,
      rejected: false,
      count: 1,
      examples: [{ row, line: 1, detail: text }],
    })),
    duplicateIds: { count: texts.length, examples: texts },
    detectors: [
      labelFlip({
        reason: texts[0] as string,
        rowsScored: 1_000,
        rowsFlagged: texts.length,
        notes: texts,
        findings: [
          {
            rule: record.id,
            severity: 'review',
            confidence: 'low',
            scope: { kind: 'records', names: [] },
            message: 'Records.',
            count: records.length,
            records,
            evidence: [{ kind: 'table', title: 'All', columns: ['text', 'again'], rows: texts.map((t) => [t, t]) }],
            test: null,
            action: 'Look.',
          },
          ...texts.map((text) => ({
            rule: source.id,
            severity: 'high' as const,
            confidence: 'high' as const,
            scope: { kind: 'source' as const, names: [text] },
            message: `Source ${text} relabels.`,
            count: 1,
            records: [],
            evidence: [{ kind: 'passages' as const, title: text, items: [{ where: text, label: text, text, marks: [[0, 3] as const] }] }],
            test: null,
            action: text,
          })),
        ],
      }),
    ],
    levels: [],
  }
  const rules: Policy = { ...policy, gate: { ...policy.gate, require: [] }, waivers: [], excerpts: true }
  return buildReport(hostile, rules)
}
