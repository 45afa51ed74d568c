import type { Conclusion } from '../contracts/detector.ts'
import type { Finding } from '../contracts/finding.ts'
import type { Declared } from '../contracts/pipeline.ts'
import type { DeclaredFacts, FactCheck, ReadFacts } from '../contracts/provenance.ts'
import { classChecks, columnChecks, fileChecks, number, overlap, rowChecks } from './facts/compare.ts'

const pipelineFile = 'the pipeline file'

/** `subject.declared` of the pipeline file as facts like any other's. */
export const declaredByPipeline = (declared: Declared): DeclaredFacts => ({
  rows: declared.rows ?? null,
  classes: declared.classes ?? null,
  columns: declared.columns?.map((name) => ({ name, type: null })) ?? null,
  splits: null,
  files: declared.files ? Object.entries(declared.files).map(([path, bytes]) => ({ path, bytes })) : null,
  by: pipelineFile,
})

/**
 * Holds what was declared against what was read. One check for each fact; `agrees` is null where nothing was read to compare.
 * Of several record sets, configurations or resources of one file, the one that the data are is checked: its columns were read, and its rows.
 */
export function checkFacts(declared: readonly DeclaredFacts[], read: ReadFacts): FactCheck[] {
  const groups = new Map<string, DeclaredFacts[]>()
  for (const facts of declared) {
    const file = fileOf(facts.by)
    groups.set(file, [...(groups.get(file) ?? []), facts])
  }
  return [...groups].flatMap(([file, group]) => {
    const facts = chosen(group, read)
    if (!facts) return [{ by: file, name: 'rows', declared: `${group.length} tables`, read: null, agrees: null }]
    const columns = facts.by === pipelineFile || overlap(facts, read.columns) > 0 ? read.columns : null
    return [
      ...rowChecks(facts, read),
      ...classChecks(facts, read.labels),
      ...columnChecks(facts, columns),
      ...fileChecks(facts, read.files),
    ]
  })
}

const fileOf = (by: string): string => /^(.*?), (?:record set|configuration|resource) /s.exec(by)?.[1] ?? by

function chosen(group: readonly DeclaredFacts[], read: ReadFacts): DeclaredFacts | null {
  const [first, ...others] = group
  if (!first || others.length === 0) return first ?? null
  const common = group.map((facts) => overlap(facts, read.columns))
  const most = Math.max(...common)
  const alike = group.filter((_, i) => common[i] === most)
  if (alike.length === 1 && most > 0) return alike[0] as DeclaredFacts
  const agreeing = alike.filter((facts) => facts.rows !== null && rowChecks(facts, read).every(({ agrees }) => agrees !== false))
  return agreeing.length === 1 ? (agreeing[0] as DeclaredFacts) : null
}

const maxNamed = 12
const maxTabled = 1_000

/** One finding for each declarer that disagrees with the data, naming every disagreement with its numbers (rule `provenance/declared-facts`). */
export function factFindings(checks: readonly FactCheck[]): Conclusion {
  const declarers = [...new Set(checks.map(({ by }) => by))]
  const findings = declarers.flatMap((by) => {
    const disagreements = checks.filter((each) => each.by === by && each.agrees === false)
    return disagreements.length === 0 ? [] : [findingOf(by, disagreements)]
  })
  const unread = checks.filter(({ agrees }) => agrees === null).length
  const agreeing = checks.filter(({ agrees }) => agrees).length
  const notes =
    checks.length === 0
      ? []
      : [
          `Declared facts: ${number(agreeing)} of ${number(checks.length)} agree with what was read${unread > 0 ? `, ${number(unread)} could not be compared` : ''}.`,
        ]
  return { findings, tests: [], notes }
}

function findingOf(by: string, disagreements: readonly FactCheck[]): Finding {
  const named = disagreements.slice(0, maxNamed).map(sentence)
  const more = disagreements.length > maxNamed ? `; and ${number(disagreements.length - maxNamed)} more` : ''
  return {
    rule: 'provenance/declared-facts',
    severity: disagreements.every(({ name }) => name.startsWith('column ')) ? 'medium' : 'high',
    confidence: 'certain',
    scope: { kind: 'dataset', names: [by] },
    message: `The data are not what ${by} declares: ${named.join('; ')}${more}.`,
    count: concerned(disagreements),
    records: [],
    evidence: [
      {
        kind: 'table',
        title: `Declared by ${by}`,
        columns: ['what', 'declared', 'read'],
        rows: disagreements.slice(0, maxTabled).map(({ name, declared, read }) => [name, declared, read]),
      },
    ],
    test: null,
    action: 'Ask the publisher which of the two is right, and do not train on the data before the difference is explained.',
  }
}

const counted = (text: string | null): number | null => (text !== null && /^\d[\d,]*$/.test(text) ? Number(text.replaceAll(',', '')) : null)

function difference({ declared, read }: FactCheck): number | null {
  const [expected, found] = [counted(declared), counted(read)]
  return expected === null || found === null ? null : found - expected
}

function sentence(each: FactCheck): string {
  const change = difference(each)
  const words = change === null ? '' : `: ${number(Math.abs(change))} ${change < 0 ? 'fewer' : 'more'}`
  if (each.name === 'rows') return `${each.declared} rows were declared and ${each.read} were read${words}`
  const name = each.name.replace(/^rows of (?:class (?!\d))?/, '')
  return `${name}${/^class \d/.test(name) ? ':' : ''} ${each.declared} declared, ${each.read} read`
}

/** Rows that are too many or too few: by class where classes are known, for a loss in one and a gain in another count both. */
function concerned(disagreements: readonly FactCheck[]): number {
  const sum = (prefix: string) =>
    disagreements
      .filter(({ name }) => name.startsWith(prefix))
      .reduce((total, each) => total + Math.abs(difference(each) ?? counted(each.read) ?? 0), 0)
  const whole = disagreements.find(({ name }) => name === 'rows')
  return Math.max(sum('rows of class '), sum('rows of split '), Math.abs(whole ? (difference(whole) ?? 0) : 0))
}
