import type { ClaimEntry, Said } from '../../statistics/claim-table.ts'
import type { Vouched } from './table.ts'

/** A value that many records state of a subject, and that the table or all the other records contradict. */
export interface Alarm {
  readonly name: string
  readonly kind: 'contradicted' | 'deviating'
  readonly subjects: readonly string[]
  readonly measures: string
  readonly value: number
  /** Of the sample: records that state it, and others that state something of the subject. */
  readonly stating: number
  readonly others: number
  /** What the others say, or what the table says: the middle value and the range. */
  readonly right: number
  readonly low: number
  readonly high: number
  readonly sources: readonly string[]
}

export interface Thresholds {
  /** Records that have to state the value. */
  readonly records: number
  /** How many times larger or smaller than the consensus. */
  readonly factor: number
}

const median = (sorted: readonly number[]): number => {
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2
}

const leastOthers = 3
/** A consensus is one where the middle of the others lies within this factor around their median. */
const tight = Math.log(1.6)
/** Of the other records, so many may lie near the value. */
const mostNear = 0.1

const sourcesOf = (records: readonly Said[]): string[] => [...new Set(records.flatMap((r) => (r.source === null ? [] : [r.source])))].sort()
const named = (kind: string, measures: string, value: number, subject: string): string => `${kind}: ${subject}, ${value} ${measures}`

/** The values of an entry by how many records state them, the most frequent first. */
function stated(entry: ClaimEntry, least: number): (readonly [number, readonly Said[]])[] {
  const by = new Map<number, Said[]>()
  for (const r of entry.records) for (const v of r.values) by.set(v, [...(by.get(v) ?? []), r])
  return [...by].filter(([, records]) => records.length >= least).sort((a, b) => b[1].length - a[1].length || a[0] - b[0])
}

/** Shares are not compared: of one subject there are as many as there are questions. */
function deviating(entry: ClaimEntry, t: Thresholds): (Alarm & { readonly strength: number })[] {
  const out: (Alarm & { readonly strength: number })[] = []
  if (entry.measures === 'percent') return out
  for (const [value, records] of stated(entry, t.records)) {
    const stating = new Set(records)
    const others = entry.records.filter((r) => !stating.has(r))
    if (others.length < leastOthers) continue
    const logs = others.flatMap((r) => r.values.map(Math.log)).sort((a, b) => a - b)
    const middle = median(logs)
    const spread = median(logs.map((x) => Math.abs(x - middle)).sort((a, b) => a - b))
    const away = Math.abs(Math.log(value) - middle)
    const near = others.filter((r) => r.values.some((v) => Math.abs(Math.log(v / value)) < Math.log(1.5))).length
    if (spread > tight || away < Math.max(Math.log(t.factor), 4 * spread) || near > mostNear * others.length) continue
    out.push({
      name: named('deviating', entry.measures, value, entry.subject),
      kind: 'deviating',
      subjects: [entry.subject],
      measures: entry.measures,
      value,
      stating: records.length,
      others: others.length,
      right: Number(Math.exp(middle).toPrecision(3)),
      low: Number(Math.exp(logs[0] as number).toPrecision(3)),
      high: Number(Math.exp(logs.at(-1) as number).toPrecision(3)),
      sources: sourcesOf(records),
      strength: (away / (spread + 0.2)) * Math.log1p(others.length),
    })
  }
  return out
}

function contradicted(entry: ClaimEntry, vouched: Vouched, t: Thresholds): Alarm[] {
  const [low, high] = [vouched.values[0] as number, vouched.values.at(-1) as number]
  return stated(entry, t.records)
    .filter(([value]) => value > high * t.factor || value < low / t.factor)
    .map(([value, records]) => ({
      name: named('contradicted', entry.measures, value, entry.subject),
      kind: 'contradicted' as const,
      subjects: [entry.subject],
      measures: entry.measures,
      value,
      stating: records.length,
      others: entry.records.length - records.length,
      right: median(vouched.values),
      low,
      high,
      sources: sourcesOf(records),
    }))
}

/**
 * One alarm a value: where several words of the same sentences lead to it, the one whose other records agree best names it. A value
 * that the table contradicts needs no consensus.
 */
export function alarmsOf(entries: readonly ClaimEntry[], table: readonly Vouched[], t: Thresholds): readonly Alarm[] {
  const vouched = new Map(table.map((v) => [`${v.subject}\t${v.measures}`, v]))
  const fromTable = entries.flatMap((e) => {
    const known = vouched.get(`${e.subject}\t${e.measures}`)
    return known ? contradicted(e, known, t) : []
  })
  const taken = new Set(fromTable.map((a) => `${a.measures} ${a.value}`))
  const best = new Map<string, Alarm & { readonly strength: number }>()
  const words = new Map<string, Set<string>>()
  for (const alarm of entries.flatMap((e) => deviating(e, t))) {
    const key = `${alarm.measures} ${alarm.value}`
    if (taken.has(key)) continue
    const known = best.get(key)
    const all = words.get(key) ?? new Set()
    words.set(key, all.add(alarm.subjects[0] as string))
    if (!known || alarm.strength > known.strength || (alarm.strength === known.strength && alarm.name < known.name)) best.set(key, alarm)
  }
  const deviations = [...best]
    .map(([key, { strength: _, ...alarm }]) => ({
      ...alarm,
      subjects: [alarm.subjects[0] as string, ...[...(words.get(key) ?? [])].sort()].slice(0, 6),
    }))
    .map((alarm) => ({ ...alarm, subjects: [...new Set(alarm.subjects)] }))
  return [...fromTable, ...deviations].sort((a, b) => b.stating - a.stating || (a.name < b.name ? -1 : 1))
}
