import type { FileGrade } from '../../src/contracts/provenance.ts'
import { keyed, type Random } from '../../src/math/rng.ts'

export const seeded = (name: string): Random => keyed(new Uint8Array(32), name)

interface Member {
  readonly domain: string
  readonly label: string
  readonly changed: boolean
}

export interface World {
  readonly members: readonly { readonly domain: string; readonly label: string }[]
  readonly domains: ReadonlyMap<string, readonly number[]>
}

/**
 * Members on domains whose sizes are heavy-tailed (Pareto, exponent 1.2). Each domain has a favourite among the labels, which
 * half of its members bear; the others bear any.
 */
export function world(random: Random, size: number, labels: number): World {
  const members: World['members'][number][] = []
  const domains = new Map<string, number[]>()
  while (members.length < size) {
    const domain = `site-${domains.size}.example`
    const favourite = random.below(labels)
    const wanted = Math.min(size / 10, size - members.length, Math.floor(random.uniform() ** (-1 / 1.2)))
    const own: number[] = []
    for (let i = 0; i < wanted; i++) {
      own.push(members.length)
      members.push({ domain, label: `label ${random.uniform() < 0.5 ? favourite : random.below(labels)}` })
    }
    domains.set(domain, own)
  }
  return { members, domains }
}

const gamma = (random: Random, shape: number): number => {
  // Marsaglia and Tsang 2000; below 1 by a power of a uniform number
  if (shape < 1) return gamma(random, shape + 1) * random.uniform() ** (1 / shape)
  const d = shape - 1 / 3
  for (;;) {
    const x = random.normal()
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    if (v > 0 && Math.log(random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}

const beta = (random: Random, mean: number, strength: number): number => {
  const a = gamma(random, mean * strength)
  const b = gamma(random, (1 - mean) * strength)
  return a / (a + b)
}

/** How the links of a table decay by themselves. */
export type Drift =
  | { readonly kind: 'spread'; readonly rate: number }
  /** The rate of each domain is beta distributed: alpha + beta is `strength`. */
  | { readonly kind: 'uneven'; readonly rate: number; readonly strength: number }
  /** Spread, and some domains change wholly. */
  | { readonly kind: 'whole sites'; readonly rate: number; readonly share: number }

/** Members that changed by themselves. */
export function drifted(random: Random, { members, domains }: World, drift: Drift): Set<number> {
  const changed = new Set<number>()
  for (const own of domains.values()) {
    const whole = drift.kind === 'whole sites' && random.uniform() < drift.share
    const rate = whole ? 1 : drift.kind === 'uneven' ? beta(random, drift.rate, drift.strength) : drift.rate
    for (const i of own) if (random.uniform() < rate) changed.add(i)
  }
  return members.length > 0 ? changed : new Set()
}

/** The grades of the members of a world. */
export const graded = ({ members }: World, changed: ReadonlySet<number>): FileGrade[] =>
  members.map(({ domain, label }, i) => file({ domain, label, changed: changed.has(i) }, i))

export const file = ({ domain, label, changed }: Member, i: number): FileGrade => ({
  path: `members/${i}.jpg`,
  bytes: 1,
  grade: changed ? 'mismatched' : 'verified',
  manifests: ['table.csv'],
  expected: { algorithm: 'sha256', hex: 'e'.repeat(64) },
  actual: changed ? `${i}` : 'e'.repeat(64),
  signed: false,
  label,
  url: `https://img.${domain}/${i}.jpg`,
})

/** Who answers under a domain now changed all of its members, or all of one label. */
export type Attack =
  | { readonly kind: 'one domain'; readonly members: number }
  /** Of the largest domain, as many members of one label as it has, up to this. */
  | { readonly kind: 'one label of a domain'; readonly members: number }
  /** Domains that are mostly about one label, until there are so many members. */
  | { readonly kind: 'domains of a label'; readonly members: number }

/** Members that an attacker changed; empty where the world has no such domain. */
export function attacked(random: Random, { members, domains }: World, attack: Attack): Set<number> {
  const all = [...domains.values()]
  if (attack.kind === 'one domain') {
    const near = all.toSorted((a, b) => Math.abs(a.length - attack.members) - Math.abs(b.length - attack.members))
    return new Set(near[0])
  }
  const labelOf = (i: number | undefined): string => members[i ?? -1]?.label ?? ''
  if (attack.kind === 'one label of a domain') {
    const [largest = []] = all.toSorted((a, b) => b.length - a.length)
    const label = labelOf(largest[random.below(largest.length)])
    return new Set(largest.filter((i) => labelOf(i) === label).slice(0, attack.members))
  }
  const target = labelOf(random.below(members.length))
  const taken = new Set<number>()
  for (const own of all.filter((each) => each.length >= 5 && each.length <= 40)) {
    if (taken.size >= attack.members) break
    if (2 * own.filter((i) => labelOf(i) === target).length > own.length) for (const i of own) taken.add(i)
  }
  return taken
}
