import * as z from 'zod'
import { type Role, roles } from '../contracts/data.ts'
import { flagFormats, reportFormats } from '../contracts/pipeline.ts'

// `error` is what the value should be: messages read "expected <error>, found <value>".
const text = (error: string) => z.string({ error }).min(1, { error })
const textOrList = (error: string) => z.union([text(error), z.array(text('a text'), { error }).min(1, { error })], { error })
const fraction = z
  .number({ error: 'a number from 0 to 1' })
  .min(0, { error: 'a number from 0 to 1' })
  .max(1, { error: 'a number from 0 to 1' })
const whole = (low: number, high: number) => {
  const error = `a whole number from ${low} to ${high}`
  return z.int({ error }).min(low, { error }).max(high, { error })
}
const choice = <const T extends readonly [string, ...string[]]>(values: T) => z.enum(values, { error: `one of ${values.join(', ')}` })
const map = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, { error: `a map with ${Object.keys(shape).join(', ')}` })

/** Roles that may be spread over several columns, one number a column. */
const vectorRoles: readonly Role[] = ['embedding', 'features', 'predictions']
const perRole = <T>(make: (role: Role) => T): { [R in Role]: T } => Object.fromEntries(roles.map((role) => [role, make(role)])) as never

const columns = map(
  perRole((role) =>
    (vectorRoles.includes(role) ? textOrList('the name of a column, or a list of names') : text('the name of a column')).optional(),
  ),
)

const arrays = map(perRole(() => text('a .npy file, or the name of a member of the .npz file in path').optional()))

const source = map({
  path: textOrList('a file, a folder or a glob, or a list of them')
    .describe('File, folder or glob, relative to this file. A folder of images has one folder a class.')
    .optional(),
  format: text('the name of a format').describe('Overrides the format that the content shows.').optional(),
  columns: columns.describe('Role: column. Without it the columns are guessed from names and types.').optional(),
  arrays: arrays.describe('Role: .npy file; with path, role: member of the .npz file.').optional(),
  features: z
    .array(text('the name of a column'), { error: 'a list of column names' })
    .min(1, { error: 'a list of column names' })
    .describe('Numeric columns to audit where there is no embedding.')
    .optional(),
  labels: text('a CSV file').describe('CSV file with the labels of a folder of images.').optional(),
  classes: z
    .array(text('the name of a class'), { error: 'a list of class names' })
    .min(1, { error: 'a list of class names' })
    .describe('Names of the classes, in the order of the prediction columns or of the label codes.')
    .optional(),
}).superRefine((value, context) => {
  if (value.path === undefined && value.arrays === undefined)
    context.addIssue({ code: 'custom', path: [], message: 'needs path (files) or arrays (.npy files)' })
  if (value.features !== undefined && value.columns?.features !== undefined)
    context.addIssue({ code: 'custom', path: ['features'], message: 'is given twice: keep either features or columns.features' })
  if (value.columns !== undefined && value.arrays !== undefined)
    context.addIssue({ code: 'custom', path: ['columns'], message: 'does not go with arrays: name every role under arrays' })
})

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
  subject: map({ name: text('a text').optional(), version: text('a text').optional() })
    .describe('What is audited, as the report names it.')
    .optional(),
  sources: sources('a list of sources').min(1, { error: 'a list with at least one source' }).describe('The data to audit.').optional(),
  reference: sources('a list of sources').describe('Records that you vouch for.').optional(),
  features: features.describe('How text and images become vectors.').optional(),
  detectors: detectors
    .describe('Options by detector id; false switches one off. Absent: every detector whose columns are present.')
    .optional(),
  gate: gate.describe('What fails the audit.').optional(),
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

export type PipelineFile = z.infer<typeof pipelineFile>
export type SourceEntry = NonNullable<PipelineFile['sources']>[number]

/** What holds where neither the file nor what it extends says otherwise. */
export const defaults = {
  gate: { 'fail-on': 'high', 'max-flagged': 0.02, require: [], 'min-coverage': 0.99 },
  report: { formats: ['html', 'json'], excerpts: false, flags: 'parquet' },
} as const
