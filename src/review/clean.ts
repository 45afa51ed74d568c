import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { keysOf, rowsOf } from '../contracts/batch.ts'
import type { ShardSpec, SourceListing, SourceSpec } from '../contracts/data.ts'
import { takeRows } from '../contracts/take-rows.ts'
import { readDigests } from '../engine/digests.ts'
import { sha256File } from '../engine/files.ts'
import { addKeys } from '../engine/keys.ts'
import type { RowChange } from '../inject/changes.ts'
import { checkOut, copyInputs, inputsOf } from '../inject/copy.ts'
import { shardName } from '../inject/survey.ts'
import { listSources } from '../sources/list.ts'
import { readShard } from '../sources/read.ts'
import { version } from '../version.ts'
import { type Held, replay } from './decision.ts'
import { ReviewError } from './errors.ts'
import { readDecisions } from './log.ts'
import { openRunDir, type Reviewed } from './open.ts'
import { type Removed, sumsOf, writeRemoved } from './removed.ts'

export interface CleanRequest {
  /** Run directory that the decisions are about. */
  readonly runDir: string
  readonly decisions: string
  /** Where the data are; null: where the run read them. */
  readonly sources: readonly SourceSpec[] | null
  readonly base: string | null
  /** New or empty folder. */
  readonly out: string
  /** Relabelled records stay, with the new label; else they go. */
  readonly applyLabels: boolean
  /** Only records that were dismissed stay: a reference that a person has looked at. */
  readonly onlyDismissed: boolean
}

export interface Cleaned {
  readonly kept: number
  readonly removed: number
  readonly relabelled: number
  readonly files: readonly string[]
}

/** Every input is, byte for byte, what the run read. @throws ReviewError `changed-input` */
async function checkInputs({ run }: Reviewed, files: SourceListing['files']): Promise<void> {
  const { inputs } = await readDigests(run)
  const audited = inputs.filter((i) => i.over === 'subject')
  const differs = (what: string, file: string): ReviewError =>
    new ReviewError('changed-input', what, 'decisions hold for the data that were reviewed: audit these and review them', { file }, 2)
  if (audited.length !== files.length)
    throw differs(`the run audited ${audited.length} files, and here are ${files.length}`, files[0]?.path ?? '')
  for (const [i, { path, id }] of files.entries()) {
    if ((await sha256File(path)) !== audited[i]?.sha256)
      throw differs(`${id}: is not the file that the run audited: its SHA-256 differs`, path)
  }
}

type Fate = { readonly action: 'removed' | 'relabelled'; readonly held: Held }

