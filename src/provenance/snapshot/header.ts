import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Json } from '../../contracts/data.ts'
import type { RecordSchema, SnapshotHeader } from '../../contracts/snapshot.ts'
import { canonicalJson } from '../../math/hash.ts'
import { damaged, SnapshotError } from './errors.ts'

export const headerFile = 'snapshot.json'
export const bucketsFile = 'buckets.bin'
export const segmentsFolder = 'segments'
export const canonicalId = 'assay-record-1'

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.number().int().nonnegative()
const name = z.string().nullable()
const named = z.array(z.strictObject({ name: z.string(), count }))

const headerSchema = z.strictObject({
  format: z.literal('assay-snapshot'),
  version: z.literal(1),
  canonical: z.literal(canonicalId),
  createdAt: z.string(),
  subject: z.strictObject({ name: z.string(), version: name }),
  schema: z.strictObject({ columns: z.record(z.string(), z.string()).nullable(), nulls: z.array(z.string()) }),
  schemaDigest: digest,
  columns: z.strictObject({ id: name, label: name, source: name, time: name, ignored: z.array(z.string()) }),
  keyed: z.boolean(),
  keyId: name,
  records: count,
  labels: named,
  sources: named,
  roots: z.strictObject({ records: digest, key: digest, content: digest, label: digest, locations: digest }),
  previous: z.strictObject({ root: digest, header: digest }).nullable(),
  shards: z.array(
    z.strictObject({
      id: z.string(),
      bytes: count,
      sha256: digest,
      reading: digest,
      rows: count,
      rejected: count,
      misfits: count,
      failure: name,
      segments: z.array(z.strictObject({ file: z.string().regex(/^segments\/[0-9a-f]+-\d+\.seg$/), sha256: digest, rows: count })),
    }),
  ),
})

export const schemaDigestOf = (schema: RecordSchema): string => hash('sha256', canonicalJson(schema as unknown as Json), 'hex')

/** Of the bytes of `snapshot.json`: what a signature covers and the next snapshot of a chain names. */
export const headerDigestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex')

/** @throws SnapshotError `not-a-snapshot`, `snapshot-damaged` */
export function parseHeader(bytes: Uint8Array, file: string): SnapshotHeader {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    throw damaged(file, 'is not JSON')
  }
  const { format, version } = (value ?? {}) as { format?: unknown; version?: unknown }
  if (format !== 'assay-snapshot') throw new SnapshotError('not-a-snapshot', `${file}: is not the header of a snapshot`, { file })
  if (version !== 1)
    throw new SnapshotError('not-a-snapshot', `${file}: is a snapshot of version ${JSON.stringify(version)}, version 1 is read`, { file })
  const parsed = headerSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw damaged(file, `${issue?.path.map(String).join('.') || 'the header'}: ${issue?.message ?? 'malformed'}`)
  }
  return parsed.data as SnapshotHeader
}
