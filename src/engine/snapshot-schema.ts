import type { SourceSpec } from '../contracts/data.ts'
import type { RecordSchema } from '../contracts/snapshot.ts'
import { inferSchema } from '../provenance/snapshot/schema.ts'
import { listForSnapshot, type NamedColumns } from './snapshot-columns.ts'

/** The schema that the types of the data suggest, of the columns that are content. @throws SourceError */
export async function suggestSchema(
  specs: readonly SourceSpec[],
  base: string,
  named: NamedColumns,
  ignored: readonly string[],
): Promise<RecordSchema> {
  const listing = await listForSnapshot(specs, base, { before: null, ignored, named })
  const { id, label } = listing.snapshotColumns
  return inferSchema(listing.columns.filter(({ name }) => name !== id && name !== label && !ignored.includes(name)))
}
