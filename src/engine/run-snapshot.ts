import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ColumnMap, ShardSpec } from '../contracts/data.ts'
import type { SnapshotHeader, SnapshotShard } from '../contracts/snapshot.ts'
import { signatureFile } from '../provenance/snapshot/chain.ts'
import { keyIdOf } from '../provenance/snapshot/digest.ts'
import { bucketsFile, headerFile, segmentsFolder } from '../provenance/snapshot/header.ts'
import { openSnapshot, type Snapshot } from '../provenance/snapshot/read.ts'
import { sealSnapshot } from '../provenance/snapshot/seal.ts'
import { EngineError } from './errors.ts'
import { layout, temporaryFor } from './files.ts'
import type { ShardFacts } from './fit.ts'
import { hasSnapshot, snapshotColumns, snapshotKey } from './leaves.ts'
import type { PlannedComparison } from './plan-baseline.ts'
import type { Run } from './run.ts'
import { FileIdentities } from './snapshot-identity.ts'

/** A shard as the header names it; digests of files are those that the run has taken already. */
async function shardOf(
  shard: ShardSpec,
  facts: ShardFacts,
  planned: PlannedComparison,
  identities: FileIdentities,
): Promise<SnapshotShard | null> {
  const roles = shard.options.roles as unknown as { readonly columns: ColumnMap } | undefined
  if (!facts.leaves || !roles) return null
  const { segments, rows, misfits } = facts.leaves
  return {
    id: shard.id,
    ...(await identities.of(shard, snapshotColumns(roles.columns, planned.snapshot.columns.ignored))),
    rows,
    rejected: Math.max(0, facts.rows + facts.rejected - rows),
    misfits: misfits.reduce((sum, m) => sum + m.count, 0),
    failure: facts.incomplete[0]?.message ?? null,
    segments,
  }
}

/** The snapshot of the run, sealed where it is not yet. `sha256Of` answers by absolute path. @throws SnapshotError */
export async function sealRun(run: Run, facts: readonly ShardFacts[], sha256Of: (path: string) => Promise<string>): Promise<Snapshot> {
  const { plan } = run
  const folder = run.path(layout.snapshot)
  const planned = plan.comparison
  if (!planned) throw new Error('the plan makes no snapshot')
  if (!hasSnapshot(folder)) {
    const identities = new FileIdentities(sha256Of)
    const shards: SnapshotShard[] = []
    for (const one of facts) {
      const shard = await shardOf(plan.subject.shards[one.shard] as ShardSpec, one, planned, identities)
      if (shard) shards.push(shard)
    }
    const { columns, schema, keyVariable } = planned.snapshot
    const previous = planned.baseline?.kind === 'snapshot' ? await chainTo(planned.baseline.folder, planned.baseline.digest) : null
    const { name, version } = plan.pipeline.subject
    const keyId = keyIdOf(snapshotKey(keyVariable))
    await sealSnapshot(folder, { createdAt: plan.now, subject: { name, version }, schema, columns, keyId, previous }, shards)
  }
  return openSnapshot(folder)
}

async function chainTo(folder: string, digest: string): Promise<SnapshotHeader['previous']> {
  const { header, headerDigest } = await openSnapshot(folder)
  if (headerDigest === digest) return { root: header.roots.records, header: headerDigest }
  throw new EngineError(
    'input-changed',
    `${folder}: is another snapshot than when this run was planned`,
    2,
    { file: folder },
    'name another --run-dir and audit from the start',
  )
}

export const isSigned = (folder: string): boolean => existsSync(join(folder, signatureFile))

/** Copies the run's snapshot to where it is asked for: there whole or not at all. One that is there already must be the same. */
export async function leaveSnapshot({ folder, header, headerDigest }: Snapshot, target: string): Promise<void> {
  if (hasSnapshot(target)) {
    if ((await openSnapshot(target)).headerDigest === headerDigest) {
      if (isSigned(folder)) await copyFile(join(folder, signatureFile), join(target, signatureFile))
      return
    }
    throw new EngineError(
      'bad-option',
      `${target}: holds another snapshot`,
      2,
      { file: target },
      'a snapshot is never overwritten: name another folder as provenance.snapshot',
    )
  }
  const aside = await temporaryFor(target)
  await mkdir(join(aside, segmentsFolder), { recursive: true })
  try {
    const signature = isSigned(folder) ? [signatureFile] : []
    const files = [...header.shards.flatMap((s) => s.segments.map(({ file }) => file)), bucketsFile, ...signature, headerFile]
    for (const file of files) await link(join(folder, file), join(aside, file)).catch(() => copyFile(join(folder, file), join(aside, file)))
    await mkdir(dirname(target), { recursive: true })
    await rename(aside, target)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    throw error
  }
}
