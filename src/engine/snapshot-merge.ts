import type { SnapshotHeader } from '../contracts/snapshot.ts'
import { loadSigningKey } from '../provenance/sign/signing-key.ts'
import { signFolder } from '../provenance/snapshot/chain.ts'
import { SnapshotError } from '../provenance/snapshot/errors.ts'
import { openSnapshot, type Snapshot } from '../provenance/snapshot/read.ts'
import { sealSnapshot } from '../provenance/snapshot/seal.ts'
import type { SnapshotOptions } from './snapshot.ts'
import { fillFolder, refuseExisting, shareSegment } from './snapshot-folder.ts'

/** What must agree for leaves to be comparable. */
const bindings = ({ header: { schemaDigest, keyId, columns } }: Snapshot): readonly (readonly [string, string])[] => [
  ['schema', schemaDigest],
  ['key', String(keyId)],
  ['columns', JSON.stringify(columns)],
]

/**
 * The snapshot of all shards of some snapshots, as if they had been taken together: made by several machines, or of parts of
 * a data set. Their records are not read from the data again.
 * @throws SnapshotError `snapshots-differ` where schema, key or columns differ or a shard is in two; `snapshot-damaged`
 */
export async function mergeSnapshots(
  folders: readonly string[],
  target: string,
  options: Pick<SnapshotOptions, 'subject' | 'now' | 'sign'>,
): Promise<SnapshotHeader> {
  const signing = options.sign ? loadSigningKey(options.sign.key, options.sign.password) : null
  await refuseExisting(target)
  const parts: Snapshot[] = []
  for (const folder of folders) parts.push(await openSnapshot(folder, { verify: true }))
  const [first, ...others] = parts as [Snapshot, ...Snapshot[]]
  const wanted = new Map(bindings(first))
  for (const part of others) {
    const odd = bindings(part).find(([name, value]) => wanted.get(name) !== value)
    if (odd)
      throw new SnapshotError('snapshots-differ', `${part.folder}: has another ${odd[0]} than ${first.folder}`, { file: part.folder })
  }
  return fillFolder(target, async (into) => {
    for (const { folder, header } of parts) {
      for (const { file } of header.shards.flatMap((s) => s.segments)) {
        await shareSegment(folder, into, file).catch((e: NodeJS.ErrnoException) => {
          if (e.code !== 'EEXIST') throw e
          throw new SnapshotError('snapshots-differ', `${folder}: a shard of it is in another of the snapshots as well`, { file: folder })
        })
      }
    }
    const { schema, columns, keyId } = first.header
    const meta = { createdAt: options.now.toISOString(), subject: options.subject, schema, columns, keyId, previous: null }
    const shards = parts.flatMap((p) => p.header.shards)
    const header = await sealSnapshot(into, meta, shards)
    if (signing) signFolder(into, header, signing)
    return header
  })
}
