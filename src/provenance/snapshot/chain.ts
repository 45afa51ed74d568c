import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SignatureCheck, TrustPolicy } from '../../contracts/provenance.ts'
import type { SnapshotHeader } from '../../contracts/snapshot.ts'
import type { SigningKey } from '../sign/signing-key.ts'
import { checkSnapshotSignature, signSnapshot } from '../sign/statement.ts'
import { damaged } from './errors.ts'
import { headerFile } from './header.ts'
import { type HeaderOf, readHeader } from './read.ts'
import { writeWhole } from './seal.ts'

/** An in-toto statement over the digest of `snapshot.json`, in a DSSE envelope. */
export const signatureFile = 'snapshot.dsse.json'
const maxSignatureBytes = 1 << 20
const maxFolders = 100_000

/** Signs the snapshot in `folder`: its header binds records, schema, counts and the snapshot before. */
export function signFolder(folder: string, header: SnapshotHeader, key: SigningKey): void {
  const sha256 = createHash('sha256')
    .update(readFileSync(join(folder, headerFile)))
    .digest('hex')
  const { subject, createdAt, records, roots, previous } = header
  const envelope = signSnapshot({ name: headerFile, sha256 }, { subject, createdAt, records, root: roots.records, previous }, key)
  writeWhole(join(folder, signatureFile), `${JSON.stringify(envelope, null, 1)}\n`)
}

/** The signature beside a header; null where there is none. @throws SnapshotError `snapshot-damaged` where it is no JSON */
export function checkSignature(folder: string, headerDigest: string, trust: TrustPolicy): SignatureCheck | null {
  const file = join(folder, signatureFile)
  if (!existsSync(file)) return null
  let envelope: unknown
  try {
    if (statSync(file).size > maxSignatureBytes) throw damaged(file, 'is larger than a signature can be')
    envelope = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw damaged(file, 'is no signature: it cannot be read as JSON')
  }
  return checkSnapshotSignature(envelope, headerDigest, signatureFile, trust)
}

/** One snapshot of a chain. */
export interface Link extends Pick<HeaderOf, 'header' | 'headerDigest'> {
  readonly folder: string
  readonly signature: SignatureCheck | null
}

export interface Chain {
  /** From the one that was asked for back to the first. */
  readonly links: readonly Link[]
  /** Where the chain breaks, and how; null where it goes back to a snapshot that has none before it. */
  readonly broken: string | null
}

/** Folders of snapshots by the digest of their header. */
function snapshotsIn(folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const entries = readdirSync(folder, { withFileTypes: true }).filter((e) => e.isDirectory() && !e.name.endsWith('.tmp'))
  for (const { name } of entries.slice(0, maxFolders)) {
    const file = join(folder, name, headerFile)
    if (!existsSync(file)) continue
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
    found.set(digest, join(folder, name))
  }
  return found
}

/**
 * Walks back from a snapshot through those before it, which lie in `among`. Headers, roots and signatures of all are checked;
 * records are not read: those of older snapshots may have been deleted.
 * @throws SnapshotError where the header of a snapshot is damaged
 */
export function walkChain(start: string, among: string, trust: TrustPolicy): Chain {
  const known = snapshotsIn(among)
  const links: Link[] = []
  let folder = start
  for (;;) {
    const { header, headerDigest } = readHeader(folder)
    links.push({ folder, header, headerDigest, signature: checkSignature(folder, headerDigest, trust) })
    const { previous } = header
    if (previous === null) return { links, broken: null }
    const before = known.get(previous.header)
    if (before === undefined) {
      const broken = `${folder}: the snapshot before it (header ${previous.header.slice(0, 12)}..., root ${previous.root.slice(0, 12)}...) is not in ${among}: it was removed or changed`
      return { links, broken }
    }
    if (readHeader(before).header.roots.records !== previous.root)
      return { links, broken: `${folder}: names another root for ${before} than that has` }
    folder = before
  }
}
