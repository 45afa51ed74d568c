import { dirname, resolve } from 'node:path'
import type { SignatureCheck } from '../contracts/provenance.ts'
import type { SnapshotHeader } from '../contracts/snapshot.ts'
import { type Chain, checkSignature, walkChain } from '../provenance/snapshot/chain.ts'
import { isSnapshot, openSnapshot } from '../provenance/snapshot/read.ts'
import { loadTrust, type TrustFiles } from '../provenance/trust.ts'

export interface SnapshotVerifyRequest {
  readonly folder: string
  /** Where the snapshots before it lie; null: they are not looked at. `''`: beside it. */
  readonly chain: string | null
  /** What is absent trusts nobody and demands nothing. */
  readonly policy?: Partial<TrustFiles> | undefined
  readonly now: Date
}

export interface LinkVerdict {
  readonly folder: string
  readonly createdAt: string
  readonly subject: SnapshotHeader['subject']
  readonly records: number
  readonly root: string
  readonly header: string
  /** False: some rows or shards of the data could not be read when it was made. */
  readonly complete: boolean
  readonly signature: SignatureCheck | null
}

export interface SnapshotVerdict {
  /** The snapshot, and those before it where they were asked for. */
  readonly links: readonly LinkVerdict[]
  readonly problems: readonly string[]
}

const indifferent: TrustFiles = {
  trust: { keys: [], certificates: [], identities: [], trustedRoot: null },
  weakestDigest: 'sha256',
  coverage: 0,
  unlisted: 'report',
  requireSignature: false,
}

export const isSnapshotFolder = (path: string): boolean => isSnapshot(path)

/**
 * Every byte of a snapshot against its header, the header against its signature, and on request the chain before it.
 * @throws SnapshotError `snapshot-damaged` (exit 2), naming the file
 */
export async function verifySnapshot(request: SnapshotVerifyRequest): Promise<SnapshotVerdict> {
  const folder = resolve(request.folder)
  const policy: TrustFiles = { ...indifferent, ...request.policy }
  const trust = loadTrust(policy, request.now, folder)
  const { header, headerDigest } = await openSnapshot(folder, { verify: true })
  const chain: Chain =
    request.chain === null
      ? { links: [{ folder, header, headerDigest, signature: checkSignature(folder, headerDigest, trust) }], broken: null }
      : walkChain(folder, request.chain === '' ? dirname(folder) : resolve(request.chain), trust)
  const problems = chain.links.flatMap(({ folder: at, signature }) => {
    if (signature?.status === 'invalid') return [`${at}: ${signature.reason}`]
    if (!policy.requireSignature || signature?.status === 'trusted') return []
    return [`${at}: ${signature === null ? 'is not signed' : signature.reason}`]
  })
  return {
    links: chain.links.map((link) => ({
      folder: link.folder,
      createdAt: link.header.createdAt,
      subject: link.header.subject,
      records: link.header.records,
      root: link.header.roots.records,
      header: link.headerDigest,
      complete: link.header.shards.every((s) => s.failure === null && s.rejected === 0),
      signature: link.signature,
    })),
    problems: chain.broken === null ? problems : [...problems, chain.broken],
  }
}
