import { z } from 'zod'
import { roles, rowIssueCodes } from '../contracts/data.ts'
import { confidences, severities } from '../contracts/finding.ts'
import { taxonomyKeys } from '../taxonomy/taxonomies.ts'
import { ReportError } from './errors.ts'
import { evidence } from './evidence-schema.ts'
import { provenanceSchema } from './provenance-schema.ts'
import { count, digest, fraction, place, png, text } from './schema-parts.ts'
import { sensitivitySchema } from './sensitivity.ts'

export const reportSchemaId = 'urn:assay:schema:report:1'
const verdicts = ['passed', 'failed', 'incomplete', 'nothing-audited'] as const

const taxon = z.strictObject({ taxonomy: z.enum(taxonomyKeys), id: text, name: text })

const finding = z.strictObject({
  fingerprint: digest.describe('SHA-256 over rule, kind of scope and names: what a waiver cites. It survives a re-export.'),
  detector: text,
  rule: text,
  severity: z.enum(severities),
  confidence: z.enum(confidences),
  scope: z.strictObject({
    kind: z.enum(['dataset', 'class', 'class-pair', 'source', 'records', 'pattern', 'file']),
    names: z.array(text),
  }),
  message: text,
  action: text,
  count: count.describe('Records concerned.'),
  records: z.array(count).describe('Indices into the records of the report, strongest first.'),
  evidence: z.array(evidence),
  test: z.strictObject({ id: text, method: text, p: fraction, adjusted: fraction }).nullable(),
  taxa: z.array(taxon),
  status: z.enum(['open', 'known', 'waived']),
  gates: z.boolean().describe('True where this finding fails the gate.'),
})

const record = z.strictObject({
  id: text.nullable(),
  shard: text,
  row: count,
  source: text.nullable(),
  givenLabel: text.nullable(),
  suggestedLabel: text.nullable(),
  excerpt: text.nullable(),
  thumbnail: png.nullable(),
  score: fraction.describe(
    '1 less the product over the detectors of 1 less the strongest score of each: no less than any part, more where several agree.',
  ),
  parts: z.array(
    z.strictObject({
      rule: text,
      fingerprint: digest,
      score: fraction,
      pValue: fraction.nullable(),
      suggestedLabel: text.nullable(),
      group: text.nullable(),
    }),
  ),
})

const reasonCodes = [
  'finding',
  'max-flagged',
  'input-incomplete',
  'detector-failed',
  'required-detector',
  'min-coverage',
  'nothing-audited',
] as const

