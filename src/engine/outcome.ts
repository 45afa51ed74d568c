import { join } from 'node:path'
import type { Threshold } from '../contracts/detector.ts'
import type { RecordRef } from '../contracts/finding.ts'
import { type AuditOutcome, baseModelId, type DetectorOutcome, type Incomplete } from '../contracts/outcome.ts'
import type { RecoveredTrigger } from '../contracts/trigger.ts'
import { detectorById } from '../detectors/registry.ts'
import { failureOf, finishAll } from './accumulate.ts'
import { concludeBaseModel, leaveTriggers, subjectSample } from './base-model.ts'
import { scanArtifacts, together } from './base-model-outcome.ts'
import { decideAll, evidenceMonoids } from './decide.ts'
import { readDigests } from './digests.ts'
import { findDuplicateIds } from './duplicates.ts'
import { attachExcerpts } from './excerpts.ts'
import { layout, type Over, readJson } from './files.ts'
import type { ShardFacts } from './fit.ts'
import { type DetectorFlags, type FlagResult, writeFlags } from './flags.ts'
import type { PlannedDetector } from './plan.ts'
import type { NamedTrigger } from './plan-base-model.ts'
import { concludeProvenance, type Finishing, type ProvenanceResult } from './provenance.ts'
import { readFlagged } from './remote/flagged.ts'
import type { Run } from './run.ts'
import type { ActiveDetector } from './score.ts'
import { concludeSensitivity } from './sensitivity/conclude.ts'
import { census } from './statistics.ts'

interface Census {
  readonly labels: readonly string[]
  readonly sources: readonly string[]
  /** Rows a label (or a source), in the order of the names. */
  readonly labelCounts: ArrayLike<number>
  readonly sourceCounts: ArrayLike<number>
  readonly unlabelled: number
}

/** Everything after the score read: thresholds, flags, evidence, findings. */
export async function conclude(
  run: Run,
  finishing: Finishing,
): Promise<{ readonly outcome: AuditOutcome; readonly files: readonly string[] }> {
  const { plan } = run
  const { tallies, deciding, decisions, failures } = await decideAll(run)
  let rows = 0
  const { flags: flagFormat, scores: scoreFormat, excerpts } = plan.pipeline.report
  const clean = subjectSample(run)
  const result = plan.remote
    ? await readFlagged(run)
    : await writeFlags(
        run,
        deciding,
        decisions,
        { flags: flagFormat, scores: scoreFormat },
        (n) => {
          rows += n
          finishing.hooks.progress({ phase: 'flag', done: rows, total: null, unit: 'rows' })
        },
        (shard, batch, flagged) => clean?.add(shard, batch, flagged),
      )
  const evidence = await finishAll(evidenceMonoids(deciding), result.evidence)
  for (const [id, failure] of Object.entries(evidence.failures)) failures.set(id, failure as unknown as Incomplete)
  const outcomes: DetectorOutcome[] = []
  const triggers: NamedTrigger[] = []
  for (const p of plan.detectors) {
    const a = deciding.find((d) => d.detector.id === p.id && !failures.has(p.id))
    const flagged = result.byDetector.get(p.id)
    const top = excerpts && flagged && !plan.remote ? await attachExcerpts(run, flagged.top) : (flagged?.top ?? [])
    const concluded = await concludeOne(run, p, a ?? null, {
      tally: tallies.states[p.id],
      evidence: evidence.states[p.id],
      thresholds: decisions.get(p.id) ?? [],
      flagged,
      top,
      failures,
    })
    outcomes.push(concluded.outcome)
    for (const trigger of concluded.triggers) triggers.push({ trigger, from: p.id })
  }
  const left = await leaveTriggers(
    run,
    triggers.map((t) => t.trigger),
  )
  const { artifacts, gate } = plan.pipeline
  const model = together([
    artifacts ? await scanArtifacts(artifacts, gate.require.includes(baseModelId), finishing.hooks) : null,
    await concludeBaseModel(run, triggers, clean, finishing.hooks),
  ])
  const failed = [...run.plan.detectors].flatMap((p) => incompleteOf(run, p, failures))
  const sensitivity = await concludeSensitivity(
    run,
    outcomes.flatMap((o) => o.findings),
  )
  const more = [model, sensitivity].filter((m) => m !== null)
  const { outcome, provenance } = await gather(
    run,
    [...outcomes, ...more.map((m) => m.detector)],
    result,
    [...failed, ...more.flatMap((m) => m.incomplete)],
    finishing,
  )
  const flags = [`flags.${flagFormat}`, ...(scoreFormat ? [`scores.${scoreFormat}`] : [])]
  const whole = sensitivity
    ? { ...outcome, sensitivity: { ...sensitivity.outcome, of: outcome.rows.read - outcome.rows.rejected } }
    : outcome
  return { outcome: whole, files: [...flags, ...left, ...(provenance?.files ?? [])] }
}

interface Pieces {
  readonly tally: unknown
  readonly evidence: unknown
  readonly thresholds: readonly Threshold[]
  readonly flagged: DetectorFlags | undefined
  readonly top: readonly RecordRef[]
  readonly failures: Map<string, Incomplete>
}

