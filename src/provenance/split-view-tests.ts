import { rateModel } from '../math/overdispersion.ts'
import { logStratifiedUpper, type Stratum } from '../math/strata.ts'
import { logHypergeometricUpper } from '../math/tests.ts'
import type { Cell, DomainCell, SplitCounts } from './split-view-counts.ts'

/** Within one family of hypotheses; the report corrects once more over everything that it tests. */
const level = 0.05
/** Share of `level` for the rates of domains that the table does not rule out. */
const modelShare = 0.001
/** Domains whose excess is looked at more closely. */
const maxCandidates = 500

export type Family = 'domain' | 'label' | 'label of a domain' | 'label of changed domains'

export interface Excess {
  readonly family: Family
  readonly domain: string | null
  readonly label: string | null
  readonly differ: number
  readonly compared: number
  /** What `differ` would be on average if nothing were concentrated. */
  readonly expected: number
  /** Natural logarithm, corrected for the hypotheses of its family. */
  readonly logP: number
  readonly method: string
}

/** Hypotheses of which the strongest possible outcome could be significant: the others cannot raise a false alarm (Tarone 1990). */
function hypotheses(strongest: readonly number[]): number {
  const sorted = Float64Array.from(strongest).sort()
  const within = (k: number): number => {
    const most = Math.log(level / k)
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] as number) <= most) low = middle + 1
      else high = middle
    }
    return low
  }
  let low = 1
  let high = Math.max(1, sorted.length)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (within(middle) <= middle) high = middle
    else low = middle + 1
  }
  return low
}

const corrected = (logP: number, count: number): number => Math.min(0, logP + Math.log(count))

function cached<T>(make: (key: number) => T): (key: number) => T {
  const known = new Map<number, T>()
  return (key) => {
    const value = known.get(key) ?? make(key)
    known.set(key, value)
    return value
  }
}

/** Domains that changed more than all members alike would, strongest first, with `logP` corrected: before overdispersion. */
function unevenDomains({ all, domains }: SplitCounts): {
  readonly count: number
  readonly list: readonly { domain: DomainCell; logP: number }[]
} {
  const strongest = cached((n) => logHypergeometricUpper(Math.min(n, all.differ), all.compared, n, all.differ))
  const count = hypotheses(domains.filter(({ compared }) => compared > 0).map(({ compared }) => strongest(compared)))
  const list = domains
    .filter(({ differ, compared }) => differ > 0 && strongest(compared) + Math.log(count) <= Math.log(level))
    .map((domain) => ({ domain, logP: corrected(logHypergeometricUpper(domain.differ, all.compared, domain.compared, all.differ), count) }))
    .filter(({ logP }) => logP <= Math.log(level))
    .sort((a, b) => a.logP - b.logP || b.domain.differ - a.domain.differ)
  return { count, list }
}

/**
 * Whole sites change by themselves, so a domain stands out only against rates that differ from domain to domain (beta-binomial),
 * and only where no other domain did the like: the share of those that did is a lower bound of its p-value.
 */
function domainExcess(counts: SplitCounts, uneven: ReturnType<typeof unevenDomains>): Excess[] {
  const model = rateModel(counts.domains.map(({ compared, differ }) => ({ trials: compared, successes: differ })))
  const rate = ({ differ, compared }: Cell): number => differ / compared
  const { all } = counts
  return uneven.list.slice(0, maxCandidates).map(({ domain, logP }) => {
    const group = { trials: domain.compared, successes: domain.differ }
    const alike = uneven.list.filter((other) => other.domain !== domain && rate(other.domain) >= 0.8 * rate(domain)).length
    const share = Math.log(alike / Math.max(1, counts.domains.length))
    const screened = Math.max(share, model.logScreen(group))
    const quick = corrected(screened, uneven.count)
    const spread = quick > Math.log(level) ? screened : Math.max(share, model.logExcess(group, (level * modelShare) / uneven.count))
    return {
      family: 'domain',
      domain: domain.domain,
      label: null,
      differ: domain.differ,
      compared: domain.compared,
      expected: ((all.differ - domain.differ) / Math.max(1, all.compared - domain.compared)) * domain.compared,
      logP: Math.max(logP, corrected(spread, uneven.count)),
      method: 'one-sided beta-binomial over the rates of the other domains, and exact hypergeometric, Bonferroni over domains',
    }
  })
}

