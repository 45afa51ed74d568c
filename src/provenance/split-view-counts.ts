import { getDomain, getHostname } from 'tldts'
import type { FileGrade } from '../contracts/provenance.ts'

/** Members of a table of URLs that share a domain, a label or both. */
export interface Cell {
  /** Members whose digest was compared: they agree or differ. */
  compared: number
  differ: number
  missing: number
  /** There, but without a digest to compare with. */
  hashless: number
}

export interface DomainCell extends Cell {
  readonly domain: string
  /** By label, where members have labels. */
  readonly labels: ReadonlyMap<string, Cell>
  /** Digests of what is there instead, each once. */
  readonly contents: ReadonlySet<string>
  readonly files: readonly FileGrade[]
}

export interface SplitCounts {
  readonly all: Cell
  readonly domains: readonly DomainCell[]
  readonly labels: ReadonlyMap<string, Cell>
}

const empty = (): Cell => ({ compared: 0, differ: 0, missing: 0, hashless: 0 })

function count(cell: Cell, { grade }: FileGrade): void {
  if (grade === 'missing') cell.missing += 1
  else if (grade === 'no-digest' || grade === 'placeholder-digest' || grade === 'unlisted') cell.hashless += 1
  else cell.compared += 1
  if (grade === 'mismatched') cell.differ += 1
}

/**
 * The name that somebody can own: below a public suffix, private ones included (x.blogspot.com is its author's). An address
 * of a machine, or a name without a suffix, stands for itself.
 */
export const ownedDomain = (url: string): string => getDomain(url, { allowPrivateDomains: true }) ?? getHostname(url) ?? 'no domain'

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** Members of tables of URLs by domain and by label. Files without a URL are no members. */
export function splitCounts(files: readonly FileGrade[]): SplitCounts {
  type Open = Cell & { domain: string; labels: Map<string, Cell>; contents: Set<string>; files: FileGrade[] }
  const all = empty()
  const domains = new Map<string, Open>()
  const labels = new Map<string, Cell>()
  for (const file of files) {
    if (file.url === null) continue
    const name = ownedDomain(file.url)
    const domain = at(domains, name, (): Open => ({ ...empty(), domain: name, labels: new Map(), contents: new Set(), files: [] }))
    count(all, file)
    count(domain, file)
    if (file.label !== null) {
      count(at(labels, file.label, empty), file)
      count(at(domain.labels, file.label, empty), file)
    }
    if (file.grade === 'mismatched') {
      domain.files.push(file)
      if (file.actual !== null) domain.contents.add(file.actual)
    }
  }
  return { all, domains: [...domains.values()], labels }
}
