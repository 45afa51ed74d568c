import type { Test } from '../../contracts/finding.ts'
import { binomialUpper, hypergeometricUpper } from '../../math/tests.ts'
import type { ImageClusters } from '../../statistics/image-copies/cluster.ts'
import type { NearDuplicateOptions } from './options.ts'
import { nameOf } from './score.ts'
import type { Cell, CopyTally } from './tally.ts'

export interface Cluster {
  readonly index: number
  readonly name: string
  readonly blank: boolean
  readonly records: number
  readonly exact: number
  readonly labels: readonly Share[]
  readonly sources: readonly Share[]
  /** Labelled records beyond the first, and those of them whose label is not the cluster's most frequent. */
  readonly links: number
  readonly conflicts: number
}

/** Most frequent first. */
export interface Share {
  readonly name: string
  readonly count: number
}

export interface Suspect<T> {
  readonly of: T
  readonly test: Test
}

export interface Verdict {
  /** Most copies first. */
  readonly clusters: readonly Cluster[]
  /** Of the pictures that are no uniform shade. */
  readonly floods: readonly Suspect<Cluster>[]
  readonly conflicted: readonly Suspect<Cluster>[]
  readonly sources: readonly Suspect<SourceConflicts>[]
  readonly overall: Suspect<{ readonly clusters: number; readonly conflicted: number; readonly expected: number }> | null
  readonly tests: readonly Test[]
}

export interface SourceConflicts {
  readonly source: string
  readonly clusters: number
  readonly conflicted: number
  readonly allClusters: number
  readonly allConflicted: number
}

/** A suspicion becomes a finding when its own p-value is at most this; the report corrects over all tests of the run. */
const level = 0.05
const maxCandidates = 50

function clustersOf(tally: CopyTally, summary: ImageClusters): Cluster[] {
  const byCluster = new Map<number, Cell[]>()
  for (const cell of tally.cells) byCluster.set(cell.cluster, [...(byCluster.get(cell.cluster) ?? []), cell])
  const clusters = [...byCluster].flatMap(([index, cells]): Cluster[] => {
    const sum = (key: 'count' | 'exact') => cells.reduce((total, c) => total + c[key], 0)
    if (sum('count') < 2) return []
    const labels = shares(cells, 'label')
    const labelled = labels.reduce((total, l) => total + l.count, 0)
    return [
      {
        index,
        name: nameOf(summary, index),
        blank: summary.blank[index] === 1,
        records: sum('count'),
        exact: sum('exact'),
        labels,
        sources: shares(cells, 'source'),
        links: Math.max(0, labelled - 1),
        conflicts: labelled - (labels[0]?.count ?? 0),
      },
    ]
  })
  return clusters.sort((a, b) => b.records - a.records || (a.name < b.name ? -1 : 1))
}

function shares(cells: readonly Cell[], of: 'label' | 'source'): Share[] {
  const counts = new Map<string, number>()
  for (const c of cells) if (c[of] !== null) counts.set(c[of], (counts.get(c[of]) ?? 0) + c.count)
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
}

/**
 * Chance that a picture with copies has `m` or more, by the tail of the other clusters: a power law through the share of
 * them with four or more. With none to learn from it is (2 / m)^3.
 */
export function tailAt(m: number, others: readonly Cluster[]): number {
  const four = others.filter((c) => c.records >= 4).length
  const exponent = Math.max(0.5, -Math.log2((four + 0.5) / (others.length + 4)))
  return (2 / m) ** exponent
}

