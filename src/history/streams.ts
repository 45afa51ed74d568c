import type { Night, NightChanges, NightCount } from '../contracts/history.ts'
import type { Family, Stream } from './scan.ts'

const none = Number.NaN

/** Streams by name over the nights; a night that does not know a name counts none of it. */
function collect<T>(
  nights: readonly (readonly T[] | null)[],
  names: (item: T) => readonly string[],
  events: (item: T) => number,
  exposure: (item: T) => number,
): Stream[] {
  const streams = new Map<string, Stream>()
  nights.forEach((items, i) => {
    for (const item of items ?? []) {
      const key = JSON.stringify(names(item))
      let stream = streams.get(key)
      if (!stream) {
        const blank = () => Float64Array.from(nights, (night) => (night === null ? none : 0))
        stream = { names: names(item), events: blank(), exposure: blank() }
        streams.set(key, stream)
      }
      stream.events[i] = (stream.events[i] as number) + events(item)
      stream.exposure[i] = (stream.exposure[i] as number) + exposure(item)
    }
  })
  return [...streams.values()].sort((a, b) => (JSON.stringify(a.names) < JSON.stringify(b.names) ? -1 : 1))
}

/**
 * What changed in each night. Audits that keep one baseline count again what they counted before: the difference is the night's,
 * and an audit of the same two snapshots once more adds nothing.
 */
export function nightlyChanges(nights: readonly Night[]): readonly (NightChanges | null)[] {
  let last: NightChanges | null = null
  return nights.map(({ whole, changes }) => {
    if (!whole || changes === null) return null
    const before = last
    last = changes
    if (before === null || before.before !== changes.before || before.before === before.after) return changes
    const less = (items: readonly NightCount[], old: readonly NightCount[]): NightCount[] =>
      items.map((c) => ({ ...c, relabelled: Math.max(0, c.relabelled - (old.find((o) => o.name === c.name)?.relabelled ?? 0)) }))
    const pair = (from: string, to: string) => before.pairs.find((p) => p.from === from && p.to === to)?.count ?? 0
    return {
      ...changes,
      classes: less(changes.classes, before.classes),
      sources: less(changes.sources, before.sources),
      pairs: changes.pairs.map((p) => ({ ...p, count: Math.max(0, p.count - pair(p.from, p.to)) })),
    }
  })
}

/** Labels that were changed, by class or by source. */
export function relabelled(changes: readonly (NightChanges | null)[], axis: 'classes' | 'sources'): Family {
  const streams = collect(
    changes.map((c) => c?.[axis] ?? null),
    (c) => [c.name],
    (c) => c.relabelled,
    (c) => c.before,
  )
  return { streams, possible: streams.length, silentExposure: 0 }
}

/** Labels that were changed from one class to another. Pairs that were never seen count as quiet. */
export function relabelledPairs(changes: readonly (NightChanges | null)[]): Family {
  const sizes = changes.map((c) => c && new Map(c.classes.map(({ name, before }) => [name, before])))
  const classes = new Set(changes.flatMap((c) => c?.classes.map(({ name }) => name) ?? []))
  const streams = collect(
    changes.map((c) => c?.pairs ?? null),
    (p) => [p.from, p.to],
    (p) => p.count,
    () => 0,
  )
  for (const { names, exposure } of streams)
    sizes.forEach((size, i) => {
      if (size) exposure[i] = size.get(names[0] as string) ?? 0
    })
  const possible = Math.max(streams.length, classes.size * (classes.size - 1))
  let every = 0
  for (const size of sizes) for (const [, records] of size ?? []) every += records * (classes.size - 1)
  const seen = streams.reduce((total, s) => total + s.exposure.reduce((a, b) => a + (Number.isNaN(b) ? 0 : b), 0), 0)
  return { streams, possible, silentExposure: Math.max(0, every - seen) }
}

/** Records by which a class grew or shrank more than the growth of the whole explains; two streams a class. */
export function balance(nights: readonly Night[]): Family {
  const whole = nights.map((night) => (night.whole && !night.fresh && night.labels.length > 0 ? night.labels : null))
  interface Moved {
    readonly name: string
    readonly way: 'shrinks' | 'grows'
    readonly events: number
    readonly exposure: number
  }
  let last: Night['labels'] | null = null
  const moved = whole.map((labels): Moved[] | null => {
    if (labels === null) return null
    const before = last
    last = labels
    if (before === null) return null
    const total = (items: Night['labels']): number => items.reduce((sum, l) => sum + l.count, 0)
    const [was, is] = [total(before), total(labels)]
    const sizes = new Map(labels.map((l) => [l.name, l.count]))
    return before.flatMap(({ name, count }): Moved[] => {
      const surplus = Math.round((sizes.get(name) ?? 0) - count - (is - was) * (was === 0 ? 0 : count / was))
      return [
        { name, way: 'shrinks', events: Math.max(0, -surplus), exposure: count },
        { name, way: 'grows', events: Math.max(0, surplus), exposure: count },
      ]
    })
  })
  const streams = collect(
    moved,
    (m) => [m.name, m.way],
    (m) => m.events,
    (m) => m.exposure,
  )
  return { streams, possible: streams.length, silentExposure: 0 }
}
