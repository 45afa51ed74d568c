import type { Artifact, Location, Log, Notification, ReportingDescriptor, Result, ToolComponent } from 'sarif'
import { clip, visible } from '../escape.ts'
import { shownWords } from '../evidence.ts'
import { explainRule } from '../explain.ts'
import { pEquals, plural } from '../format.ts'
import type { KnownRow } from '../known.ts'
import { unitOf } from '../provenance-words.ts'
import type { Report, ReportFinding, ReportRecord } from '../schema.ts'

const schema = 'https://json.schemastore.org/sarif-2.1.0.json'
const maxResults = 5_000
const maxLocations = 10

const levels: { readonly [S in ReportFinding['severity']]: Result.level } = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  review: 'none',
}
/** SARIF's rank is 0..100; a finding lies in the band of its severity, by its strongest record. */
const bands: { readonly [S in ReportFinding['severity']]: number } = { critical: 90, high: 70, medium: 45, low: 20, review: 5 }
const bandWidth = 10
/** CVSS-like number that code scanning sorts by. */
const securitySeverity: { readonly [S in ReportFinding['severity']]: string } = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  review: '0.1',
}

const show = (text: string): string => clip(visible(text), 1_000)
/** A sentence whose brackets are not taken for the embedded links of SARIF messages. */
const message = (text: string): string => show(text).replace(/[\\[\]]/g, '\\$&')

/** A relative URI reference of a shard or file name: what precedes `#first+rows`. */
const uriOf = (name: string): string =>
  name
    .replace(/#\d+\+\d+$/, '')
    .split(/[\\/]/)
    .filter((part) => part !== '' && part !== '.')
    .map((part) => encodeURIComponent(part.replace(/\p{Cs}/gu, '\ufffd')))
    .join('/') || 'data'

/** SARIF 2.1.0 (OASIS, 2020): one result a finding, native taxonomies, waivers as suppressions. */
export async function renderSarif(report: Report): Promise<string> {
  const rules = await Promise.all(report.rules.map((rule) => toRule(rule, report)))
  const shown = report.findings.slice(0, maxResults)
  const absent = (report.known ?? []).filter((k) => k.state === 'stale').slice(0, maxResults - shown.length)
  const log: Log = {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'assay',
            semanticVersion: report.tool.version,
            version: report.tool.version,
            shortDescription: { text: 'Audits training data for poisoning' },
            rules,
            supportedTaxonomies: report.taxonomies.map((t, index) => ({ name: t.name, index })),
          },
        },
        taxonomies: report.taxonomies.map((t) => toTaxonomy(t, report)),
        invocations: [
          {
            executionSuccessful: report.verdict === 'passed' || report.verdict === 'failed',
            exitCode: report.exitCode,
            exitCodeDescription: report.verdict,
            startTimeUtc: report.startedAt,
            toolExecutionNotifications: report.reasons.filter((r) => r.verdict !== 'failed').map(toNotification),
          },
        ],
        artifacts: report.inputs.map(
          (input): Artifact => ({
            location: { uri: uriOf(input.id) },
            length: input.bytes,
            ...(/^[0-9a-f]{64}$/.test(input.sha256) ? { hashes: { 'sha-256': input.sha256 } } : {}),
            roles: input.over === 'subject' ? ['analysisTarget'] : ['referencedOnCommandLine'],
          }),
        ),
        results: [...shown.map((finding) => toResult(finding, report)), ...absent.map((k) => toAbsent(k, report))],
        columnKind: 'utf16CodeUnits',
        properties: {
          verdict: report.verdict,
          headline: show(report.headline),
          subject: show(report.subject.name),
          rowsRead: report.rows.read,
          rowsFlagged: report.rows.flagged,
          planDigest: show(report.plan.digest),
          ...(shown.length < report.findings.length ? { findingsLeftOut: report.findings.length - shown.length } : {}),
        },
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

async function toRule(rule: Report['rules'][number], report: Report): Promise<ReportingDescriptor> {
  const page = await explainRule(rule.id).catch(() => null)
  const text = `Run "assay explain ${show(rule.id)}" for what it means, how it is found and what to do.`
  const worst = report.findings.find((f) => f.rule === rule.id)?.severity
  return {
    id: show(rule.id),
    name: show(rule.id).replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, c: string) => c.toUpperCase()),
    shortDescription: { text: show(rule.title) },
    help: { text, ...(page === null ? {} : { markdown: page }) },
    relationships: rule.taxa.map((taxon) => {
      const index = report.taxonomies.findIndex((t) => t.key === taxon.taxonomy)
      return {
        target: { id: taxon.id, toolComponent: { name: report.taxonomies[index]?.name ?? taxon.taxonomy, index } },
        kinds: ['relevant'],
      }
    }),
    properties: {
      tags: ['security', 'data-poisoning', show(rule.family)],
      ...(worst ? { 'security-severity': securitySeverity[worst] } : {}),
    },
  }
}

function toTaxonomy(taxonomy: Report['taxonomies'][number], report: Report): ToolComponent {
  const ids = new Map(report.rules.flatMap((r) => r.taxa.filter((t) => t.taxonomy === taxonomy.key).map((t) => [t.id, t.name] as const)))
  return {
    name: taxonomy.name,
    version: taxonomy.version,
    organization: taxonomy.organization,
    informationUri: taxonomy.url,
    shortDescription: { text: `${taxonomy.name} ${taxonomy.version}: what a finding is evidence relevant to` },
    isComprehensive: false,
    taxa: [...ids].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, name]) => ({ id, name, shortDescription: { text: name } })),
  }
}

