import { type Finding, severities } from '../../contracts/finding.ts'
import type { SensitivityTrial } from '../../contracts/sensitivity.ts'
import { InjectError } from '../../inject/errors.ts'
import { parseOptions } from '../../inject/options.ts'
import { keyed } from '../../math/rng.ts'
import { failureOf } from '../accumulate.ts'
import { layout, readJson, writeJson } from '../files.ts'
import type { ShardFacts } from '../fit.ts'
import { addKeys } from '../keys.ts'
import type { Plan, PlannedDetector } from '../plan.ts'
import type { Run } from '../run.ts'
import { applicable, type Case, cases, changedColumns } from './cases.ts'
import { auditInMemory, fitReference } from './memory-audit.ts'
import { type Overlay, overlay, pictureSide } from './overlay.ts'
import { readSample, type Sample } from './sample.ts'

export interface Trial {
  readonly attack: string
  readonly rate: number
  readonly seed: number
}

/** Where the time may not suffice for all: each attack once at the rate that counts, then its other seeds, then the other rates. */
export function trialsOf(plan: Plan): readonly Trial[] {
  const spec = plan.pipeline.sensitivity
  if (!spec) return []
  const attacks = applicable(spec, plan.subject.roles)
  const rates = [spec.rate, ...spec.rates.filter((rate) => rate !== spec.rate).reverse()]
  const out: Trial[] = []
  for (const rate of rates) for (let seed = 0; seed < spec.seeds; seed++) for (const { id } of attacks) out.push({ attack: id, rate, seed })
  return out
}

export const trialFile = ({ attack, rate, seed }: Trial): string => layout.trial(`${attack}-${rate}-${seed}`)

/** Detectors that read what the attack changes. */
export function detectorsFor(plan: Plan, { attack }: Case, options: unknown): readonly PlannedDetector[] {
  const embedding = plan.subject.features?.from ?? null
  const changed = changedColumns(attack, options, { embedding })
  return plan.detectors.filter((d) => d.status === 'runs' && d.reads.some((name) => changed.has(name)))
}

interface Loaded {
  readonly subject: Sample
  readonly reference: Sample | null
  readonly side: number | null
  readonly known: Map<string, ReadonlyMap<string, unknown>>
}
const loaded = new WeakMap<Run, Promise<Loaded>>()

async function load(run: Run): Promise<Loaded> {
  const { plan } = run
  const limit = plan.pipeline.sensitivity?.sample ?? 0
  const rows = async (over: 'subject' | 'reference'): Promise<number> => {
    const facts = await Promise.all(run.part(over).groups.map((_, g) => readJson<ShardFacts[]>(run.path(layout.facts(over, g)))))
    return facts.flat().reduce((sum, f) => sum + f.rows, 0)
  }
  const subject = await readSample(run, 'subject', limit, await rows('subject'))
  const reference = plan.reference ? await readSample(run, 'reference', limit, await rows('reference')) : null
  return { subject, reference, side: await pictureSide(subject), known: new Map() }
}

/** Tries one attack on the records in memory, and writes what became of it. Does nothing when that is there. */
export async function runTrial(run: Run, trial: Trial): Promise<void> {
  const target = trialFile(trial)
  if (run.done(target)) return
  let data = loaded.get(run)
  if (!data) {
    data = load(run)
    loaded.set(run, data)
  }
  await writeJson(run.path(target), await attempt(run, trial, await data))
}

async function attempt(run: Run, trial: Trial, data: Loaded): Promise<SensitivityTrial> {
  const found = cases.find((c) => c.id === trial.attack) as Case
  const nothing = (reason: string): SensitivityTrial => ({
    ...trial,
    rows: data.subject.rows,
    carriers: 0,
    found: 0,
    foundBy: {},
    findings: [],
    reason,
    failure: null,
  })
  const seed = keyed(run.seed, `sensitivity ${trial.attack} ${trial.seed}`)
  const { subject, side } = data
  const drawn = found.options({
    labels: subject.labels.map((l) => l.name),
    sources: subject.sources,
    columns: subject.columns,
    categories: subject.categories,
    side,
    random: seed,
  })
  if (drawn === null) return nothing('the records have too few labels or sources for it')
  const count = Math.round(trial.rate * subject.rows)
  if (count < 1) return nothing(`${trial.rate} of ${subject.rows} records are none`)
  try {
    const options = parseOptions(found.attack, drawn)
    const drawnSeed = (): Uint8Array => Buffer.from(Uint32Array.from({ length: 4 }, seed.uint32).buffer)
    const attacked = await overlay(subject, found.attack, options, count, drawnSeed())
    if (attacked === null) return nothing(`fewer than ${count} records can carry it`)
    // What is known of a reference rests on the seed of the run.
    const auditSeed = data.reference ? run.seed : drawnSeed()
    return {
      ...trial,
      rows: subject.rows,
      ...(await judge(run, detectorsFor(run.plan, found, options), attacked, data, auditSeed)),
      reason: null,
      failure: null,
    }
  } catch (error) {
    if (error instanceof InjectError) return nothing(error.message)
    const failure = failureOf(error, `sensitivity to ${trial.attack}`)
    return { ...nothing(failure.message), failure }
  }
}

type Judged = Pick<SensitivityTrial, 'carriers' | 'found' | 'foundBy' | 'findings'>

/** An audit under a seed of its own: folds, samples and random features are drawn anew. */
async function judge(
  { plan }: Run,
  detectors: readonly PlannedDetector[],
  attacked: Overlay,
  data: Loaded,
  seed: Uint8Array,
): Promise<Judged> {
  const common = {
    detectors,
    setup: plan.setup,
    columns: new Set(['row', ...plan.spooled]),
    seed,
    reference: data.reference?.batches ?? [],
  }
  const key = detectors.map((d) => d.id).join(' ')
  const known = data.known.get(key) ?? (await fitReference(common))
  data.known.set(key, known)
  const subject = plan.keyed ? attacked.batches.map((batch) => addKeys(batch, seed)) : attacked.batches
  const results = await auditInMemory({ ...common, subject, known })
  const foundBy: Record<string, number> = {}
  let found = 0
  for (const [b, carriers] of attacked.carriers.entries()) {
    for (const [i, carries] of carriers.entries()) {
      if (!carries) continue
      const by = results.filter((r) => r.flagged[b]?.[i] === 1)
      for (const { detector } of by) foundBy[detector] = (foundBy[detector] ?? 0) + 1
      if (by.length > 0) found++
    }
  }
  return { carriers: attacked.count, found, foundBy, findings: results.flatMap((r) => namesOf(r.findings)) }
}

/** Findings of medium severity or above, as what they are about. */
export const namesOf = (findings: readonly Finding[]): readonly string[] =>
  findings
    .filter((f) => severities.indexOf(f.severity) <= severities.indexOf('medium'))
    .map((f) => JSON.stringify([f.rule, f.scope.kind, ...f.scope.names]).slice(0, 500))
