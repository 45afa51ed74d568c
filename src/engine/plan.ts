import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Column, ColumnInfo, Json, Role, ShardSpec, SourceListing, SourceSpec } from '../contracts/data.ts'
import type { Setup } from '../contracts/detector.ts'
import { rowlessIds } from '../contracts/outcome.ts'
import type { FeatureSpec, Pipeline } from '../contracts/pipeline.ts'
import { detectors } from '../detectors/registry.ts'
import type { PixelPlan } from '../features/pixel-row.ts'
import { type FeaturePlan, planFeatures } from '../features/plan.ts'
import { planPixels } from '../features/plan-pixels.ts'
import { listSources } from '../sources/list.ts'
import { formatNamed } from '../sources/registry.ts'
import { version } from '../version.ts'
import { checkArtifacts } from './base-model-outcome.ts'
import { EngineError } from './errors.ts'
import { isDone, layout, readJson, writeJson } from './files.ts'
import { checkBaseModel } from './plan-base-model.ts'
import { asksForSnapshot, checkTarget, type PlannedComparison, planComparison } from './plan-baseline.ts'
import { planDigest } from './plan-digest.ts'
import { type PlannedDelivery, planDelivery } from './plan-provenance.ts'
import { asFrame, remotePipeline } from './remote/plan.ts'
import type { AuditRequest } from './request.ts'
import { seedFrom } from './seed.ts'
import { applicable } from './sensitivity/cases.ts'
import { classesOf, firstBatch, shapeOf } from './shape.ts'
import { type PlannedSince, planSince, withoutRecords } from './since.ts'
import { buildExchange, buildStatistics } from './statistics.ts'

export interface PlannedFile {
  readonly path: string
  readonly id: string
  readonly bytes: number
  /** Only to notice a file that changes between a run and its resumption. */
  readonly modified: number
}

export interface Part {
  readonly shards: readonly ShardSpec[]
  readonly files: readonly PlannedFile[]
  readonly columns: readonly ColumnInfo[]
  readonly guessed: boolean
  readonly roles: readonly Role[]
  readonly features: FeaturePlan | null
  /** How images become the column `pixels`; null where nothing reads it. */
  readonly pixels: PixelPlan | null
  /** Shard numbers; a group is checkpointed as one. Fixed by the shards, never by the number of workers. */
  readonly groups: readonly (readonly number[])[]
}

export interface PlannedDetector {
  readonly id: string
  readonly status: 'runs' | 'not-applicable' | 'disabled'
  readonly reason: string
  readonly required: boolean
  readonly options: Json
  readonly reads: readonly Column[]
}

/** Everything that the steps of a run need to know. Plain data: written once to the run directory, read by every worker. */
export interface Plan {
  readonly version: 1
  readonly tool: string
  readonly digest: string
  readonly seed: string
  readonly now: string
  readonly pipeline: Pipeline
  readonly base: string
  readonly subject: Part
  readonly reference: Part | null
  readonly setup: Setup
  readonly detectors: readonly PlannedDetector[]
  readonly levels: readonly { readonly name: string; readonly statistics: readonly string[] }[]
  /** Columns kept in the spool besides `row`. */
  readonly spooled: readonly string[]
  readonly keyed: boolean
  /** Files that manifests are checked against; null where none are read. */
  readonly delivery: PlannedDelivery | null
  /** Null where records are compared with nothing and no snapshot is left. */
  readonly comparison: PlannedComparison | null
  /** Records lie behind a cluster's engine: its workers read them, and their shards are no files. */
  readonly remote?: true
  /** Null where all records are the subject. */
  readonly since: PlannedSince | null
  /** Rows are copied to the run directory in the first read; not where the sources can be read again as cheaply. */
  readonly spool: boolean
  /** Copies of every record on disk between two fit levels; absent where no detector asks for it. */
  readonly exchange?: { readonly after: number; readonly diskBytes: number | null }
  /** Upper bound of all states of one worker, in bytes. */
  readonly stateBytes: number
}

const maxGroups = 64

function groupShards(shards: readonly ShardSpec[]): number[][] {
  const size = Math.ceil(shards.length / maxGroups)
  const groups: number[][] = []
  for (let i = 0; i < shards.length; i += size) groups.push(Array.from({ length: Math.min(size, shards.length - i) }, (_, j) => i + j))
  return groups
}

