import type { Report } from '../report/schema.ts'
import type { Case } from './cases.ts'
import type { Contents, Shown } from './content.ts'
import { type Decision, findingName, type Held, lastOf, nameOf, recordName, replay } from './decision.ts'
import { ReviewError } from './errors.ts'
import { type DecisionLog, type NewDecision, undoOf } from './log.ts'

/** What is decided about: a flagged record or a finding, by its position. */
export interface Target {
  readonly kind: 'record' | 'finding'
  readonly at: number
}

export interface Choice {
  readonly target: Target
  readonly decision: 'confirm' | 'dismiss' | 'relabel' | 'note'
  readonly label: string | null
  readonly note: string | null
}

export interface Outcome {
  readonly target: Target
  readonly held: Held | null
}

export interface Desk {
  readonly report: Report
  readonly cases: readonly Case[]
  /** Flagged records that are not among the cases, because there are too many. */
  readonly left: number
  readonly reviewer: string
  readonly torn: boolean
  contents(at: readonly number[]): Promise<readonly Shown[]>
  held(): Promise<{ readonly records: ReadonlyMap<number, Held>; readonly findings: ReadonlyMap<number, Held>; readonly other: number }>
  decide(choice: Choice): Promise<Outcome>
  /** Takes back the reviewer's last decision; null where there is none. */
  undo(): Promise<Outcome | null>
}

interface Parts {
  readonly report: Report
  readonly digest: string
  readonly cases: readonly Case[]
  readonly left: number
  readonly contents: Contents
  readonly log: DecisionLog
  readonly reviewer: string
}

/** Where decisions are made: on what the run flagged, kept in its log. */
export function openDesk({ report, digest, cases, left, contents, log, reviewer }: Parts): Desk {
  const places = new Map<string, Target>([
    ...report.findings.map((f, at): [string, Target] => [findingName(f.fingerprint), { kind: 'finding', at }]),
    ...cases.map((c, at): [string, Target] => [recordName(c.shard, c.row), { kind: 'record', at }]),
  ])
  const ofThis = async (): Promise<readonly Decision[]> => (await log.lines()).filter((l) => l.report === digest)
  const outcome = async (target: Target): Promise<Outcome> => {
    const name = nameOfTarget(target)
    return { target, held: replay(await ofThis()).get(name) ?? null }
  }
  const nameOfTarget = ({ kind, at }: Target): string =>
    kind === 'finding'
      ? findingName((report.findings[at] as Report['findings'][number]).fingerprint)
      : recordName((cases[at] as Case).shard, (cases[at] as Case).row)

  async function lineFor({ target, decision, label, note }: Choice): Promise<NewDecision> {
    const base = { decision, undoes: null, label: decision === 'relabel' ? label : null, note }
    if (target.kind === 'finding') {
      const f = report.findings[target.at]
      if (!f) throw new ReviewError('bad-request', 'there is no such finding')
      if (decision === 'relabel') throw new ReviewError('bad-request', 'a finding has no label')
      return { ...base, key: null, id: null, shard: null, row: null, finding: f.fingerprint, rule: f.rule, givenLabel: null }
    }
    const c = cases[target.at]
    if (!c) throw new ReviewError('bad-request', 'there is no such record')
    if (decision === 'relabel' && (label === null || label === c.givenLabel)) throw new ReviewError('bad-request', 'name another label')
    const [shown] = (await contents.read([c])) as [Shown]
    if ('changed' in shown)
      throw new ReviewError('changed-input', `${shown.changed} is not the file that was audited: audit again before you decide`)
    if ('missing' in shown) throw new ReviewError('changed-input', 'the record can no longer be read')
    return {
      ...base,
      key: shown.key,
      id: c.id,
      shard: c.shard,
      row: c.row,
      finding: report.findings[c.findings[0] ?? -1]?.fingerprint ?? null,
      rule: c.parts[0]?.rule ?? null,
      givenLabel: c.givenLabel,
    }
  }

  return {
    report,
    cases,
    left,
    reviewer,
    torn: log.torn,
    contents: (at) => contents.read(at.flatMap((i) => cases[i] ?? [])),
    async held() {
      const all = await log.lines()
      const records = new Map<number, Held>()
      const findings = new Map<number, Held>()
      for (const [name, held] of replay(all.filter((l) => l.report === digest))) {
        const target = places.get(name)
        if (target) (target.kind === 'record' ? records : findings).set(target.at, held)
      }
      return { records, findings, other: all.filter((l) => l.report !== digest && nameOf(l) !== null).length }
    },
    async decide(choice) {
      await log.append(await lineFor(choice))
      return outcome(choice.target)
    },
    async undo() {
      const last = lastOf(await ofThis(), reviewer)
      if (!last) return null
      await log.append(undoOf(last))
      const target = places.get(nameOf(last) as string)
      return target ? outcome(target) : null
    },
  }
}
