import { createHash } from 'node:crypto'
import type { Part, Plan } from './plan.ts'
import { contentOf } from './plan-baseline.ts'
import { withoutPaths } from './plan-provenance.ts'

/** Names, sizes and options: equal for copies of the data in other places and at other times. */
export function planDigest(plan: Omit<Plan, 'digest' | 'seed' | 'now' | 'base'>): string {
  const part = (p: Part | null) =>
    p && {
      shards: p.shards.map(({ path: _, options: __, ...s }) => s),
      columns: p.columns,
      features: p.features,
      pixels: p.pixels,
      groups: p.groups,
    }
  const {
    sources: _,
    reference: __,
    since: _________,
    report: ___,
    waivers: ____,
    known: ______,
    history: _______,
    notify: ________,
    provenance: _____,
    artifacts,
    ...rest
  } = plan.pipeline
  const policy = {
    ...rest,
    ...(artifacts ? { artifacts: { base: artifacts.base !== undefined, publishers: artifacts.publishers ?? [] } } : {}),
    provenance: plan.pipeline.provenance && withoutPaths(plan.pipeline.provenance),
  }
  const delivery = plan.delivery && { ...plan.delivery, root: null, name: null }
  const comparison = plan.comparison && { ...plan.comparison, baseline: plan.comparison.baseline && contentOf(plan.comparison.baseline) }
  const text = JSON.stringify({
    ...plan,
    pipeline: policy,
    delivery,
    comparison,
    subject: part(plan.subject),
    reference: part(plan.reference),
  })
  return createHash('sha256').update(text).digest('hex')
}