async function planPart(specs: readonly SourceSpec[], base: string, features: FeatureSpec, everyColumn = false): Promise<Part> {
  const listing: SourceListing = await listSources(specs, base, { everyColumn })
  const files = await Promise.all(listing.files.map(async (f) => ({ ...f, modified: Math.round((await stat(f.path)).mtimeMs) })))
  return {
    shards: listing.shards,
    files,
    columns: listing.columns,
    guessed: listing.guessed,
    roles: listing.roles,
    features: planFeatures(listing.roles, features),
    pixels: null,
    groups: groupShards(listing.shards),
  }
}

const columnsOf = (part: Part): Column[] => [
  ...part.roles,
  ...(part.features && !part.roles.includes('embedding') ? (['embedding'] as const) : []),
  ...(part.pixels ? (['pixels', 'noise'] as const) : []),
]

function planDetectors(pipeline: Pipeline, setup: Setup): PlannedDetector[] {
  const known = new Set([...detectors.map((d) => d.id), ...rowlessIds])
  for (const id of [...Object.keys(pipeline.detectors), ...pipeline.gate.require]) {
    if (!known.has(id))
      throw new EngineError('unknown-detector', `there is no detector "${id}"`, 4, {}, `the detectors are: ${[...known].join(', ')}`)
  }
  return detectors.map((d) => {
    const given = pipeline.detectors[d.id]
    const required = pipeline.gate.require.includes(d.id)
    const base = { id: d.id, required, options: null, reads: [] }
    if (given === false) return { ...base, status: 'disabled' as const, reason: 'switched off in the pipeline file' }
    let options: unknown
    try {
      options = d.options.parse(given ?? {})
    } catch (error) {
      throw new EngineError('bad-option', `detectors.${d.id}: ${optionProblem(error)}`, 4)
    }
    const missing = d.missing(setup)
    if (missing !== null) return { ...base, options: options as Json, status: 'not-applicable' as const, reason: missing }
    return {
      ...base,
      options: options as Json,
      status: 'runs' as const,
      reason: d.mode(options, setup),
      reads: [...d.reads(options, setup)].sort(),
    }
  })
}

const optionProblem = (error: unknown): string => {
  const issues = (error as { issues?: { path: PropertyKey[]; message: string }[] }).issues
  return issues
    ? issues.map((i) => `${i.path.map(String).join('.') || 'options'}: ${i.message}`).join('; ')
    : String((error as Error).message)
}

