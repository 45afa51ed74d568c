import type { Conclusion } from '../contracts/detector.ts'
import type { RecordRef } from '../contracts/finding.ts'
import type { FlagFormat } from '../contracts/pipeline.ts'
import type { ChangeKind, ChangeSummary } from '../contracts/snapshot.ts'
import { keepExamples } from '../provenance/changes/examples.ts'
import { changeFindings } from '../provenance/changes/findings.ts'
import { diffSnapshots } from '../provenance/snapshot/diff.ts'
import type { Snapshot } from '../provenance/snapshot/read.ts'
import { openChangeWriter } from '../report/changes.ts'

/** Adds texts or thumbnails to records of one side, where their data are at hand and may be shown. */
export type Show = (records: readonly RecordRef[]) => Promise<readonly RecordRef[]>

export interface Comparing {
  /** File that names every change; null: none is written. */
  readonly file: string | null
  readonly format: FlagFormat
  readonly show?: { readonly before?: Show; readonly after?: Show }
}

export interface Compared {
  readonly summary: ChangeSummary
  readonly conclusion: Conclusion
}

/** Every change from one snapshot to another into a file, and what they add up to. @throws SnapshotError, ReportError */
export async function compareSnapshots(before: Snapshot, after: Snapshot, { file, format, show = {} }: Comparing): Promise<Compared> {
  const writer = file === null ? null : await openChangeWriter(file, format)
  const { add, examples } = keepExamples()
  try {
    const summary = await diffSnapshots(before, after, (change) => {
      writer?.add(change)
      add(change)
    })
    await writer?.close()
    return { summary, conclusion: changeFindings(summary, await shown(examples, before, after, show)) }
  } catch (error) {
    await writer?.abandon()
    throw error
  }
}

/** Removed records are those of the baseline: they say so where the other side has a shard of the same name. */
async function shown(
  examples: ReadonlyMap<string, readonly RecordRef[]>,
  before: Snapshot,
  after: Snapshot,
  show: NonNullable<Comparing['show']>,
): Promise<ReadonlyMap<string, readonly RecordRef[]>> {
  const names = new Set(after.header.shards.map((s) => s.id))
  const isShared = before.header.shards.some((s) => names.has(s.id))
  const out = new Map<string, readonly RecordRef[]>()
  for (const [kind, refs] of examples) {
    const gone = (kind as ChangeKind) === 'removed'
    const add = gone ? show.before : show.after
    const full = add ? await add(spread(refs)) : refs
    out.set(kind, gone && isShared ? full.map((ref) => ({ ...ref, shard: `baseline: ${ref.shard}` })) : full)
  }
  return out
}

/** Only the first records get an excerpt: those of different labels in turn. */
function spread(refs: readonly RecordRef[]): readonly RecordRef[] {
  const turns = new Map<string | null, number>()
  return refs
    .map((ref) => {
      const turn = turns.get(ref.givenLabel) ?? 0
      turns.set(ref.givenLabel, turn + 1)
      return { ref, turn }
    })
    .sort((a, b) => a.turn - b.turn)
    .map(({ ref }) => ref)
}
