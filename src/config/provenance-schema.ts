import * as z from 'zod'
import { digestAlgorithms } from '../contracts/provenance.ts'
import { fieldTypes } from '../contracts/snapshot.ts'
import { choice, fraction, map, text } from './shapes.ts'
import { source } from './source-schema.ts'

const count = z.int({ error: 'a whole number from 0' }).min(0, { error: 'a whole number from 0' })
const files = (error: string) => z.array(text('a file'), { error })
const fieldType = `a type: ${fieldTypes.join(', ')}, or a list of them such as float32[512] or int64[]`

export const declared = map({
  rows: count.describe('Rows of all sources together.').optional(),
  classes: z
    .record(z.string(), count, { error: 'a map from classes to their number of records' })
    .describe('Records by given label.')
    .optional(),
  columns: z.array(text('the name of a column'), { error: 'a list of column names' }).describe('Columns that must be there.').optional(),
  files: z
    .record(z.string(), count, { error: 'a map from files to their size in bytes' })
    .describe('Bytes by file, relative to provenance.root.')
    .optional(),
})

const trust = map({
  keys: files('a list of files').describe('Public keys: PEM or minisign.').optional(),
  certificates: files('a list of files').describe('PEM certificates of authorities.').optional(),
  identities: z
    .array(map({ identity: text('an email address or a URI'), issuer: text('the URL of an issuer') }), {
      error: 'a list of maps with identity and issuer',
    })
    .describe('Who may sign with Sigstore. Without one no such signature is trusted.')
    .optional(),
  'trusted-root': text('a file').describe('Sigstore trusted root as JSON; default: that of the public instance.').optional(),
})

/** `provenance:` as it is written. */
export const provenance = map({
  root: text('a folder').describe('Folder that the manifests speak of. Default: the one that holds all sources.').optional(),
  manifests: z
    .union([files('a list of files').min(1, { error: 'a list of files, or false to read none' }), z.literal(false)], {
      error: 'a list of files, or false to read none',
    })
    .describe('Manifests that must be there, relative to root; only they count. Default: found by looking. false: none.')
    .optional(),
  trust: trust.describe('Whose signatures count. Never read from inside the data.').optional(),
  'weakest-digest': choice(digestAlgorithms).describe('The weakest digest that verifies a file. Default sha256.').optional(),
  coverage: fraction.describe('Fraction of the files that must be verified. Default 0.').optional(),
  unlisted: choice(['allow', 'report', 'fail']).describe('What a file is that no manifest names. Default report.').optional(),
  'require-signature': z.boolean({ error: 'true or false' }).describe('A manifest without a trusted signature fails the gate.').optional(),
  baseline: z
    .union([text('a folder that assay snapshot wrote'), source], {
      error: 'a folder that assay snapshot wrote, or a trusted original as a source: { path: ... }',
    })
    .describe('What the records are compared with: a snapshot, or a trusted original.')
    .optional(),
  schema: map({
    columns: z
      .record(
        z.string(),
        z.string({ error: fieldType }).regex(new RegExp(`^(${fieldTypes.join('|')})(\\[(0|[1-9]\\d{0,8})?\\])?$`), { error: fieldType }),
        { error: 'a map from columns to their types' },
      )
      .describe('Types by column: then the same rows give the same snapshot whatever file they come in.')
      .optional(),
    nulls: z
      .array(z.string({ error: 'a text' }), { error: 'a list of texts' })
      .describe('Texts that stand for a missing value.')
      .optional(),
  })
    .describe('What a record is.')
    .optional(),
  snapshot: text('a folder').describe('Where to leave a snapshot of this data: the next baseline.').optional(),
  'snapshot-key': map({ env: text('the name of an environment variable') })
    .describe('Key of the digests in snapshots, by environment variable alone. Without it ids can be guessed from them.')
    .optional(),
})

export type ProvenanceFile = z.infer<typeof provenance>
