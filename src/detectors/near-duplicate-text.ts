import { z } from 'zod'
import type { Conclusion, Detector, Flagged } from '../contracts/detector.ts'
import type { Evidence, Finding, Test } from '../contracts/finding.ts'
import { formatCount } from '../math/count.ts'
import { logBinomialUpper, logHypergeometricUpper } from '../math/tests.ts'
import { type BandBuckets, bandBuckets, bandBucketsId } from '../statistics/band-buckets.ts'
import { bandCounts } from '../statistics/band-counts.ts'
import { type Cluster, type ClusterTally, clusterTally, judgeWith } from './near-duplicate-text/clusters.ts'

const nearDuplicateOptions = z.strictObject({
  /** A text that stands in so many variants is a flood. */
  flood: z.int().min(3).default(50),
  /** Buckets that are kept of the MinHash table, of texts that repeat often and of those that do not. */
  buckets: z.int().min(1000).max(4_194_304).default(262_144),
})
type Options = z.infer<typeof nearDuplicateOptions>

const cells = 2 ** 22
const tables = (options: Options) => ({ size: options.buckets, cells })
const level = 0.05
const shown = 10
/** Data with more floods than this are made of templates: each is for review, and no record is flagged for it. */
const mostFloods = 3
const ofTemplates = (floods: Floods): boolean => floods.clusters.length > mostFloods

/** A cluster's sample by label or by answer: how many do not have the most frequent one. */
interface Conflict {
  readonly cluster: Cluster
  readonly known: number
  readonly odd: number
  readonly values: readonly (readonly [string, number])[]
}
type Field = 'label' | 'answer'

