import { join } from 'node:path'
import type { Detector } from '../contracts/detector.ts'
import type { Exchange } from '../contracts/exchange.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { detectorById } from '../detectors/registry.ts'
import type { Failures, Monoid, States } from './accumulate.ts'
import { isDone, layout, type Over, readTree } from './files.ts'
import { type Part, type Plan, type PlannedDetector, readPlan } from './plan.ts'
import { buildExchange, buildStatistics, contextFor, type PlannedExchange, restsOn } from './statistics.ts'

/** A run directory opened for work: its plan, and the summaries that are finished so far. */
export class Run {
  private readonly summaries = new Map<string, unknown>()
  private loadedLevels = 0
  failures: Failures = {}

  private constructor(
    readonly dir: string,
    readonly plan: Plan,
    readonly levels: readonly (readonly Statistic[])[],
    readonly seed: Uint8Array,
    readonly exchange: PlannedExchange | null,
  ) {}

  static async open(dir: string, plan?: Plan): Promise<Run> {
    const p = plan ?? (await readPlan(dir))
    const levels = buildStatistics(p.detectors, p.setup)
    const seed = Uint8Array.from(Buffer.from(p.seed, 'hex'))
    return new Run(dir, p, levels, seed, buildExchange(p.detectors, p.setup, levels))
  }

  path(file: string): string {
    return join(this.dir, file)
  }

  done(file: string): boolean {
    return isDone(this.dir, file)
  }

  part(over: Over): Part {
    const part = over === 'subject' ? this.plan.subject : this.plan.reference
    if (!part) throw new Error('the plan has no reference')
    return part
  }

  /** Metadata that every state file of this plan carries. */
  mark(step: string): Record<string, string> {
    return { tool: this.plan.tool, plan: this.plan.digest, seed: this.plan.seed, step }
  }

  /** Makes the summaries of all levels below `level` available. */
  async load(level: number): Promise<void> {
    for (; this.loadedLevels < level; this.loadedLevels++) {
      const file = layout.summary(this.loadedLevels)
      const { states, failures } = (await readTree(this.path(file), this.mark(`summary ${this.loadedLevels}`))) as unknown as States
      for (const [id, summary] of Object.entries(states)) this.summaries.set(id, summary)
      this.failures = { ...this.failures, ...(failures as unknown as Failures) }
    }
  }

  summary<S>(id: string): S | null {
    return (this.summaries.get(id) as S | undefined) ?? null
  }

  /** Statistics of a level over one part that can still be fitted: nothing they read has failed. */
  monoids(level: number, over: Over | 'any'): Monoid<never>[] {
    const usable = (this.levels[level] ?? []).filter(
      (s) => (over === 'any' || s.over === over) && s.after.every((a) => !(a in this.failures)),
    )
    return usable.map((s) => ({
      id: s.id,
      context: contextFor(null, this.seed, this.summaries, s.after),
      init: (c) => s.init(c),
      update: (c, state, ...args: readonly unknown[]) => s.update(c, state, args[0] as never),
      ...(s.seal ? { seal: (c: Context, state: never) => s.seal?.(c, state) } : {}),
      merge: (a, b) => s.merge(a, b),
      finish: (c, state) => s.finish(c, state),
    }))
  }

  /** The exchange with what it reads, or null where that has failed. */
  async exchanging(): Promise<{ readonly exchange: Exchange; readonly context: Context } | null> {
    if (!this.exchange) return null
    const { exchange, after } = this.exchange
    await this.load(after + 1)
    if (exchange.after.some((id) => id in this.failures)) return null
    return { exchange, context: contextFor(null, this.seed, this.summaries, exchange.after) }
  }

  /** Planned detectors whose statistics are all there, with the context of their score read. Load all levels first. */
  active(): { readonly planned: PlannedDetector; readonly detector: Detector; readonly context: Context }[] {
    return this.plan.detectors
      .filter((p) => p.status === 'runs' && this.failureBehind(p) === null)
      .map((planned) => {
        const ids = [...restsOn(planned, this.plan.setup)]
        return { planned, detector: detectorById(planned.id), context: contextFor(planned.options, this.seed, this.summaries, ids) }
      })
  }

  /** Id of a failed statistic that this detector rests on. */
  failureBehind(planned: PlannedDetector): string | null {
    const all = new Set(restsOn(planned, this.plan.setup))
    const byId = new Map(this.levels.flat().map((s) => [s.id, s]))
    for (const id of all) for (const a of byId.get(id)?.after ?? []) all.add(a)
    return [...all].find((id) => id in this.failures) ?? null
  }
}