/** Reads listings, headers and one batch; the data itself stays unread. @throws EngineError, SourceError, ConfigError */
export async function makePlan(
  request: Pick<AuditRequest, 'pipeline' | 'base' | 'seed' | 'now' | 'runDir' | 'workers' | 'hooks' | 'remote'>,
): Promise<Plan> {
  const { base, remote } = request
  const pipeline = remote ? remotePipeline(request.pipeline) : request.pipeline
  // Files that are missing or no triggers are told before hours of work, not after.
  if (pipeline.baseModel) await checkBaseModel(pipeline.baseModel, base)
  checkArtifacts(pipeline.artifacts)
  let subject = await planPart(pipeline.sources, base, pipeline.features, asksForSnapshot(pipeline))
  const since = await planSince(request)
  const trusted = since ? [...pipeline.reference, ...pipeline.sources] : pipeline.reference
  let reference = trusted.length > 0 ? await planPart(trusted, base, pipeline.features) : null
  if (remote) {
    subject = asFrame(subject, remote.rows, 'records')
    reference = reference && asFrame(reference, remote.referenceRows, 'reference')
  }
  const first = await firstBatch(subject)
  if (subject.roles.includes('image') && first) {
    const pixels = await planPixels(first)
    subject = { ...subject, pixels }
    if (reference?.roles.includes('image')) reference = { ...reference, pixels }
  }
  if (pipeline.sensitivity) applicable(pipeline.sensitivity, subject.roles)
  const setup: Setup = {
    subject: columnsOf(subject),
    reference: reference ? columnsOf(reference) : null,
    classes: classesOf(pipeline, subject),
    shape: shapeOf(subject, first),
  }
  const planned = planDetectors(pipeline, setup).map((d) => (since?.newRows === 0 ? withoutRecords(d) : d))
  const reads = new Set(planned.flatMap((d) => d.reads))
  const read = (p: Part): Part => ({
    ...p,
    features: reads.has('embedding') ? p.features : null,
    pixels: p.pixels && (reads.has('pixels') || reads.has('noise')) ? { ...p.pixels, noise: reads.has('noise') } : null,
  })
  subject = read(subject)
  reference = reference && read(reference)
  const levels = buildStatistics(planned, setup)
  const statistics = levels.flat()
  const exchange = buildExchange(planned, setup, levels)
  const exchanged = exchange?.exchange.bytes(setup.shape) ?? { memory: 0, aRecord: 0 }
  const { rows } = setup.shape
  const keyed = statistics.some((s) => s.keyed)
  const spooled = [...new Set(['id', 'label', 'source', ...reads, ...(keyed ? ['key', 'content'] : [])])].sort()
  const plan = {
    version: 1 as const,
    tool: version,
    pipeline,
    subject,
    reference,
    setup,
    detectors: planned,
    levels: levels.map((level, i) => ({ name: i === 0 ? 'read the data' : `fit level ${i}`, statistics: level.map((s) => s.id) })),
    spooled,
    keyed,
    delivery: await planDelivery(pipeline, base, request.runDir, request.now, subject.files),
    comparison: await planComparison(pipeline, base, subject),
    since,
    ...(remote ? { remote: true as const } : {}),
    spool:
      keyed ||
      remote !== undefined ||
      since !== null ||
      [subject, reference].some((p) => p && (p.features || p.pixels || !p.shards.every((s) => formatNamed(s.format)?.rereadable))),
    ...(exchange ? { exchange: { after: exchange.after, diskBytes: rows === null ? null : rows * exchanged.aRecord } } : {}),
    stateBytes: statistics.reduce((sum, s) => sum + s.bytes(setup.shape), exchanged.memory),
  }
  return { ...plan, base, digest: planDigest(plan), seed: seedFrom(request.seed), now: request.now.toISOString() }
}

/**
 * The plan of a run directory: a new one is written; an existing one must be the same and `resume` must be set.
 * @throws EngineError `run-directory-used`, `run-directory-other-plan`, `input-changed`
 */
export async function openRun(request: AuditRequest): Promise<Plan> {
  const file = join(request.runDir, layout.plan)
  const fresh = await makePlan(request)
  if (!isDone(request.runDir, layout.plan)) {
    if (request.pipeline.provenance) await checkTarget(request.pipeline.provenance)
    await writeJson(file, fresh)
    return fresh
  }
  if (!request.resume)
    throw new EngineError(
      'run-directory-used',
      'the run directory already holds a run',
      4,
      { file: request.runDir },
      'add --resume to continue it, or name another --run-dir',
    )
  const old = await readJson<Plan>(file)
  const seedDiffers = request.seed !== null && seedFrom(request.seed) !== old.seed
  if (old.digest !== fresh.digest || seedDiffers) {
    throw new EngineError(
      'run-directory-other-plan',
      'the run directory belongs to another plan: data, options, version or seed differ',
      4,
      { file: request.runDir },
      'name another --run-dir',
    )
  }
  const changed = changedFile(old, fresh)
  if (changed)
    throw new EngineError(
      'input-changed',
      'an input file changed since this run was started',
      4,
      { file: changed },
      'name another --run-dir and audit the new data from the start',
    )
  // How the report is written may change from one resumption to the next.
  const { report, waivers, known, history, notify } = request.pipeline
  const { known: _, history: __, notify: ___, ...before } = old.pipeline
  const after = { ...(known ? { known } : {}), ...(history ? { history } : {}), ...(notify ? { notify } : {}) }
  const resumed: Plan = { ...old, pipeline: { ...before, report, waivers, ...after } }
  await writeJson(file, resumed)
  return resumed
}

function changedFile(old: Plan, fresh: Plan): string | null {
  const baseline = ({ comparison }: Plan) => (comparison?.baseline?.kind === 'data' ? comparison.baseline.files : [])
  const files = (p: Plan) => [...p.subject.files, ...(p.reference?.files ?? []), ...baseline(p)]
  const before = new Map(files(old).map((f) => [f.path, f.modified]))
  return files(fresh).find((f) => before.get(f.path) !== f.modified)?.path ?? null
}

export const readPlan = (runDir: string): Promise<Plan> => readJson<Plan>(join(runDir, layout.plan))
