import { z } from 'zod'
import { digestAlgorithms, grades, manifestKinds, problemCodes } from '../contracts/provenance.ts'
import { changeKinds, concentrationAxes } from '../contracts/snapshot.ts'
import { count, digest, fraction, place, text } from './schema-parts.ts'

const signature = z.strictObject({
  method: text,
  file: text,
  status: z.enum(['trusted', 'untrusted', 'invalid', 'unchecked']),
  signer: text.nullable(),
  reason: text,
  signedAt: text.nullable(),
})

const manifest = z.strictObject({
  kind: z.enum(manifestKinds),
  title: text,
  file: text,
  version: text.nullable(),
  entries: count.describe('Statements about files.'),
  closed: text.nullable().describe('Folder of which it claims to name every file; "" is the root.'),
  signatures: z.array(signature),
  problems: z.array(z.strictObject({ code: z.enum(problemCodes), message: text, place, invalid: z.boolean() })),
})

const size = z.strictObject({ files: count, bytes: count })

const coverage = z.strictObject({
  files: count,
  bytes: count,
  byGrade: z.strictObject(Object.fromEntries(grades.map((grade) => [grade, size])) as Record<(typeof grades)[number], typeof size>),
  verifiedFiles: fraction,
  verifiedBytes: fraction,
  signedFiles: fraction,
  signedBytes: fraction,
})

const file = z.strictObject({
  path: text,
  bytes: count.nullable(),
  grade: z.enum(grades),
  manifests: z.array(text),
  expected: z.strictObject({ algorithm: z.enum(digestAlgorithms), hex: text }).nullable(),
  actual: text.nullable(),
  signed: z.boolean().describe('Verified by a manifest with a trusted signature.'),
  label: text.nullable(),
  url: text.nullable(),
})

const fact = z.strictObject({ by: text, name: text, declared: text, read: text.nullable(), agrees: z.boolean().nullable() })

const counts = z.strictObject(
  Object.fromEntries(changeKinds.map((kind) => [kind, count])) as Record<(typeof changeKinds)[number], typeof count>,
)
const side = z.strictObject({ name: text, root: text, records: count })

const location = z.strictObject({
  id: text.nullable(),
  shard: text,
  row: count,
  label: text.nullable(),
  source: text.nullable(),
  time: z.number().nullable(),
})
const tested = {
  test: z.strictObject({ id: text, method: text, p: fraction }),
  log10P: z.number().describe('Of test.p, where that is too small for a double.'),
  adjusted: fraction.describe('Corrected over everything that the comparison tested.'),
  concentrated: z.boolean(),
}

const changes = z.strictObject({
  before: side,
  after: side,
  counts,
  classes: z.array(z.strictObject({ name: text, split: text.nullable(), before: count, after: count, counts })),
  classCount: count.describe('Of which `classes` holds those with the most changes.'),
  sources: z.array(z.strictObject({ name: text, before: count, after: count, counts })),
  sourceCount: count,
  transitions: z
    .strictObject({ labels: z.array(text), counts: z.array(z.array(count)) })
    .describe('Relabelled and replaced records by label before (rows) and after (columns).'),
  duplicates: z.strictObject({ before: count, after: count }).nullable(),
  concentrations: z.array(
    z.strictObject({
      kind: z.enum(changeKinds),
      axis: z.enum(concentrationAxes),
      within: text.nullable(),
      cell: text,
      changed: count,
      cellRecords: count,
      allChanged: count,
      allRecords: count,
      ...tested,
    }),
  ),
  flood: z
    .strictObject({
      added: count,
      copies: count,
      rate: fraction,
      largest: z.strictObject({ copies: count, record: location }).nullable(),
      ...tested,
    })
    .nullable()
    .describe('Added records that copy another one, against the rate of copies in the baseline.'),
  notes: z.array(text),
})

/** What provenance found besides its findings. Lists are cut; the counts beside them are not. */
export const provenanceSchema = z.strictObject({
  root: text.nullable(),
  manifests: z.array(manifest),
  manifestCount: count,
  coverage: coverage.nullable(),
  files: z.array(file).describe('The gravest first, verified ones last; at most 1,000 of `coverage.files`.'),
  facts: z.array(fact),
  factCount: count,
  changes: changes.nullable(),
  changesFile: text.nullable().describe('File of the run that names every change.'),
  snapshot: z.strictObject({ root: digest, records: count, previous: text.nullable(), signed: z.boolean() }).nullable(),
})

export type ReportProvenance = z.infer<typeof provenanceSchema>
