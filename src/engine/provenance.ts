import type { Conclusion } from '../contracts/detector.ts'
import { type DetectorOutcome, type Incomplete, type ProvenanceOutcome, provenanceId } from '../contracts/outcome.ts'
import type { ProvenanceSpec } from '../contracts/pipeline.ts'
import type { DeclaredFacts, FileDigests, ReadFacts } from '../contracts/provenance.ts'
import { checkFacts, declaredByPipeline, factFindings } from '../provenance/facts.ts'
import { manifestFindings } from '../provenance/findings.ts'
import type { SigningKey } from '../provenance/sign/signing-key.ts'
import { signFolder } from '../provenance/snapshot/chain.ts'
import { openSnapshot, type Snapshot } from '../provenance/snapshot/read.ts'
import { splitView } from '../provenance/split-view.ts'
import { gradeFiles } from '../provenance/verify.ts'
import { failureOf } from './accumulate.ts'
import { judgeBaseline } from './baseline-signature.ts'
import { type Compared, compare } from './compare.ts'
import { EngineError } from './errors.ts'
import { layout } from './files.ts'
import type { ShardFacts } from './fit.ts'
import type { PlannedBaseline } from './plan-baseline.ts'
import { discoveryDigest, openManifests, openTrust, type PlannedDelivery } from './plan-provenance.ts'
import { provenanceDetector } from './provenance-outcome.ts'
import type { Hooks } from './request.ts'
import type { Run } from './run.ts'
import { isSigned, leaveSnapshot, sealRun } from './run-snapshot.ts'

const maxFiles = 1_000

/** What the audit read of the subject, as far as provenance asks. */
export interface ReadSubject {
  readonly facts: readonly ShardFacts[]
  readonly labels: ReadFacts['labels']
  /** Answers for the files of the delivery. */
  readonly hashed: readonly FileDigests[]
  readonly sha256Of: (path: string) => Promise<string>
}

export interface ProvenanceResult {
  readonly detector: DetectorOutcome
  readonly outcome: ProvenanceOutcome
  readonly incomplete: readonly Incomplete[]
  /** Files written for the user, relative to the run directory. */
  readonly files: readonly string[]
}

const plural = (n: number, one: string): string => `${n.toLocaleString('en-US')} ${one}${n === 1 ? '' : 's'}`

/** Steps that fail are told, and the others go on. */
class Steps {
  readonly incomplete: Incomplete[] = []
  readonly conclusions: Conclusion[] = []

  async take<T>(what: string, act: () => Promise<T> | T): Promise<T | null> {
    try {
      return await act()
    } catch (error) {
      if (error instanceof EngineError && error.code === 'interrupted') throw error
      this.incomplete.push(failureOf(error, what))
      return null
    }
  }

  refuse(code: string, message: string, hint: string | null): void {
    this.incomplete.push({ code, message, place: {}, hint })
  }
}

/** Where nobody vouches for anything and the policy demands nothing, there is nothing to verify. */
const demands = (spec: ProvenanceSpec): boolean => spec.coverage > 0 || spec.requireSignature || spec.unlisted === 'fail'

interface Checked {
  readonly outcome: Pick<ProvenanceOutcome, 'root' | 'manifests' | 'coverage' | 'files'>
  readonly declared: readonly DeclaredFacts[]
  readonly files: ReadFacts['files']
}

async function checkManifests(run: Run, planned: PlannedDelivery, hashed: readonly FileDigests[], steps: Steps): Promise<Checked> {
  const { pipeline, now, base } = run.plan
  const spec = pipeline.provenance
  if (!spec) throw new Error('the plan reads no manifests')
  const { found, trust } = await openManifests(spec, planned.root, { base, now: new Date(now), runDir: run.dir })
  if (discoveryDigest(found, trust) !== planned.digest)
    throw new EngineError(
      'input-changed',
      `${planned.name}: its files, manifests or keys are others than when this run was started`,
      2,
      { file: planned.name },
      'audit a delivery that nobody is writing to',
    )
  const files = found.delivery.files
  if (found.manifests.length === 0 && !demands(spec))
    return { outcome: { root: null, manifests: [], coverage: null, files: [] }, declared: [], files }
  const graded = gradeFiles(found, hashed, trust)
  steps.conclusions.push(manifestFindings(found, graded, trust), splitView(graded.files))
  for (const { path, failed } of hashed)
    if (failed !== undefined) steps.refuse('unreadable', `${path}: ${failed}`, 'Make the file readable, then audit again.')
  const manifests = found.manifests.map(({ entries, own: _, ignored: __, ...rest }) => ({ ...rest, entries: entries.length }))
  return {
    outcome: { root: planned.name, manifests, coverage: graded.coverage, files: graded.files.slice(0, maxFiles) },
    declared: found.manifests.flatMap((m) => m.facts),
    files,
  }
}

/** Rows that could not be read would look like rows that were removed. */
function isWhole(facts: readonly ShardFacts[], steps: Steps): boolean {
  const lost = facts.reduce((sum, f) => sum + (f.leaves ? Math.max(0, f.rows + f.rejected - f.leaves.rows) : 0), 0)
  const broken = facts.some((f) => f.incomplete.length > 0 || !f.leaves)
  if (lost > 0)
    steps.refuse(
      'snapshot-incomplete',
      `${plural(lost, 'row')} could not be read: what is left cannot be compared with the baseline`,
      'Correct the rows under row issues, then audit again.',
    )
  return !broken && lost === 0
}