/** What becomes of the records that were decided on, by file and row. */
function fatesOf(held: ReadonlyMap<string, Held>, { applyLabels, onlyDismissed }: CleanRequest): ReadonlyMap<string, Map<number, Fate>> {
  const fates = new Map<string, Map<number, Fate>>()
  for (const one of held.values()) {
    const { shard, row } = one.by
    if (shard === null || row === null || one.decision === null) continue
    if (onlyDismissed ? one.decision !== 'dismiss' : one.decision === 'dismiss') continue
    const action = one.decision === 'relabel' && applyLabels ? 'relabelled' : 'removed'
    const name = fileOf(shard)
    const rows = fates.get(name) ?? new Map<number, Fate>()
    rows.set(row, { action, held: one })
    fates.set(name, rows)
  }
  return fates
}
const fileOf = (shard: string): string => shard.replace(/#\d+\+\d+$/, '')

/** Shards of the data by what the run called their files: both list the same files in the same order. */
function namesBy({ run }: Reviewed, listing: SourceListing): ReadonlyMap<string, string> {
  const distinct = (shards: readonly ShardSpec[]): readonly string[] => [...new Set(shards.map(shardName))]
  const before = distinct(run.plan.subject.shards)
  return new Map(distinct(listing.shards).map((name, i) => [name, before[i] ?? name]))
}

interface Applying {
  readonly rows: ReadonlyMap<number, Fate>
  readonly file: string
  readonly seed: Uint8Array
  readonly onlyDismissed: boolean
  readonly seen: (row: number | null, removed: Removed | null) => void
}

/** What becomes of the rows of a shard, in their order. Every record is the one that was decided on, by its key. */
async function* changesOf(shard: ShardSpec, { rows, file, seed, onlyDismissed, seen }: Applying): AsyncGenerator<RowChange> {
  const rejected: number[] = []
  let left = 0
  const goneBefore = function* (row: number): Generator<RowChange> {
    rejected.sort((a, b) => a - b)
    for (; left < rejected.length && (rejected[left] as number) < row; left++)
      if (onlyDismissed) yield { row: rejected[left] as number, drop: true }
  }
  for await (const batch of readShard(shard, (issue) => issue.rejected && rejected.push(issue.row))) {
    for (const [i, row] of rowsOf(batch).entries()) {
      const fate = rows.get(row)
      yield* goneBefore(row)
      if (fate) {
        const key = Buffer.from(keysOf(addKeys(takeRows(batch, Int32Array.of(i)), seed), 'key') as Uint8Array).toString('hex')
        if (key !== fate.held.by.key)
          throw new ReviewError(
            'changed-input',
            `${file}: row ${row} is not the record that was decided on`,
            undefined,
            { file: shard.path, row },
            2,
          )
      }
      const keep = onlyDismissed ? fate !== undefined : fate?.action !== 'removed'
      seen(row, fate && !onlyDismissed ? { ...fate, file, row } : null)
      if (!keep) yield { row, drop: true }
      else if (fate?.action === 'relabelled') yield { row, label: fate.held.label as string }
    }
  }
  yield* goneBefore(Number.POSITIVE_INFINITY)
}

/**
 * A copy of the data without what reviewers confirmed as poison, in its own format, with the list of what was left out and why. The
 * data must be, byte for byte, those that the run audited.
 * @throws ReviewError, InjectError, SourceError
 */
export async function clean(request: CleanRequest): Promise<Cleaned> {
  const reviewed = await openRunDir(request.runDir)
  const { plan, seed } = reviewed.run
  const { lines } = await readDecisions(request.decisions)
  const own = lines.filter((l) => l.report === reviewed.digest)
  if (lines.length > 0 && own.length === 0)
    throw new ReviewError(
      'other-report',
      `${request.decisions}: is about another run than ${request.runDir}`,
      'name its run directory: --run-dir DIR',
    )
  const fates = fatesOf(replay(own), request)
  if (fates.size === 0)
    throw new ReviewError(
      'nothing-to-do',
      request.onlyDismissed ? 'no record is dismissed' : 'no record is confirmed or relabelled',
      'decide in the review: assay review RUN',
    )
  const sources = request.sources ?? plan.pipeline.sources
  const base = request.base ?? plan.base
  // Every array that is aligned with the records loses the same rows.
  const listing = await listSources(sources, base, { everyColumn: true })
  const inputs = inputsOf(listing)
  const out = resolve(request.out)
  await checkOut(out, [...listing.files.map((f) => f.path), ...inputs.map((i) => i.path)])
  await checkInputs(reviewed, listing.files)
  const names = namesBy(reviewed, listing)
  const removed: Removed[] = []
  let rows = 0
  let found = 0
  const changes = (shard: ShardSpec): AsyncGenerator<RowChange> => {
    const file = names.get(shardName(shard)) as string
    return changesOf(shard, {
      rows: fates.get(file) ?? new Map(),
      file,
      seed,
      onlyDismissed: request.onlyDismissed,
      seen(row, one) {
        if (row !== null) rows++
        if (row !== null && fates.get(file)?.has(row)) found++
        if (one) removed.push(one)
      },
    })
  }
  const wanted = [...fates.values()].reduce((n, of) => n + of.size, 0)
  const count = (action: Removed['action']): number => removed.filter((r) => r.action === action).length
  const written = await copyInputs({
    sources,
    base,
    listing,
    inputs,
    out,
    changes,
    async finish(folder, copies) {
      if (found !== wanted)
        throw new ReviewError(
          'changed-input',
          `${wanted - found} of the records that were decided on are not in the data`,
          undefined,
          {},
          2,
        )
      await writeRemoved(folder, removed)
      const summary = {
        tool: `assay ${version}`,
        subject: reviewed.report.subject,
        report: { sha256: reviewed.digest },
        decisions: { sha256: await sha256File(request.decisions) },
        rows,
        ...(request.onlyDismissed ? { onlyDismissed: wanted } : { removed: count('removed'), relabelled: count('relabelled') }),
        inputs: reviewed.report.inputs.filter((i) => i.over === 'subject'),
        output: copies,
      }
      await writeFile(join(folder, 'clean.json'), `${JSON.stringify(summary, null, 2)}\n`, { flag: 'wx' })
      await writeFile(join(folder, 'SHA256SUMS'), await sumsOf(folder), { flag: 'wx' })
    },
  })
  const kept = request.onlyDismissed ? wanted : rows - count('removed')
  return {
    kept,
    removed: rows - kept,
    relabelled: count('relabelled'),
    files: [...written, 'removed.csv', 'removed.jsonl', 'clean.json', 'SHA256SUMS'].map((file) => join(out, file)),
  }
}