interface Concluded {
  readonly outcome: DetectorOutcome
  readonly triggers: readonly RecoveredTrigger[]
}

async function concludeOne(run: Run, planned: PlannedDetector, active: ActiveDetector | null, pieces: Pieces): Promise<Concluded> {
  const detector = detectorById(planned.id)
  const base = {
    id: planned.id,
    version: detector.version,
    title: detector.title,
    rules: detector.rules,
    required: planned.required,
    options: planned.options,
    rowsScored: pieces.flagged?.scored ?? 0,
    rowsFlagged: pieces.flagged?.flagged ?? 0,
    thresholds: pieces.thresholds,
  }
  const nothing = { ...base, rowsScored: 0, rowsFlagged: 0, notes: [], findings: [], tests: [] }
  const without = (outcome: DetectorOutcome): Concluded => ({ outcome, triggers: [] })
  if (planned.status !== 'runs') return without({ ...nothing, status: planned.status, reason: planned.reason })
  if (active) {
    try {
      const flagged = { count: base.rowsFlagged, scored: base.rowsScored, top: pieces.top }
      const { triggers = [], ...conclusion } = await detector.conclude(active.context, pieces.tally, pieces.evidence, flagged)
      return { outcome: { ...base, status: 'ran', reason: planned.reason, ...conclusion }, triggers }
    } catch (error) {
      pieces.failures.set(planned.id, failureOf(error, planned.id))
    }
  }
  return without({ ...nothing, status: 'failed', reason: incompleteOf(run, planned, pieces.failures)[0]?.message ?? 'failed' })
}

/** Why a detector that should have run has no result. */
function incompleteOf(run: Run, planned: PlannedDetector, failures: ReadonlyMap<string, Incomplete>): Incomplete[] {
  if (planned.status !== 'runs') return []
  const own = failures.get(planned.id)
  const statistic = run.failureBehind(planned)
  const cause = own ?? (statistic === null ? undefined : run.failures[statistic])
  return cause ? [{ ...cause, message: `detector ${planned.id} failed: ${cause.message}` }] : []
}

async function gather(
  run: Run,
  detectors: readonly DetectorOutcome[],
  flags: FlagResult,
  failed: readonly Incomplete[],
  finishing: Finishing,
): Promise<{ readonly outcome: AuditOutcome; readonly provenance: ProvenanceResult | null }> {
  const { plan } = run
  const subject = await factsOf(run, 'subject')
  const reference = plan.reference ? await factsOf(run, 'reference') : []
  const sum = (facts: readonly ShardFacts[], key: 'rows' | 'rejected') => facts.reduce((total, f) => total + f[key], 0)
  const counted = run.summary<Census>(census.id)
  const tabulate = (names: readonly string[] = [], counts: ArrayLike<number> = [], hits: ReadonlyMap<string, number>) =>
    names.map((name, i) => ({ name, count: counts[i] ?? 0, flagged: hits.get(name) ?? 0 }))
  const censusFailure = run.failures[census.id]
  const facts = [...subject, ...reference]
  const digests = await readDigests(run)
  const labels = tabulate(counted?.labels, counted?.labelCounts, flags.flaggedByLabel)
  const provenance = await concludeProvenance(
    run,
    { facts: subject, labels: plan.subject.roles.includes('label') ? labels : null, hashed: digests.delivery, sha256Of: digests.sha256Of },
    finishing,
  )
  const outcome: AuditOutcome = {
    tool: { name: 'assay', version: plan.tool },
    startedAt: plan.now,
    seed: plan.seed,
    planDigest: plan.digest,
    subject: { name: plan.pipeline.subject.name, version: plan.pipeline.subject.version },
    inputs: digests.inputs,
    rows: {
      read: sum(subject, 'rows') + sum(subject, 'rejected'),
      rejected: sum(subject, 'rejected'),
      unlabelled: counted?.unlabelled ?? 0,
      flagged: flags.flagged,
      reference: sum(reference, 'rows'),
    },
    labels,
    sources: tabulate(counted?.sources, counted?.sourceCounts, flags.flaggedBySource),
    columns: plan.subject.columns,
    issues: facts.flatMap((f) => f.issues),
    duplicateIds: plan.subject.roles.includes('id') ? await findDuplicateIds(run) : { count: 0, examples: [] },
    incomplete: [
      ...facts.flatMap((f) => f.incomplete),
      ...(censusFailure ? [censusFailure] : []),
      ...digests.incomplete,
      ...failed,
      ...(provenance?.incomplete ?? []),
    ],
    detectors: provenance ? [...detectors, provenance.detector] : detectors,
    provenance: provenance?.outcome ?? null,
    levels: [...plan.levels, { name: 'score', statistics: [] }],
  }
  return { outcome, provenance }
}

async function factsOf(run: Run, over: Over): Promise<ShardFacts[]> {
  const groups = await Promise.all(run.part(over).groups.map((_, g) => readJson<ShardFacts[]>(join(run.dir, layout.facts(over, g)))))
  return groups.flat()
}