function toNotification(reason: Report['reasons'][number]): Notification {
  const text = message(reason.hint ? `${reason.message}. ${reason.hint}` : reason.message)
  const file = reason.place?.file
  return {
    level: 'error',
    message: { text },
    descriptor: { id: reason.code },
    ...(file ? { locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) } } }] } : {}),
  }
}

function toResult(finding: ReportFinding, report: Report): Result {
  const strongest = Math.max(0, ...finding.records.map((i) => scoreOf(report.records[i] as ReportRecord, finding)))
  const facts = [
    plural(finding.count, unitOf(finding)),
    finding.test ? `${pEquals(finding.test.adjusted)} after correction` : 'no test behind it',
  ].join(', ')
  const waiver =
    finding.status === 'waived' ? report.waivers.find((w) => w.fingerprint === finding.fingerprint && w.state === 'applied') : undefined
  const known = report.known?.find((k) => k.fingerprint === finding.fingerprint)
  return {
    ruleId: show(finding.rule),
    ruleIndex: report.rules.findIndex((r) => r.id === finding.rule),
    kind: finding.severity === 'review' ? 'review' : 'fail',
    level: levels[finding.severity],
    message: { text: `${message(finding.message)} (${facts}) ${message(finding.action)}` },
    locations: locationsOf(finding, report),
    partialFingerprints: { 'assay/v1': finding.fingerprint },
    rank: Number((bands[finding.severity] + bandWidth * strongest).toFixed(1)),
    occurrenceCount: Math.max(1, finding.count),
    taxa: finding.taxa.map((taxon) => {
      const index = report.taxonomies.findIndex((t) => t.key === taxon.taxonomy)
      return { id: taxon.id, toolComponent: { name: report.taxonomies[index]?.name ?? taxon.taxonomy, index } }
    }),
    suppressions: waiver
      ? [{ kind: 'external', status: 'accepted', justification: `${show(waiver.statement)} (until ${show(waiver.expires)})` }]
      : [],
    ...(report.known === null ? {} : { baselineState: known === undefined ? 'new' : known.state === 'grew' ? 'updated' : 'unchanged' }),
    properties: {
      severity: finding.severity,
      confidence: finding.confidence,
      scope: { kind: finding.scope.kind, names: finding.scope.names.map(show) },
      gates: finding.gates,
      ...(shownWords(finding.evidence) === '' ? {} : { evidence: shownWords(finding.evidence) }),
      ...(finding.test ? { p: finding.test.p, adjustedP: finding.test.adjusted, method: show(finding.test.method) } : {}),
    },
  }
}

/** What was accepted and is no longer found. */
function toAbsent(known: KnownRow, report: Report): Result {
  const ruleIndex = report.rules.findIndex((r) => r.id === known.rule)
  return {
    ruleId: show(known.rule),
    ...(ruleIndex < 0 ? {} : { ruleIndex }),
    kind: 'pass',
    level: 'none',
    message: { text: `${message(known.message)} (accepted on ${show(known.accepted)}, no longer found)` },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(report.inputs[0]?.id ?? 'data') }, region: { startLine: 1 } } }],
    partialFingerprints: { 'assay/v1': known.fingerprint },
    baselineState: 'absent',
  }
}

const scoreOf = (record: ReportRecord, finding: ReportFinding): number =>
  record.parts.find((p) => p.fingerprint === finding.fingerprint)?.score ?? 0

/** One location a file, with its strongest records as logical locations; the first input where no record is shown. */
function locationsOf(finding: ReportFinding, report: Report): Location[] {
  const byFile = new Map<string, ReportRecord[]>()
  for (const index of finding.records) {
    const record = report.records[index] as ReportRecord
    const uri = uriOf(record.shard)
    byFile.set(uri, [...(byFile.get(uri) ?? []), record])
  }
  // Code scanning accepts no location without a line; a row of a binary file has none, so it is the first.
  const region = { startLine: 1 }
  const at = (uri: string): Location => ({ physicalLocation: { artifactLocation: { uri }, region } })
  const files = filesOf(finding, report)
  if (files.length > 0) return files.slice(0, maxLocations).map((file) => at(uriOf(file)))
  if (byFile.size === 0) return [at(uriOf(report.inputs[0]?.id ?? 'data'))]
  return [...byFile].slice(0, maxLocations).map(([uri, records]) => ({
    ...at(uri),
    logicalLocations: records.slice(0, maxLocations).map((r) => ({
      kind: 'record',
      name: show(r.id ?? `row ${r.row}`),
      fullyQualifiedName: `${show(r.shard)}#${r.row}`,
    })),
  }))
}

/** Files that a finding is about: its scope names them, or the grade that its rule is named after. */
function filesOf(finding: ReportFinding, report: Report): readonly string[] {
  const { provenance } = report
  if (unitOf(finding) === 'place') return finding.scope.names.slice(0, 1).map((path) => below(provenance?.root ?? null, path))
  if (!provenance || unitOf(finding) !== 'file') return []
  const known = new Set([...provenance.files.map((f) => f.path), ...provenance.manifests.map((m) => m.file)])
  const named = finding.scope.names.filter((n) => known.has(n))
  const grade = gradeOfRule[finding.rule]
  const paths = named.length > 0 ? named : provenance.files.filter((f) => f.grade === grade).map((f) => f.path)
  return paths.map((path) => below(provenance.root, path))
}

/** As the inputs of an audit are named: from where it was started. Never upwards. */
const below = (root: string | null, path: string): string =>
  root === null || /^([/\\]|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)/.test(root) ? path : `${root}/${path}`

const gradeOfRule: { readonly [rule: string]: string } = {
  'provenance/mismatch': 'mismatched',
  'provenance/missing': 'missing',
  'provenance/unlisted': 'unlisted',
  'provenance/weak-digest': 'weak-digest',
}
