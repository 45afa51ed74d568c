import type { Report, ReportFinding } from '../report/schema.ts'
import type { Flag } from './flags.ts'

export interface Part {
  readonly rule: string
  readonly score: number
  readonly pValue: number | null
  readonly suggestedLabel: string | null
  readonly group: string | null
}

/** A flagged record, once, with a part for each flag. */
export interface Case {
  readonly id: string | null
  readonly shard: string
  readonly row: number
  readonly givenLabel: string | null
  /** That of the strongest part which has one. */
  readonly suggestedLabel: string | null
  /** 1 less the product over the detectors of 1 less the strongest score of each, as in the report. */
  readonly score: number
  /** Strongest first. */
  readonly parts: readonly Part[]
  /** Positions among the findings of the report. */
  readonly findings: readonly number[]
}

export const maxCases = 200_000

/**
 * Whether a flag belongs to a finding, as far as its row tells: it is listed there, or it has the pair of labels, the group or the class
 * that the finding is about. Of a finding about a source only the listed records are known.
 */
function belongs(f: ReportFinding, flag: Flag): boolean {
  if (f.detector !== flag.detector) return false
  const { kind, names } = f.scope
  if (kind === 'class-pair') return flag.givenLabel === names[0] && flag.suggestedLabel === names[1]
  if (f.rule !== flag.rule) return false
  if (kind === 'pattern') return flag.group !== null && names.includes(flag.group)
  if (kind === 'class') return flag.givenLabel === names[0] || (flag.group !== null && names.includes(flag.group))
  return kind === 'records' || kind === 'dataset'
}

const placeOf = (shard: string, row: number): string => `${shard}\0${row}`

interface Growing {
  readonly flag: Flag
  readonly parts: (Part & { readonly detector: string })[]
  readonly findings: Set<number>
}

export interface Cases {
  /** Strongest first. */
  readonly cases: readonly Case[]
  /** Flagged records beyond `maxCases`, which are not shown. */
  readonly left: number
}

export async function gatherCases(report: Report, flags: AsyncIterable<Flag>): Promise<Cases> {
  const listed = new Map<string, number[]>()
  for (const [i, f] of report.findings.entries()) {
    for (const at of f.records) {
      const { shard, row } = report.records[at] as Report['records'][number]
      listed.set(placeOf(shard, row), [...(listed.get(placeOf(shard, row)) ?? []), i])
    }
  }
  const found = new Map<string, Growing>()
  const over = new Set<string>()
  for await (const flag of flags) {
    const place = placeOf(flag.shard, flag.row)
    let one = found.get(place)
    if (!one) {
      if (found.size === maxCases) {
        over.add(place)
        continue
      }
      one = { flag, parts: [], findings: new Set(listed.get(place)) }
      found.set(place, one)
    }
    const { rule, detector, score, pValue, suggestedLabel, group } = flag
    one.parts.push({ rule, detector, score, pValue, suggestedLabel, group })
    for (const [i, f] of report.findings.entries()) if (belongs(f, flag)) one.findings.add(i)
  }
  const cases = [...found.values()].map(({ flag: { id, shard, row, givenLabel }, parts, findings }): Case => {
    parts.sort((a, b) => b.score - a.score)
    const strongest = new Map<string, number>()
    for (const { detector, score } of parts) strongest.set(detector, Math.max(score, strongest.get(detector) ?? 0))
    return {
      id,
      shard,
      row,
      givenLabel,
      suggestedLabel: parts.find((p) => p.suggestedLabel !== null)?.suggestedLabel ?? null,
      score: 1 - [...strongest.values()].reduce((product, score) => product * (1 - score), 1),
      parts: parts.map(({ detector: _, ...part }) => part),
      findings: [...findings].sort((a, b) => a - b),
    }
  })
  cases.sort((a, b) => b.score - a.score || (a.shard < b.shard ? -1 : a.shard > b.shard ? 1 : a.row - b.row))
  return { cases, left: over.size }
}
