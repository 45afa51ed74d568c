import type { Finding } from '../../contracts/finding.ts'
import { coverageId, type DetectorOutcome, type Incomplete } from '../../contracts/outcome.ts'
import type { AttackSensitivity, SensitivityOutcome, SensitivityRate, SensitivityTrial } from '../../contracts/sensitivity.ts'
import { formatPercent, plural } from '../../report/format.ts'
import type { Run } from '../run.ts'
import { applicable, type Case } from './cases.ts'
import { meanWithInterval } from './interval.ts'
import { readTrials } from './rounds.ts'
import { blindSpotRule } from './rule.ts'
import { namesOf, trialFile, trialsOf } from './trials.ts'

/** Found: this share of the carriers. */
const wellFound = 0.9
/** Below it an attack is a blind spot. */
const blind = 0.5

function rateOf(trials: readonly SensitivityTrial[], already: ReadonlySet<string>): SensitivityRate {
  const first = trials[0] as SensitivityTrial
  return {
    rate: first.rate,
    carriers: first.carriers,
    trials: trials.length,
    ...meanWithInterval(trials.map((t) => t.found / t.carriers)),
    alarmed: trials.filter((t) => t.findings.some((name) => !already.has(name))).length,
  }
}

function smallestRate(rates: readonly SensitivityRate[]): number | null {
  let smallest: number | null = null
  for (const { rate, recall } of [...rates].reverse()) {
    if (recall < wellFound) break
    smallest = rate
  }
  return smallest
}

function attackOf({ id, title, attack }: Case, trials: readonly SensitivityTrial[], already: ReadonlySet<string>): AttackSensitivity {
  const tried = trials.filter((t) => t.attack === id)
  const measured = tried.filter((t) => t.reason === null && t.carriers > 0)
  const byDetector = new Map<string, number>()
  for (const t of measured)
    for (const [detector, n] of Object.entries(t.foundBy)) byDetector.set(detector, (byDetector.get(detector) ?? 0) + n)
  const values = [...new Set(measured.map((t) => t.rate))].sort((a, b) => a - b)
  const rates = values.map((rate) =>
    rateOf(
      measured.filter((t) => t.rate === rate),
      already,
    ),
  )
  return {
    attack: id,
    title,
    family: attack.family,
    detectors: [...byDetector].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([detector]) => detector),
    rates,
    smallestRate: smallestRate(rates),
    reason: measured.length > 0 ? null : (tried.find((t) => t.reason !== null)?.reason ?? 'the time did not suffice'),
  }
}

export interface SensitivityResult {
  readonly outcome: Omit<SensitivityOutcome, 'of'>
  readonly detector: DetectorOutcome
  readonly incomplete: readonly Incomplete[]
}

/** What the trials that were done say; null where none was asked for. */
export async function concludeSensitivity(run: Run, findings: readonly Finding[]): Promise<SensitivityResult | null> {
  const spec = run.plan.pipeline.sensitivity
  if (!spec) return null
  const planned = trialsOf(run.plan)
  const trials = await readTrials(run.dir, run.plan)
  const skipped = planned.filter((t) => !run.done(trialFile(t))).length
  const already = new Set(namesOf(findings))
  const rows = trials.reduce((most, t) => Math.max(most, t.rows), 0)
  const attacks = applicable(spec, run.plan.subject.roles).map((c) => attackOf(c, trials, already))
  const outcome = { spec, rows, skipped, attacks }
  const detector: DetectorOutcome = {
    id: coverageId,
    version: 1,
    title: 'Sensitivity to known attacks',
    rules: [blindSpotRule],
    status: 'ran',
    reason: `${plural(attacks.length, 'attack')} tried on ${plural(rows, 'record')} of this data set, in memory`,
    required: run.plan.pipeline.gate.require.includes(coverageId),
    options: null,
    rowsScored: 0,
    rowsFlagged: 0,
    thresholds: [],
    notes: outcome.skipped > 0 ? [`${plural(outcome.skipped, 'trial')} of ${planned.length} did not fit into the time`] : [],
    findings: attacks.flatMap((a) => blindSpot(a, spec.rate)),
    tests: [],
  }
  return { outcome, detector, incomplete: trials.flatMap((t) => t.failure ?? []) }
}

function blindSpot({ attack, title, rates }: AttackSensitivity, at: number): readonly Finding[] {
  const measured = rates.find((r) => r.rate === at)
  if (!measured || measured.recall >= blind) return []
  return [
    {
      rule: blindSpotRule.id,
      severity: 'low',
      confidence: 'high',
      scope: { kind: 'dataset', names: [attack] },
      message: `Had ${formatPercent(at)} of the records carried the attack ${attack} (${title}), ${formatPercent(measured.recall)} of them would have been flagged`,
      count: 0,
      records: [],
      evidence: [
        {
          kind: 'intervals',
          title: 'Share of the carriers that would have been flagged, by rate',
          level: 0.95,
          expected: null,
          items: rates.map((r) => ({
            name: formatPercent(r.rate),
            count: Math.round(r.recall * r.carriers),
            total: r.carriers,
            estimate: r.recall,
            low: r.low ?? 0,
            high: r.high ?? 1,
            marked: r.rate === at,
          })),
        },
      ],
      test: null,
      action:
        'Do not read the absence of findings as the absence of this attack. Trusted records under reference:, an embedding of the model that is trained, a source column or a larger data set each make an audit see more.',
    },
  ]
}