function conflictOf(cluster: Cluster, field: Field): Conflict | null {
  const counts = new Map<string, number>()
  for (const m of cluster.members) {
    const value = m[field]
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const values = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const known = values.reduce((sum, [, n]) => sum + n, 0)
  return known < 2 ? null : { cluster, known, odd: known - (values[0]?.[1] ?? 0), values }
}

interface Judged {
  readonly conflict: Conflict
  readonly rate: number
  readonly p: number
}

/** Where near-duplicates differ more often than not, they do so by nature, as answers in talks do: no cluster is then at odds. */
const mostRate = 0.5

/**
 * Is a cluster at odds with itself more often than the others are? Binomial against the rate of all other clusters, the majority's
 * members aside; Bonferroni over the clusters.
 */
function judgeConflicts(clusters: readonly Cluster[], field: Field): Judged[] {
  const all = clusters.map((c) => conflictOf(c, field)).filter((c) => c !== null)
  const [odd, pairs] = all.reduce(([o, n], c) => [o + c.odd, n + c.known - 1], [0, 0])
  return all
    .map((conflict) => {
      const [k, n] = [conflict.odd, conflict.known - 1]
      // One pseudo-count: a data set without any conflict elsewhere does not make one conflict certain.
      const rate = Math.min(1, (odd - k + 1) / (pairs - n + 2))
      return { conflict, rate, p: k === 0 || rate > mostRate ? 1 : Math.min(1, all.length * Math.exp(logBinomialUpper(k, n, rate))) }
    })
    .sort((a, b) => a.p - b.p || b.conflict.odd - a.conflict.odd)
}

const percent = (x: number): string => `${(100 * x).toFixed(x < 0.01 ? 2 : 1)} %`
const flagScore = 0.5

interface Floods {
  readonly clusters: readonly Cluster[]
  readonly tests: readonly Test[]
  readonly byCluster: ReadonlyMap<Cluster, { readonly source: string; readonly count: number; readonly total: number; readonly test: Test }>
}

/** Clusters of at least `flood` records; where there are sources, the one that gives more of it than its share. */
function floodsOf(tally: ClusterTally, options: Options): Floods {
  const clusters = tally.clusters.filter((c) => c.count >= options.flood)
  const { sources } = tally
  const byCluster = new Map<Cluster, { source: string; count: number; total: number; test: Test }>()
  if (!sources) return { clusters, tests: [], byCluster }
  const whole = Object.values(sources).reduce((a, b) => a + b, 0)
  for (const cluster of clusters) {
    const given = Object.values(cluster.sources).reduce((a, b) => a + b, 0)
    const names = Object.keys(sources)
    const cell = Object.entries(cluster.sources)
      .map(([source, count]) => {
        const total = sources[source] as number
        return { source, count, total, p: Math.min(1, names.length * Math.exp(logHypergeometricUpper(count, whole, total, given))) }
      })
      .sort((a, b) => a.p - b.p || b.count - a.count)[0]
    if (!cell) continue
    const method = 'one-sided exact hypergeometric test of the sources of the cluster, Bonferroni over the sources'
    byCluster.set(cluster, { ...cell, test: { id: `near-duplicate-text/flood: ${cluster.groups[0]}`, method, p: cell.p } })
  }
  return { clusters, tests: [...byCluster.values()].map((c) => c.test), byCluster }
}

const conflictsIn = (tally: ClusterTally): { readonly label: Judged[]; readonly answer: Judged[] } => ({
  label: judgeConflicts(tally.clusters, 'label'),
  answer: judgeConflicts(tally.clusters, 'answer'),
})
const inExcess = (judged: readonly Judged[]): readonly Judged[] => judged.filter((j) => j.p <= level)

/**
 * One text many times with small variations, and near-duplicates that contradict each other in label or answer more than the data
 * set's own rate (MinHash: Broder 1997; bands: Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, ch. 3).
 */
export const nearDuplicateText: Detector<Options, ClusterTally, null> = {
  id: 'near-duplicate-text',
  version: 1,
  title: 'Near-duplicate texts',
  rules: [
    { id: 'near-duplicate-text/flood', title: 'One text many times with small variations', family: 'data-provenance' },
    { id: 'near-duplicate-text/label-conflict', title: 'Near-duplicates with different labels', family: 'data-provenance' },
    { id: 'near-duplicate-text/answer-conflict', title: 'Near-duplicates with different answers', family: 'data-provenance' },
  ],
  options: nearDuplicateOptions,
  missing: (setup) => (setup.subject.includes('text') ? null : 'no column has the role text'),
  mode: () => 'MinHash of eight-character shingles, eight bands of eight',
  reads: (_, setup) => ['text', ...(['response', 'label', 'source'] as const).filter((r) => setup.subject.includes(r))],
  statistics: (options) => [bandCounts({ cells }), bandBuckets(tables(options))],
  scorer: (c) => judgeWith(c.summaries.get<BandBuckets>(bandBucketsId(tables(c.options))), c.seed),
  tally: clusterTally,
  decide(c, tally) {
    const { label, answer } = conflictsIn(tally)
    const floods = floodsOf(tally, c.options)
    const of = (rule: string, clusters: readonly Cluster[]) =>
      clusters.flatMap((cluster) => cluster.groups.map((group) => ({ rule, group, atLeast: flagScore })))
    return [
      ...of(
        'near-duplicate-text/label-conflict',
        inExcess(label).map((j) => j.conflict.cluster),
      ),
      ...of(
        'near-duplicate-text/answer-conflict',
        inExcess(answer).map((j) => j.conflict.cluster),
      ),
      ...of('near-duplicate-text/flood', ofTemplates(floods) ? [] : floods.clusters),
    ]
  },
  conclude(c, tally, _, flagged): Conclusion {
    const buckets = c.summaries.get<BandBuckets>(bandBucketsId(tables(c.options)))
    const floods = floodsOf(tally, c.options)
    const conflicts = conflictsIn(tally)
    const findings: Finding[] = floods.clusters.slice(0, shown).map((cluster) => floodFinding(tally, cluster, floods, flagged))
    const tests: Test[] = [...floods.tests]
    for (const field of ['label', 'answer'] as const) {
      const judged = conflicts[field]
      const [strongest] = judged
      if (!strongest) continue
      const test = {
        id: `near-duplicate-text/${field}-conflict: the cluster most at odds`,
        method: 'one-sided exact binomial test against the rate of all other clusters, Bonferroni over the clusters',
        p: strongest.p,
      }
      tests.push(test)
      const excess = inExcess(judged)
      if (excess.length > 0) findings.push(conflictFinding(field, excess, test.id, flagged))
    }
    const near = tally.clusters.reduce((sum, cluster) => sum + cluster.count, 0)
    const notes = [`${near} of ${buckets.texts} texts are near another one, in ${tally.clusters.length} clusters.`]
    if (buckets.limited)
      notes.push(
        `More than ${c.options.buckets} MinHash buckets hold several texts: a keyed sample of them was kept, so that some near-duplicates are not linked; floods have a table of their own.`,
      )
    if (ofTemplates(floods))
      notes.push(
        `${floods.clusters.length} texts stand in ${c.options.flood} variants or more: the data are made of templates, so that these are for review and no record is flagged for them.`,
      )
    if (floods.clusters.length > shown) notes.push(`${floods.clusters.length} floods were found; the ${shown} largest are shown.`)
    return { findings, tests, notes }
  },
}

const recordsOf = (flagged: Flagged, clusters: readonly Cluster[]) => {
  const groups = new Set(clusters.flatMap((cluster) => cluster.groups))
  return flagged.top.filter((r) => r.group !== null && groups.has(r.group)).slice(0, 20)
}

function floodFinding(tally: ClusterTally, cluster: Cluster, floods: Floods, flagged: Flagged): Finding {
  const cell = floods.byCluster.get(cluster)
  const significant = cell && cell.test.p <= level && !ofTemplates(floods)
  const variants = new Set(cluster.members.map((m) => m.text)).size
  const from =
    cell && cell.test.p <= level
      ? `: ${cell.count} come from source "${cell.source}", which gives ${cell.total} of ${tally.rows} records`
      : ''
  const next = tally.clusters.find((other) => other.count < cluster.count)
  const sources = Object.entries(cluster.sources).sort((a, b) => b[1] - a[1])
  const evidence: Evidence[] = [
    {
      kind: 'numbers',
      title: 'The cluster',
      items: [
        { name: 'records', value: cluster.count },
        { name: `different texts among ${cluster.members.length} of them`, value: variants },
        { name: 'records of the next smaller cluster', value: next?.count ?? 0 },
        { name: 'clusters', value: tally.clusters.length },
      ],
    },
    ...(sources.length > 0
      ? [
          {
            kind: 'table' as const,
            title: 'Records of the cluster, by source',
            columns: ['source', 'records', 'of all its records'],
            rows: sources.slice(0, shown).map(([name, n]) => [name, n, tally.sources?.[name] ?? n]),
          },
        ]
      : []),
  ]
  return {
    rule: 'near-duplicate-text/flood',
    severity: significant ? 'medium' : 'review',
    confidence: significant ? 'medium' : 'low',
    scope: { kind: 'pattern', names: [cluster.groups[0] as string] },
    message: `One text stands in ${formatCount(cluster.count)} of ${formatCount(tally.rows)} records with small variations or none${from}.`,
    count: cluster.count,
    records: recordsOf(flagged, [cluster]),
    evidence,
    test: significant ? cell.test.id : null,
    action: 'Read two of the records: a template is ordinary, a statement that somebody wants a model to learn is not; keep one copy.',
  }
}

function conflictFinding(field: Field, excess: readonly Judged[], test: string, flagged: Flagged): Finding {
  const clusters = excess.map((j) => j.conflict.cluster)
  const { conflict, rate } = excess[0] as Judged
  const what = field === 'label' ? 'labels' : 'answers'
  const others = excess.length > 1 ? `; ${excess.length - 1} more clusters are at odds as well` : ''
  return {
    rule: `near-duplicate-text/${field}-conflict`,
    severity: 'high',
    confidence: 'medium',
    scope: { kind: 'pattern', names: [field] },
    message: `Of ${conflict.known} near-duplicates ${conflict.odd} have other ${what} than the rest; elsewhere ${percent(rate)} of near-duplicates do${others}.`,
    count: clusters.reduce((sum, cluster) => sum + cluster.count, 0),
    records: recordsOf(flagged, clusters),
    evidence: [
      {
        kind: 'table',
        title: `Clusters with more different ${what} than the data set's own rate`,
        columns: ['cluster', 'records', 'compared', 'not of the most frequent', field === 'label' ? 'labels' : 'different answers', 'p'],
        rows: excess.slice(0, shown).map((j) => [
          j.conflict.cluster.groups[0] as string,
          j.conflict.cluster.count,
          j.conflict.known,
          j.conflict.odd,
          field === 'label'
            ? j.conflict.values
                .slice(0, 4)
                .map(([name, n]) => `${name}: ${n}`)
                .join(', ')
            : j.conflict.values.length,
          j.p,
        ]),
      },
    ],
    test,
    action: `Read the flagged records side by side, and find out which of the ${what} is right and where the others came from.`,
  }
}