/** What is tested, and what stands out before the correction of the report. */
export function judge(tally: CopyTally, summary: ImageClusters, options: NearDuplicateOptions): Verdict {
  const clusters = clustersOf(tally, summary)
  const pictures = clusters.filter((c) => !c.blank)
  const floods = floodTests(pictures, options)
  const labelled = pictures.filter((c) => c.links > 0)
  const conflicted = clusterConflicts(labelled, options)
  const sources = sourceConflicts(labelled)
  const overall = overallConflicts(labelled, options)
  const strong = <T>(all: readonly Suspect<T>[]) => all.filter((s) => s.test.p <= level)
  return {
    clusters,
    floods: strong(floods),
    conflicted: strong(conflicted),
    sources: strong(sources),
    overall: overall && overall.test.p <= level ? overall : null,
    tests: [...floods, ...conflicted, ...sources, ...(overall ? [overall] : [])].map((s) => s.test),
  }
}

function floodTests(pictures: readonly Cluster[], { flood }: NearDuplicateOptions): Suspect<Cluster>[] {
  return pictures
    .filter((c) => c.records >= flood)
    .slice(0, maxCandidates)
    .map((of) => {
      const smaller = pictures.filter((c) => c.records < of.records)
      const asLarge = pictures.length - smaller.length
      return {
        of,
        test: {
          id: `near-duplicate-image/flood: ${of.name}`,
          method: 'binomial test of so many copies against a power law through the copies of all less frequent pictures',
          p: binomialUpper(asLarge, pictures.length, tailAt(of.records, smaller)),
        },
      }
    })
}

/** Of clusters large enough for their conflicts to be counted: against the rate of all others, or the tolerated rate where that is higher. */
function clusterConflicts(labelled: readonly Cluster[], { flood, conflicts }: NearDuplicateOptions): Suspect<Cluster>[] {
  const links = labelled.reduce((sum, c) => sum + c.links, 0)
  const all = labelled.reduce((sum, c) => sum + c.conflicts, 0)
  return labelled
    .filter((c) => c.records >= flood)
    .slice(0, maxCandidates)
    .map((of) => {
      const rate = Math.max(conflicts, (all - of.conflicts + 0.5) / (links - of.links + 1))
      return {
        of,
        test: {
          id: `near-duplicate-image/label-conflict: ${of.name}`,
          method: 'binomial test against the label conflicts among the copies of all other pictures',
          p: binomialUpper(of.conflicts, of.links, Math.min(1, rate)),
        },
      }
    })
}

/** Clusters are the units: their records are not independent of each other. */
function sourceConflicts(labelled: readonly Cluster[]): Suspect<SourceConflicts>[] {
  const names = [...new Set(labelled.flatMap((c) => c.sources.map((s) => s.name)))].sort()
  if (names.length < 2) return []
  const allConflicted = labelled.filter((c) => c.conflicts > 0).length
  return names.map((source) => {
    const own = labelled.filter((c) => c.sources.some((s) => s.name === source))
    const conflicted = own.filter((c) => c.conflicts > 0).length
    return {
      of: { source, clusters: own.length, conflicted, allClusters: labelled.length, allConflicted },
      test: {
        id: `near-duplicate-image/label-conflict: source ${source}`,
        method: 'one-sided exact hypergeometric test of its copied pictures against all others',
        p: hypergeometricUpper(conflicted, labelled.length, allConflicted, own.length),
      },
    }
  })
}

/** A binomial with the mean probability is wider than the sum of unequal ones (Hoeffding 1956): the test errs on the quiet side. */
function overallConflicts(labelled: readonly Cluster[], { conflicts }: NearDuplicateOptions): Verdict['overall'] {
  if (labelled.length === 0) return null
  const expected = labelled.reduce((sum, c) => sum + 1 - (1 - conflicts) ** c.links, 0) / labelled.length
  const conflicted = labelled.filter((c) => c.conflicts > 0).length
  return {
    of: { clusters: labelled.length, conflicted, expected },
    test: {
      id: 'near-duplicate-image/label-conflict: all pictures',
      method: `binomial test of copied pictures with more than one label against a tolerated rate of ${conflicts}`,
      p: binomialUpper(conflicted, labelled.length, Math.min(1, expected)),
    },
  }
}
