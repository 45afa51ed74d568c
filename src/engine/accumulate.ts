import type { Maybe } from '../contracts/data.ts'
import { AssayError } from '../contracts/errors.ts'
import type { Incomplete } from '../contracts/outcome.ts'
import type { Context, Tree } from '../contracts/statistic.ts'

/** What statistics and tallies have in common: a named monoid whose update takes `Args`. */
export interface Monoid<Args extends readonly unknown[]> {
  readonly id: string
  readonly context: Context
  init(c: Context): unknown
  update(c: Context, state: never, ...args: Args): Maybe<void>
  seal?(c: Context, state: never): Maybe<void>
  merge(into: never, from: never): void
  finish(c: Context, state: never): Maybe<unknown>
}

export type Failures = { readonly [id: string]: Incomplete }
export interface States {
  readonly [key: string]: Tree
  readonly states: { readonly [id: string]: Tree }
  readonly failures: { readonly [id: string]: Tree }
}

export function failureOf(error: unknown, what: string): Incomplete {
  if (error instanceof AssayError) return { code: error.code, message: error.message, place: error.place, hint: error.hint ?? null }
  return {
    code: 'internal-error',
    message: `${what} failed: ${error instanceof Error ? error.message : String(error)}`,
    place: {},
    hint: 'this is a defect of assay: please report it',
  }
}

/** Updates every monoid with each batch; one that throws is set aside with its reason, and the others go on. */
export class Accumulator<Args extends readonly unknown[]> {
  private readonly states = new Map<string, unknown>()
  private readonly failures = new Map<string, Incomplete>()

  constructor(private readonly monoids: readonly Monoid<Args>[]) {
    for (const m of monoids) this.states.set(m.id, m.init(m.context))
  }

  async update(...args: Args): Promise<void> {
    for (const m of this.monoids) await this.guard(m, () => m.update(m.context, this.states.get(m.id) as never, ...args))
  }

  async updateOne(id: string, ...args: Args): Promise<void> {
    const m = this.monoids.find((x) => x.id === id)
    if (m) await this.guard(m, () => m.update(m.context, this.states.get(id) as never, ...args))
  }

  fail(id: string, error: unknown): void {
    this.states.delete(id)
    this.failures.set(id, failureOf(error, id))
  }

  failed(id: string): boolean {
    return this.failures.has(id)
  }

  async sealed(): Promise<States> {
    for (const m of this.monoids) await this.guard(m, () => m.seal?.(m.context, this.states.get(m.id) as never))
    return {
      states: Object.fromEntries(this.states) as States['states'],
      failures: Object.fromEntries(this.failures) as unknown as States['failures'],
    }
  }

  private async guard(m: Monoid<Args>, act: () => Maybe<void>): Promise<void> {
    if (!this.states.has(m.id)) return
    try {
      const pending = act()
      if (pending) await pending
    } catch (error) {
      this.fail(m.id, error)
    }
  }
}

/** Merges sealed states by one fixed tree over their order, so that the result does not depend on who computed what when. */
export async function mergeTree(monoids: readonly Monoid<never>[], count: number, load: (i: number) => Promise<States>): Promise<States> {
  const merged = async (from: number, to: number): Promise<States> => {
    if (to - from === 1) return load(from)
    const middle = (from + to + 1) >> 1
    const left = await merged(from, middle)
    const right = await merged(middle, to)
    const failures = { ...right.failures, ...left.failures }
    const states: Record<string, Tree> = {}
    for (const m of monoids) {
      if (m.id in failures) continue
      const into = left.states[m.id] as Tree
      m.merge(into as never, right.states[m.id] as never)
      states[m.id] = into
    }
    return { states, failures }
  }
  if (count === 0) {
    const none = new Accumulator(monoids as readonly Monoid<readonly never[]>[])
    return none.sealed()
  }
  return merged(0, count)
}

export async function finishAll(monoids: readonly Monoid<never>[], merged: States): Promise<States> {
  const states: Record<string, Tree> = {}
  const failures: Record<string, Tree> = { ...merged.failures }
  for (const m of monoids) {
    if (m.id in failures) continue
    try {
      states[m.id] = (await m.finish(m.context, merged.states[m.id] as never)) as Tree
    } catch (error) {
      failures[m.id] = failureOf(error, m.id) as unknown as Tree
    }
  }
  return { states, failures }
}
