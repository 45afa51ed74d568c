import type { Conclusion } from '../contracts/detector.ts'
import type { Evidence, Finding, Cell as TableCell, Test } from '../contracts/finding.ts'
import type { FileGrade } from '../contracts/provenance.ts'
import { clopperPearson } from '../math/tests.ts'
import { type Cell, type DomainCell, type SplitCounts, splitCounts } from './split-view-counts.ts'
import { type Excess, excesses } from './split-view-tests.ts'

const level = 0.05
const maxFindings = 20
const maxRows = 20
/** One domain with so large a share of all differences is told whatever the tests say, from this number of them on. */
const piledShare = 0.9
const leastPiled = 5

const number = (n: number): string => n.toLocaleString('en-US')
const percent = (k: number, n: number): string => (n === 0 ? '-' : `${((100 * k) / n).toFixed(1)} %`)
const average = (n: number): string => (n < 10 ? n.toFixed(1) : number(Math.round(n)))
function chance(logP: number): string {
  if (logP < -690) return 'p below 1e-299'
  const p = Math.exp(logP)
  return `p = ${p < 0.001 ? p.toExponential(1) : p.toPrecision(2)}`
}
const files = (n: number): string => (n === 1 ? '1 file' : `${number(n)} files`)

const testId = ({ family, domain, label }: Excess): string =>
  `split-view/${family}${domain === null && label === null ? '' : `: ${[domain, label].filter((part) => part !== null).join(', ')}`}`

const testOf = (excess: Excess): Test => ({ id: testId(excess), method: excess.method, p: Math.exp(excess.logP) })

function message(excess: Excess, { all }: SplitCounts): string {
  const { family, domain, label, differ, compared, expected, logP } = excess
  const p = chance(logP)
  if (family === 'domain') {
    const others = percent(all.differ - differ, all.compared - compared)
    return `${number(differ)} of ${files(compared)} from ${domain} differ from the table (${percent(differ, compared)}), and ${others} of those from elsewhere: more than sites differ by themselves (${p}).`
  }
  if (family === 'label of a domain')
    return `On ${domain}, ${number(differ)} of ${files(compared)} labelled "${label}" differ from the table where changes that know no labels would make ${average(expected)} (${p}).`
  if (family === 'label')
    return `${number(differ)} of ${files(compared)} labelled "${label}" differ from the table where each site's changes, spread over its labels, would make ${average(expected)} (${p}).`
  return `${number(differ)} sites that changed for the most part hold mostly "${label}", as do ${number(compared)} of all sites as large: by chance it would be ${average(expected)} (${p}).`
}

const actions: Readonly<Record<Excess['family'], string>> = {
  domain:
    'Leave out the files from this domain until you know who holds it now: look up when its registration changed, and look at what the files show.',
  'label of a domain': 'Leave out the files of this label from this domain, and look at what they show now.',
  label: 'Leave out the files of this label that differ, and look at what they show now.',
  'label of changed domains':
    'Leave out the files from these sites, look up when their registrations changed, and look at what the files show.',
}

function finding(excess: Excess, counts: SplitCounts): Finding {
  const { family, domain, label, differ } = excess
  const names = [domain, label].filter((part) => part !== null)
  return {
    rule: 'provenance/split-view',
    severity: 'high',
    // a site that was rebuilt changes as wholly as one that was sold
    confidence: family === 'domain' ? 'medium' : 'high',
    scope: { kind: domain === null ? 'class' : 'source', names },
    message: message(excess, counts),
    count: differ,
    records: [],
    evidence: [shares(counts, domain), domainTable(counts), ...labelTable(counts)],
    test: testId(excess),
    action: actions[family],
  }
}

const byDifference = (a: Cell, b: Cell): number => b.differ - a.differ || b.compared - a.compared

const leading = ({ domains }: SplitCounts): readonly DomainCell[] =>
  domains.toSorted((a, b) => byDifference(a, b) || (a.domain < b.domain ? -1 : 1)).slice(0, maxRows)

function shares(counts: SplitCounts, marked: string | null): Evidence {
  const shown = leading(counts).filter(({ compared }) => compared > 0)
  return {
    kind: 'intervals',
    title: 'Share of files that differ from the table, by domain',
    level: 0.95,
    expected: counts.all.differ / counts.all.compared,
    items: shown.map(({ domain, differ, compared }) => ({
      name: domain,
      count: differ,
      total: compared,
      ...clopperPearson(differ, compared),
      marked: domain === marked,
    })),
  }
}