export const reportSchema = z.strictObject({
  $schema: z.literal(reportSchemaId),
  schemaVersion: z.literal(1),
  tool: z.strictObject({ name: z.literal('assay'), version: text }),
  startedAt: text.describe('ISO 8601'),
  evaluatedAt: text.describe('ISO 8601: the moment at which waivers were judged.'),
  subject: z.strictObject({ name: text, version: text.nullable() }),
  verdict: z.enum(verdicts),
  exitCode: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  headline: text.describe('The verdict in one sentence.'),
  reasons: z.array(
    z.strictObject({
      verdict: z.enum(['failed', 'incomplete', 'nothing-audited']),
      code: z.enum(reasonCodes),
      message: text,
      hint: text.nullable(),
      fingerprint: digest.nullable(),
      place: place.nullable(),
    }),
  ),
  next: z.array(text).describe('What to do, in order.'),
  gate: z.strictObject({
    failOn: z.enum(['critical', 'high', 'medium', 'low', 'never']),
    maxFlagged: fraction,
    require: z.array(text),
    minCoverage: fraction,
  }),
  rows: z.strictObject({
    read: count,
    rejected: count,
    unlabelled: count,
    flagged: count,
    flaggedFraction: fraction,
    reference: count,
  }),
  findings: z.array(finding),
  notSignificant: z.array(finding).describe('Tested, and not significant after correction: never gates.'),
  records: z.array(record).describe('Every record that a finding shows, once, with a part for each finding.'),
  waivers: z.array(
    z.strictObject({
      fingerprint: text,
      statement: text,
      expires: text,
      maxCount: count,
      state: z.enum(['applied', 'expired', 'exceeded', 'unused']),
    }),
  ),
  known: z
    .array(
      z.strictObject({
        fingerprint: digest,
        rule: text,
        severity: z.enum(severities),
        message: text,
        count,
        maxCount: count,
        accepted: text,
        state: z
          .enum(['known', 'grew', 'stale', 'not-tested'])
          .describe('`grew`: in count or severity beyond what was accepted. `not-tested`: its detector did not run.'),
      }),
    )
    .nullable()
    .default(null)
    .describe('Findings that were accepted as they were; null where no file of them is named.'),
  detectors: z.array(
    z.strictObject({
      id: text,
      version: z.int(),
      title: text,
      status: z.enum(['ran', 'not-applicable', 'disabled', 'failed']),
      reason: text,
      required: z.boolean(),
      options: z.json(),
      rowsScored: count,
      rowsFlagged: count,
      coverage: fraction.nullable().describe('Rows scored / rows read; null where it did not run.'),
      thresholds: z.array(z.strictObject({ rule: text, group: text.nullable(), atLeast: z.number().nullable() })),
      notes: z.array(text),
    }),
  ),
  rules: z.array(z.strictObject({ id: text, title: text, family: text, detector: text, page: text, taxa: z.array(taxon) })),
  blindSpots: z.array(
    z.strictObject({
      kind: z.enum(['not-covered', 'limit']),
      family: text,
      title: text,
      sentence: text,
    }),
  ),
  issues: z.array(
    z.strictObject({
      code: z.enum(rowIssueCodes),
      shard: text,
      column: text.nullable(),
      rejected: z.boolean(),
      count,
      examples: z.array(z.strictObject({ row: count, line: count.nullable(), detail: text.nullable() })),
    }),
  ),
  duplicateIds: z.strictObject({ count, examples: z.array(text) }),
  labels: z.array(z.strictObject({ name: text, count, flagged: count })),
  sources: z.array(z.strictObject({ name: text, count, flagged: count })),
  columns: z.array(z.strictObject({ name: text, type: text, role: z.enum(roles).nullable() })),
  tests: z.array(z.strictObject({ detector: text, id: text, method: text, p: fraction, adjusted: fraction, significant: z.boolean() })),
  correction: z.strictObject({ method: z.literal('Benjamini-Hochberg'), level: fraction, tests: count }),
  plan: z.strictObject({
    digest: text,
    seed: text,
    levels: z.array(z.strictObject({ name: text, statistics: z.array(text) })),
  }),
  inputs: z.array(z.strictObject({ id: text, bytes: count, sha256: text, over: z.enum(['subject', 'reference']) })),
  provenance: provenanceSchema.nullable().default(null).describe('Null where none was checked.'),
  sensitivity: sensitivitySchema.nullable().default(null).describe('Known attacks tried on these records; null where none was.'),
  taxonomies: z.array(z.strictObject({ key: z.enum(taxonomyKeys), name: text, version: text, organization: text, url: text })),
  guidance: z.array(text),
  excerpts: z.boolean(),
})

/** `report.json`: the source of every other format. */
export type Report = z.infer<typeof reportSchema>
export type ReportFinding = Report['findings'][number]
export type ReportRecord = Report['records'][number]
export type Reason = Report['reasons'][number]
export type Verdict = Report['verdict']

/** Text of `reports/schema/report.schema.json`: JSON Schema, draft 2020-12. */
export function reportJsonSchema(): string {
  const { $schema, ...rest } = z.toJSONSchema(reportSchema, { target: 'draft-2020-12' })
  return `${JSON.stringify({ $schema, $id: reportSchemaId, title: 'Assay report', ...rest }, null, 2)}\n`
}

const hint = 'Pass a report.json that assay wrote.'

/**
 * Reads `report.json`, which may come from anywhere.
 * @throws {ReportError} `invalid-report` (names the first path that is wrong), `unsupported-version`
 */
export function parseReport(json: string): Report {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw ReportError.of('invalid-report', `not JSON: ${(error as Error).message}`, 4, hint)
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion
  if (typeof version === 'number' && version !== 1)
    throw ReportError.of('unsupported-version', `a report of schema version ${version}; this assay reads version 1`, 4, 'Update assay.')
  const parsed = reportSchema.safeParse(value)
  if (parsed.success) {
    const at = parsed.data.findings.findIndex((f) => f.records.some((i) => i >= parsed.data.records.length))
    if (at < 0) return parsed.data
    throw ReportError.of('invalid-report', `not a report: findings.${at}.records: names a record that is not there`, 4, hint)
  }
  const issue = parsed.error.issues[0]
  const path = issue?.path.map(String).join('.') || 'the root'
  throw ReportError.of('invalid-report', `not a report: ${path}: ${issue?.message ?? 'unknown'}`, 4, hint)
}
