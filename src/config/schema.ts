import * as z from 'zod'
import { severities } from '../contracts/finding.ts'
import { flagFormats, reportFormats } from '../contracts/pipeline.ts'
import { baseModel } from './base-model-schema.ts'
import { declared, provenance } from './provenance-schema.ts'
import { sensitivity } from './sensitivity.ts'
import { choice, fraction, map, text, textOrList, whole } from './shapes.ts'
import { source } from './source-schema.ts'

const sources = (error: string) => z.array(source, { error })

const pixelStatistics = z
  .array(z.number({ error: 'a number' }), { error: 'a list of 1 or 3 numbers' })
  .refine((v) => v.length === 1 || v.length === 3, {
    error: 'has to list 1 or 3 numbers, one a channel',
  })

const features = map({
  text: map({
    model: text('an .onnx file').describe('ONNX model that embeds the text. Without it: hashed word and character n-grams.').optional(),
    tokenizer: text('a folder').describe('Folder with tokenizer.json, as Hugging Face saves it.').optional(),
    dims: whole(8, 4096).describe('Dimensions of the hashed n-grams. Default 512.').optional(),
    pooling: choice(['mean', 'cls']).optional(),
    maxTokens: whole(1, 8192).optional(),
  }).optional(),
  image: map({
    model: text('an .onnx file').describe('ONNX model that embeds the image. Without it: pixels, reduced.').optional(),
    layer: text('the name of an output of the model').optional(),
    size: whole(4, 1024).describe('Side in pixels to which images are scaled.').optional(),
    mean: pixelStatistics.optional(),
    std: pixelStatistics.optional(),
    channels: z.union([z.literal(1), z.literal(3)], { error: '1 or 3' }).optional(),
  }).optional(),
})

const gate = map({
  'fail-on': choice(['critical', 'high', 'medium', 'low', 'never'])
    .describe('A finding of this severity or above fails the gate.')
    .optional(),
  'max-flagged': fraction.describe('A larger fraction of flagged records fails the gate.').optional(),
  require: z
    .array(text('the id of a detector'), { error: 'a list of detector ids' })
    .describe('Detectors that must run: without their columns the audit is incomplete (exit 2).')
    .optional(),
  'min-coverage': fraction.describe('A smaller fraction of records scored makes the audit incomplete (exit 2).').optional(),
  known: text('a file')
    .describe('File of findings that were accepted as they were, written by "assay baseline update", relative to this file.')
    .optional(),
})

const report = map({
  formats: z.array(choice(reportFormats), { error: `a list of ${reportFormats.join(', ')}` }).optional(),
  excerpts: z
    .boolean({ error: 'true or false' })
    .describe('Show text and images of records in reports. They may be personal data.')
    .optional(),
  flags: choice(flagFormats).describe('Format of the list of flagged records.').optional(),
  scores: z
    .union([choice(flagFormats), z.literal(false)], { error: `one of ${flagFormats.join(', ')}, or false` })
    .describe("Keep every record's score.")
    .optional(),
})

const detectors = z.record(
  z.string(),
  z.union([z.literal(false), z.record(z.string(), z.json(), { error: 'a map of options' })], {
    error: 'a map of options, or false to switch the detector off',
  }),
  { error: 'a map from detector ids to their options' },
)