const ofAll = (title: string, shown: number, all: number): string => (shown < all ? `${title} (${shown} of ${number(all)})` : title)

function table(title: string, columns: readonly string[], rows: readonly (readonly TableCell[])[], all: number): Evidence {
  return { kind: 'table', title: ofAll(title, rows.length, all), columns, rows }
}

/** The label of which most files differ. */
function mostChanged({ labels }: DomainCell): string | null {
  const [first] = Array.from(labels).sort(([, a], [, b]) => byDifference(a, b))
  return first && first[1].differ > 0 ? `${first[0]} (${number(first[1].differ)} of ${number(first[1].compared)})` : null
}

function domainTable(counts: SplitCounts): Evidence {
  const rows = leading(counts).map((cell) => [
    cell.domain,
    cell.compared,
    cell.differ,
    percent(cell.differ, cell.compared),
    cell.contents.size,
    cell.missing,
    cell.hashless,
    mostChanged(cell),
  ])
  const columns = ['domain', 'compared', 'differ', 'share', 'distinct contents', 'missing', 'no digest', 'label that differs most']
  return table('Domains', columns, rows, counts.domains.length)
}

function labelTable({ labels }: SplitCounts): Evidence[] {
  if (labels.size === 0) return []
  const sorted = Array.from(labels).sort(([x, a], [y, b]) => byDifference(a, b) || (x < y ? -1 : 1))
  const rows = sorted
    .slice(0, maxRows)
    .map(([label, { compared, differ, missing, hashless }]) => [label, compared, differ, percent(differ, compared), missing, hashless])
  return [table('Labels', ['label', 'compared', 'differ', 'share', 'missing', 'no digest'], rows, labels.size)]
}

/** A fact, not a test: where hardly anything else differs, nothing says how sites change by themselves. */
function piled(counts: SplitCounts, found: readonly Excess[]): Finding[] {
  const { all } = counts
  const [first] = leading(counts)
  if (!first || all.differ < leastPiled || first.differ < piledShare * all.differ || 2 * first.compared > all.compared) return []
  if (found.some(({ domain, family }) => family === 'domain' && domain === first.domain)) return []
  const same = first.contents.size === 1 && first.differ > 1 ? ' They all have the same content.' : ''
  return [
    {
      rule: 'provenance/split-view',
      severity: 'medium',
      confidence: 'certain',
      scope: { kind: 'source', names: [first.domain] },
      message: `Of ${files(all.differ)} that differ from the table, ${number(first.differ)} come from ${first.domain}, where ${number(first.differ)} of ${number(first.compared)} differ: its owner replaced them, or it has another owner.${same}`,
      count: first.differ,
      records: [],
      evidence: [shares(counts, first.domain), domainTable(counts), ...labelTable(counts)],
      test: null,
      action: actions.domain,
    },
  ]
}

function notes({ all, domains, labels }: SplitCounts): string[] {
  const members = all.compared + all.missing + all.hashless
  const sentences = [
    `${files(members)} of ${number(domains.length)} domains stand behind addresses: ${number(all.compared)} were compared, ${number(all.differ)} differ, ${number(all.missing)} are missing, ${number(all.hashless)} have no digest.`,
  ]
  if (2 * all.differ > all.compared)
    sentences.push(
      'More than half of the files behind addresses differ: they were converted after the download, or the table is of another version. Where they differ tells nothing then.',
    )
  else if (all.differ > 0)
    sentences.push(
      'Sites change by themselves, also wholly. A domain is called out only beyond what a beta-binomial of the other domains allows, and where no other changed like it; a label only beyond what each site changed anyway.',
    )
  if (labels.size === 0) sentences.push('The table has no labels: whether changes aim at a class was not tested.')
  return sentences
}

/**
 * Members of tables of URLs that are no longer what the table's author saw, by owner of the domain and by label. Links decay
 * everywhere; whoever buys an expired domain changes what stands behind that one (Carlini et al. 2023, arXiv 2302.10149).
 */
export function splitView(graded: readonly FileGrade[]): Conclusion {
  const counts = splitCounts(graded)
  if (counts.domains.length === 0) return { findings: [], tests: [], notes: [] }
  const tested = excesses(counts)
  const found = tested.filter(({ logP }) => logP <= Math.log(level))
  const findings = [...found.slice(0, maxFindings).map((excess) => finding(excess, counts)), ...piled(counts, found)]
  const more = found.length > maxFindings ? [`${number(found.length - maxFindings)} more concentrations are not listed.`] : []
  return { findings, tests: tested.map(testOf), notes: [...notes(counts), ...more] }
}
