import type { Setup } from '../contracts/detector.ts'
import type { Exchange } from '../contracts/exchange.ts'
import type { Context, Statistic, Summaries } from '../contracts/statistic.ts'
import { detectorById } from '../detectors/registry.ts'
import { labelCensus } from '../statistics/label-census.ts'
import { EngineError } from './errors.ts'
import type { PlannedDetector } from './plan.ts'

/** The engine's own: what the report's counts come from. */
export const census: Statistic = labelCensus({ over: 'subject' })

/** Every statistic that the planned detectors ask for, once each, by fit level. */
export function buildStatistics(planned: readonly PlannedDetector[], setup: Setup): Statistic[][] {
  const byId = new Map<string, Statistic>([[census.id, census]])
  for (const p of planned) {
    if (p.status !== 'runs') continue
    for (const s of detectorById(p.id).statistics(p.options, setup)) if (!byId.has(s.id)) byId.set(s.id, s)
  }
  const depth = (id: string, seen: readonly string[]): number => {
    const s = byId.get(id)
    if (!s || seen.includes(id))
      throw new EngineError('state-mismatch', `statistic "${id}" is not declared by the detector that needs it, or needs itself`, 2)
    return s.after.length === 0 ? 0 : 1 + Math.max(...s.after.map((a) => depth(a, [...seen, id])))
  }
  const levels: Statistic[][] = []
  for (const s of byId.values()) {
    const level = depth(s.id, [])
    while (levels.length <= level) levels.push([])
    ;(levels[level] as Statistic[]).push(s)
  }
  return levels.map((level) => level.sort((a, b) => (a.id < b.id ? -1 : 1)))
}

/** The exchange that a planned detector asks for, and the fit level after which it runs. */
export interface PlannedExchange {
  readonly exchange: Exchange
  readonly after: number
}

/** @throws EngineError where two detectors ask for different ones */
export function buildExchange(
  planned: readonly PlannedDetector[],
  setup: Setup,
  levels: readonly (readonly Statistic[])[],
): PlannedExchange | null {
  const wanted = planned.flatMap((p) => {
    const exchange = p.status === 'runs' ? detectorById(p.id).exchange?.(p.options, setup) : null
    return exchange ? [exchange] : []
  })
  const [exchange] = wanted
  if (!exchange) return null
  if (wanted.some((other) => other.id !== exchange.id)) throw new EngineError('bad-option', 'two detectors ask for different exchanges', 4)
  return { exchange, after: Math.max(...exchange.after.map((id) => levels.findIndex((level) => level.some((s) => s.id === id)))) }
}

/** Ids of the statistics that a detector's results rest on, directly or through `after`. */
export function restsOn(planned: PlannedDetector, setup: Setup): ReadonlySet<string> {
  return new Set(
    detectorById(planned.id)
      .statistics(planned.options, setup)
      .map((s) => s.id),
  )
}

export function contextFor(
  options: unknown,
  seed: Uint8Array,
  summaries: ReadonlyMap<string, unknown>,
  allowed: readonly string[] | null,
): Context {
  const view: Summaries = {
    get<S>(id: string): S {
      if ((allowed && !allowed.includes(id)) || !summaries.has(id))
        throw new Error(`summary "${id}" was not declared in \`after\` or is missing`)
      return summaries.get(id) as S
    },
  }
  return { options, seed, summaries: view }
}