/** One pipeline file as it is written. Everything but `version` may come from a file that it extends. */
export const pipelineFile = map({
  version: z.literal(1, { error: '1' }).describe('Version of this file format.'),
  extends: textOrList('preset:NAME or a file, or a list of them')
    .describe('preset:NAME or another file. Later wins, maps merge, lists replace.')
    .optional(),
  subject: map({
    name: text('a text').optional(),
    version: text('a text').optional(),
    declared: declared.describe('What the data are said to hold. What is read is compared with it.').optional(),
  })
    .describe('What is audited, as the report names it.')
    .optional(),
  sources: sources('a list of sources').min(1, { error: 'a list with at least one source' }).describe('The data to audit.').optional(),
  reference: sources('a list of sources').describe('Records that you vouch for.').optional(),
  features: features.describe('How text and images become vectors.').optional(),
  detectors: detectors
    .describe('Options by detector id; false switches one off. Absent: every detector whose columns are present.')
    .optional(),
  provenance: provenance.describe('Is this what the publisher released, and what changed since the baseline?').optional(),
  'base-model': baseModel.describe('A model, and how it answers to the triggers that were found.').optional(),
  artifacts: map({
    path: text('a folder or a file').describe('Files of the base model that training starts from.'),
    base: text('a folder or a file')
      .describe('The pinned base model that it must come from, or a sums file or another manifest of it.')
      .optional(),
    publishers: z
      .array(text('a name of a publisher'), { error: 'a list of names' })
      .min(1, { error: 'a list with at least one name' })
      .describe('Publishers that are allowed: names that are like one of them and are not it are told.')
      .optional(),
  })
    .describe('What arrives with the base model: its files are looked into and never loaded.')
    .optional(),
  sensitivity: sensitivity
    .describe('Try known attacks on these records, in memory: what would this audit have found? true, or a map of settings.')
    .optional(),
  gate: gate.describe('What fails the audit.').optional(),
  history: map({
    path: text('a file').describe('A DuckDB file, made where it is not there.').optional(),
    connection: map({ env: text('the name of an environment variable') })
      .describe('PostgreSQL: the environment variable with its address.')
      .optional(),
  })
    .refine((h) => (h.path === undefined) !== (h.connection === undefined), { error: 'has to name either a path or a connection' })
    .describe('Where every audit is kept, so that trends show.')
    .optional(),
  notify: z
    .array(
      map({
        webhook: map({ env: text('the name of an environment variable') }).describe('The environment variable with the address.'),
        secret: map({ env: text('the name of an environment variable') })
          .describe('The environment variable with the secret that signs the body (HMAC-SHA-256).')
          .optional(),
        on: choice(['fail', 'always']).describe('fail: every verdict but passed.'),
      }),
      { error: 'a list of webhooks' },
    )
    .describe('Who is told of the verdict. No content of records is sent.')
    .optional(),
  waivers: text('a file').describe('File with findings that are accepted, relative to this file.').optional(),
  report: report.describe('What is written.').optional(),
}).meta({ title: 'Assay pipeline file', description: 'What is audited, with what, and what fails the gate.' })

const isDate = (value: string): boolean => {
  const day = new Date(`${value}T00:00:00Z`)
  return /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value)
}

const fingerprint = 'the 64 hexadecimal digits of a fingerprint, from the report'

export const waiversFile = map({
  version: z.literal(1, { error: '1' }).describe('Version of this file format.'),
  waivers: z.array(
    map({
      fingerprint: z
        .string({ error: fingerprint })
        .regex(/^[0-9a-f]{64}$/, { error: fingerprint })
        .describe('Fingerprint of the finding, from the report.'),
      statement: text('the reason, as a text').describe('Why the finding is accepted, and by whom.'),
      expires: z
        .string({ error: 'a date such as 2027-06-30' })
        .refine(isDate, { error: 'has to be a date such as 2027-06-30' })
        .describe('On this day the waiver no longer holds.'),
      maxCount: z
        .int({ error: 'a whole number from 1' })
        .min(1, { error: 'a whole number from 1' })
        .describe('A finding about more records than this comes back.'),
    }),
    { error: 'a list of waivers' },
  ),
}).meta({ title: 'Assay waivers', description: 'Findings that are accepted until a date.' })

export const knownFile = map({
  version: z.literal(1, { error: '1' }).describe('Version of this file format.'),
  findings: z.array(
    map({
      fingerprint: z
        .string({ error: fingerprint })
        .regex(/^[0-9a-f]{64}$/, { error: fingerprint })
        .describe('Fingerprint of the finding, from the report.'),
      rule: text('a rule').describe('The rule that the finding cites.'),
      severity: choice(severities).describe('As it was accepted: where it is graver, it comes back.'),
      message: z.string({ error: 'a text' }).describe('As it was accepted.'),
      count: z.int({ error: 'a whole number' }).min(0, { error: 'a whole number' }).describe('Records concerned when it was accepted.'),
      maxCount: z
        .int({ error: 'a whole number' })
        .min(0, { error: 'a whole number' })
        .describe('A finding about more records than this comes back.'),
      accepted: z
        .string({ error: 'a date such as 2026-11-23' })
        .refine(isDate, { error: 'has to be a date such as 2026-11-23' })
        .describe('The day on which it was accepted.'),
    }),
    { error: 'a list of findings' },
  ),
}).meta({ title: 'Assay known findings', description: 'Findings that were accepted as they were: what is new fails the gate.' })

export type PipelineFile = z.infer<typeof pipelineFile>
export type SourceEntry = NonNullable<PipelineFile['sources']>[number]

/** What holds where neither the file nor what it extends says otherwise. */
export const defaults = {
  gate: { 'fail-on': 'high', 'max-flagged': 0.02, require: [], 'min-coverage': 0.99 },
  report: { formats: ['html', 'json'], excerpts: false, flags: 'parquet' },
} as const