async function checkChanges(
  run: Run,
  after: Snapshot,
  baseline: PlannedBaseline,
  steps: Steps,
  hooks: Hooks,
  workers: number,
): Promise<Compared> {
  const compared = await compare(run, after, baseline, hooks, workers)
  for (const message of compared.incomplete)
    steps.refuse('baseline-incomplete', message, 'Take the baseline from a backup, or name another.')
  steps.conclusions.push(compared.conclusion)
  return compared
}

function reasonOf(run: Run, checked: Checked | null): string {
  const { delivery, comparison, pipeline, since } = run.plan
  const baseline = comparison?.baseline
  const parts = [
    ...(delivery
      ? [
          delivery.manifests > 0
            ? `${plural(delivery.manifests, 'manifest')} over ${plural(checked?.outcome.coverage?.files ?? delivery.files, 'file')}`
            : `no manifest was found in ${delivery.name}`,
        ]
      : []),
    ...(baseline ? [`compared with ${baseline.name}`] : ['no baseline to compare with']),
    ...(pipeline.subject.declared ? ['declared facts'] : []),
    ...(since
      ? [
          `only the ${plural(since.newRows, 'record')} that are new or changed since then were audited: the others are the reference, accepted before and vouched for by nobody else`,
        ]
      : []),
  ]
  return parts.join(', ')
}

export interface Finishing {
  readonly hooks: Hooks
  readonly workers: number
  /** Signs the run's snapshot; null: it is not signed. */
  readonly key: SigningKey | null
}

/** Manifests, declared facts, and changes since the baseline. Null where none of it is asked for. */
export async function concludeProvenance(run: Run, read: ReadSubject, finishing: Finishing): Promise<ProvenanceResult | null> {
  const { hooks, workers, key } = finishing
  const { plan } = run
  const { pipeline, delivery, comparison } = plan
  const { declared } = pipeline.subject
  const required = pipeline.gate.require.includes(provenanceId)
  if (!pipeline.provenance && !declared && !required) return null
  const steps = new Steps()
  const checked = delivery ? await steps.take('reading manifests', () => checkManifests(run, delivery, read.hashed, steps)) : null
  const stated = [...(checked?.declared ?? []), ...(declared ? [declaredByPipeline(declared)] : [])]
  const facts = (await steps.take('comparing declared facts', async () => checkFacts(stated, await readFacts(run, read, checked)))) ?? []
  if (facts.length > 0) steps.conclusions.push(factFindings(facts))
  if (plan.since)
    for (const message of plan.since.incomplete)
      steps.refuse('snapshot-incomplete', message, 'Correct the rows under row issues, then audit again.')
  const whole = comparison !== null && (plan.since ? plan.since.incomplete.length === 0 : isWhole(read.facts, steps))
  const snapshot = whole ? await steps.take('making the snapshot', () => sealRun(run, read.facts, read.sha256Of)) : null
  if (snapshot && key) signFolder(snapshot.folder, snapshot.header, key)
  const baseline = comparison?.baseline ?? null
  const spec = pipeline.provenance
  if (baseline && spec)
    await steps.take('checking the signature of the baseline', async () => {
      const trust = await openTrust(spec, delivery?.root ?? null, plan.base, new Date(plan.now))
      steps.conclusions.push(judgeBaseline(baseline, trust))
    })
  const compared =
    snapshot && baseline
      ? await steps.take('comparing with the baseline', () => checkChanges(run, snapshot, baseline, steps, hooks, workers))
      : null
  const target = pipeline.provenance?.snapshot ?? null
  if (snapshot && target !== null) await steps.take('leaving the snapshot', () => leaveSnapshot(snapshot, target))
  const isAsked = (checked !== null && checked.outcome.coverage !== null) || baseline !== null
  const ran = isAsked || (facts.length > 0 && !required)
  const status = steps.incomplete.length > 0 ? 'failed' : ran ? 'ran' : 'not-applicable'
  const reason = status === 'failed' ? (steps.incomplete[0]?.message ?? 'failed') : reasonOf(run, checked)
  return {
    detector: provenanceDetector({ status, reason, required, options: null }, steps.conclusions),
    outcome: {
      ...(checked?.outcome ?? { root: null, manifests: [], coverage: null, files: [] }),
      facts,
      changes: compared?.summary ?? null,
      changesFile: compared?.file ?? null,
      snapshot: snapshot && {
        root: snapshot.header.roots.records,
        records: snapshot.header.records,
        previous: snapshot.header.previous?.root ?? null,
        signed: isSigned(snapshot.folder),
      },
    },
    incomplete: steps.incomplete,
    files: compared ? [compared.file] : [],
  }
}

async function readFacts(run: Run, read: ReadSubject, checked: Checked | null): Promise<ReadFacts> {
  const { subject, since } = run.plan
  const columns = subject.columns.map(({ name, type }) => ({ name, type }))
  const files = checked?.files ?? subject.files.map(({ id, bytes }) => ({ path: id, bytes }))
  if (since) {
    // What is declared is declared of all records, and not of those that are new.
    const { header } = await openSnapshot(run.path(layout.snapshot))
    const splits = header.shards.map(({ id, rows, rejected }) => ({ name: id, rows: rows + rejected }))
    return { rows: splits.reduce((sum, s) => sum + s.rows, 0), labels: read.labels && header.labels, columns, splits, files }
  }
  return {
    rows: read.facts.reduce((sum, f) => sum + f.rows + f.rejected, 0),
    labels: read.labels,
    columns,
    splits: read.facts.map((f) => ({ name: subject.shards[f.shard]?.id ?? '', rows: f.rows + f.rejected })),
    files,
  }
}
