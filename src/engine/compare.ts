import type { ShardSpec } from '../contracts/data.ts'
import type { Conclusion } from '../contracts/detector.ts'
import type { RecordRef } from '../contracts/finding.ts'
import type { ChangeSummary } from '../contracts/snapshot.ts'
import { openSnapshot, type Snapshot } from '../provenance/snapshot/read.ts'
import { compareSnapshots } from './changes.ts'
import { withExcerpts } from './excerpts.ts'
import { layout, readJson, writeJson } from './files.ts'
import { hasSnapshot, snapshotKey } from './leaves.ts'
import type { PlannedBaseline, PlannedComparison } from './plan-baseline.ts'
import type { Hooks } from './request.ts'
import type { Run } from './run.ts'
import { snapshotSources } from './snapshot.ts'

/** What the comparison found, as it is kept in the run directory. */
export interface Compared {
  readonly summary: ChangeSummary
  readonly conclusion: Conclusion
  readonly file: string
  /** Why the baseline does not hold every record of its data. */
  readonly incomplete: readonly string[]
  /** Records have texts and images. */
  readonly excerpts: boolean
}

/** The snapshot of the baseline: as it is given, or made of the data that is given, once a run. */
async function openBaseline(
  run: Run,
  planned: PlannedComparison,
  baseline: PlannedBaseline,
  hooks: Hooks,
  workers: number,
): Promise<{ readonly snapshot: Snapshot; readonly incomplete: readonly string[] }> {
  if (baseline.kind === 'snapshot') return { snapshot: await openSnapshot(baseline.folder), incomplete: [] }
  const folder = run.path(layout.baseline)
  if (!hasSnapshot(folder)) {
    const { schema, columns, keyVariable } = planned.snapshot
    await snapshotSources([baseline.spec], run.plan.base, folder, {
      subject: { name: baseline.name, version: null },
      now: new Date(run.plan.now),
      workers,
      hooks,
      schema,
      ignored: columns.ignored,
      key: snapshotKey(keyVariable),
    })
  }
  const snapshot = await openSnapshot(folder)
  const incomplete = snapshot.header.shards.flatMap(({ id, failure, rejected }) => [
    ...(failure === null ? [] : [`the baseline cannot be read to its end: ${failure}`]),
    ...(rejected > 0 ? [`${id}: ${rejected} rows of the baseline could not be read`] : []),
  ])
  return { snapshot, incomplete }
}

/** Compares the run's snapshot with its baseline and writes every change; done once a run. @throws SnapshotError, SourceError */
export async function compare(run: Run, after: Snapshot, baseline: PlannedBaseline, hooks: Hooks, workers: number): Promise<Compared> {
  const { comparison, pipeline, subject } = run.plan
  const { flags: format, excerpts } = pipeline.report
  const file = `changes.${format}`
  if (run.done(layout.changes) && run.done(file)) {
    const stored = await readJson<Compared>(run.path(layout.changes))
    // How the report is written may change from one resumption to the next.
    if (stored.excerpts || !excerpts) return stored
  }
  const before = await openBaseline(run, comparison as PlannedComparison, baseline, hooks, workers)
  const showOf = (shards: readonly ShardSpec[]) => (records: readonly RecordRef[]) => withExcerpts(shards, records)
  const show = excerpts
    ? { after: showOf(subject.shards), ...(baseline.kind === 'data' ? { before: showOf(baseline.shards) } : {}) }
    : undefined
  const { summary, conclusion } = await compareSnapshots(before.snapshot, after, {
    file: run.path(file),
    format,
    ...(show ? { show } : {}),
  })
  const named = { ...summary, before: { ...summary.before, name: baseline.name } }
  const compared: Compared = { summary: named, conclusion, file, incomplete: before.incomplete, excerpts }
  await writeJson(run.path(layout.changes), compared)
  return compared
}