/** Labels against the rate of each domain: whatever whole sites do, their labels change alike. */
function labelExcess({ domains }: SplitCounts): Excess[] {
  const byLabel = new Map<string, (Stratum & { readonly differ: number })[]>()
  for (const domain of domains) {
    if (domain.differ === 0 || domain.differ === domain.compared) continue
    for (const [label, cell] of domain.labels) {
      if (cell.compared === 0 || cell.compared === domain.compared) continue
      const strata = byLabel.get(label) ?? []
      byLabel.set(label, strata)
      strata.push({ population: domain.compared, marked: cell.compared, drawn: domain.differ, differ: cell.differ })
    }
  }
  const parts = Array.from(byLabel, ([label, strata]) => {
    const differ = strata.reduce((sum, stratum) => sum + stratum.differ, 0)
    const compared = strata.reduce((sum, stratum) => sum + stratum.marked, 0)
    const expected = strata.reduce((sum, { population, marked, drawn }) => sum + (drawn * marked) / population, 0)
    const most = strata.reduce((sum, s) => sum + logHypergeometricUpper(Math.min(s.marked, s.drawn), s.population, s.marked, s.drawn), 0)
    return { label, strata, differ, compared, expected, most }
  })
  const count = hypotheses(parts.map(({ most }) => most))
  return parts.map(({ label, strata, differ, compared, expected }) => {
    const { log, exact } = logStratifiedUpper(differ, strata)
    const method = exact
      ? 'exact conditional test over the domains as strata'
      : "Chernoff's bound on the conditional test over the domains as strata"
    return {
      family: 'label',
      domain: null,
      label,
      differ,
      compared,
      expected,
      logP: corrected(log, count),
      method: `${method}, Bonferroni over labels`,
    }
  })
}

/** One label within one domain. */
function cellExcess({ domains }: SplitCounts): Excess[] {
  const cells = domains.flatMap((domain) =>
    domain.differ === 0 || domain.differ === domain.compared
      ? []
      : Array.from(domain.labels, ([label, cell]) => ({ domain, label, cell })).filter(
          ({ cell }) => cell.compared > 0 && cell.compared < domain.compared,
        ),
  )
  const strongest = cells.map(({ domain, cell }) =>
    logHypergeometricUpper(Math.min(cell.compared, domain.differ), domain.compared, cell.compared, domain.differ),
  )
  const count = hypotheses(strongest)
  return cells.flatMap(({ domain, label, cell }, i) =>
    cell.differ === 0 || (strongest[i] as number) + Math.log(count) > Math.log(level)
      ? []
      : {
          family: 'label of a domain',
          domain: domain.domain,
          label,
          differ: cell.differ,
          compared: cell.compared,
          expected: (domain.differ * cell.compared) / domain.compared,
          logP: corrected(logHypergeometricUpper(cell.differ, domain.compared, cell.compared, domain.differ), count),
          method: 'one-sided exact hypergeometric within the domain, Bonferroni over domains and labels',
        },
  )
}

/** The label of more than half of a domain's compared members. */
function mainLabel({ labels, compared }: DomainCell): string | null {
  for (const [label, cell] of labels) if (2 * cell.compared > compared) return label
  return null
}

/** Of domains that changed for the most part, more are about one label than of all domains as large: each domain counts once. */
function changedDomains(counts: SplitCounts, uneven: ReturnType<typeof unevenDomains>): Excess[] {
  const changed = new Set(uneven.list.map(({ domain }) => domain).filter(({ differ, compared }) => 2 * differ > compared))
  if (changed.size < 2) return []
  const least = Math.min(...Array.from(changed, ({ compared }) => compared))
  const eligible = counts.domains.filter(({ compared }) => compared >= least)
  const byLabel = new Map<string, { all: number; changed: number; differ: number; compared: number }>()
  for (const domain of eligible) {
    const label = mainLabel(domain)
    if (label === null) continue
    const cell = byLabel.get(label) ?? { all: 0, changed: 0, differ: 0, compared: 0 }
    byLabel.set(label, cell)
    cell.all += 1
    if (!changed.has(domain)) continue
    cell.changed += 1
    cell.differ += domain.differ
    cell.compared += domain.compared
  }
  const strongest = Array.from(byLabel.values(), ({ all }) =>
    logHypergeometricUpper(Math.min(all, changed.size), eligible.length, all, changed.size),
  )
  const count = hypotheses(strongest)
  return Array.from(byLabel).flatMap(([label, cell]) =>
    cell.changed === 0
      ? []
      : {
          family: 'label of changed domains',
          domain: null,
          label,
          differ: cell.changed,
          compared: cell.all,
          expected: (changed.size * cell.all) / eligible.length,
          logP: corrected(logHypergeometricUpper(cell.changed, eligible.length, cell.all, changed.size), count),
          method: 'one-sided exact hypergeometric, each domain once, Bonferroni over labels',
        },
  )
}

/**
 * The strongest hypotheses of each family: all that are significant within it, or the strongest alone. A family in which
 * nothing could have been found has none.
 */
export function excesses(counts: SplitCounts): Excess[] {
  const { all } = counts
  if (all.differ === 0 || all.differ === all.compared) return []
  const uneven = unevenDomains(counts)
  const families = [domainExcess(counts, uneven), labelExcess(counts), cellExcess(counts), changedDomains(counts, uneven)]
  return families.flatMap((family) => {
    const sorted = family.sort((a, b) => a.logP - b.logP)
    const significant = sorted.filter(({ logP }) => logP <= Math.log(level))
    return significant.length > 0 ? significant : sorted.slice(0, 1)
  })
}
