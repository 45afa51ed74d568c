import type { Conclusion, Detector, Flagged } from '../contracts/detector.ts'
import type { Context } from '../contracts/statistic.ts'
import { leastRows } from '../statistics/trigger-search/class-scan.ts'
import { type TriggerSearch, triggerSearch, triggerSearchId } from '../statistics/trigger-search.ts'
import { carrierExamples, type Example } from './trigger-image/examples.ts'
import { carrierScore, groupOf, judgePatterns } from './trigger-image/judge.ts'
import { type TriggerImageOptions, triggerImageOptions } from './trigger-image/options.ts'
import { patternFinding, testOf } from './trigger-image/pattern-finding.ts'
import { type CarrierTally, carrierTally } from './trigger-image/tally.ts'

const sampleBytes = 160 * 2 ** 20

const sampleOf = (options: TriggerImageOptions) => ({ perClass: options.sample, bytes: sampleBytes, labelled: true })
const searchOf = (c: Context<TriggerImageOptions>): TriggerSearch => c.summaries.get<TriggerSearch>(triggerSearchId(sampleOf(c.options)))

/** Images that carry a trigger: a pattern that part of one class has in common, and that other classes have not. */
export const triggerImage: Detector<TriggerImageOptions, CarrierTally, readonly Example[]> = {
  id: 'trigger-image',
  version: 1,
  title: 'Triggers in images',
  rules: [{ id: 'trigger-image/pattern', title: 'Pattern on part of the images of one class', family: 'trigger' }],
  options: triggerImageOptions,
  missing(setup) {
    if (!setup.subject.includes('pixels')) return 'no column has the role image'
    if (!setup.subject.includes('label')) return 'no column has the role label'
    return null
  },
  mode(_, { shape }) {
    const p = shape.pixels
    return `template pursuit on pixels${p ? ` of ${p.height} x ${p.width} ${p.channels === 3 ? 'RGB' : 'grey'}` : ''}`
  },
  reads: () => ['label', 'pixels'],
  statistics: (options) => [triggerSearch(sampleOf(options))],
  scorer(c) {
    const search = searchOf(c)
    return (batch) => judgePatterns(search, batch)
  },
  tally: carrierTally,
  decide(c) {
    const search = searchOf(c)
    return search.found.map((_, t) => ({ rule: 'trigger-image/pattern', group: groupOf(search, t), atLeast: carrierScore }))
  },
  evidence: carrierExamples,
  evidenceReads: ['pixels'],
  conclude: (c, tally, examples, flagged) => conclude(searchOf(c), tally, examples ?? [], flagged),
}

function conclude(search: TriggerSearch, tally: CarrierTally, examples: readonly Example[], flagged: Flagged): Conclusion {
  const rounds = new Map<string, number>()
  const findings = search.found.map((f, t) => {
    const round = (rounds.get(f.target) ?? 0) + 1
    rounds.set(f.target, round)
    const group = groupOf(search, t)
    const shown = examples.filter((e) => e.group === group)
    return patternFinding(
      f,
      t,
      round,
      tally,
      shown,
      flagged.top.filter((r) => r.group === group),
    )
  })
  return { findings, tests: search.tests.map(testOf), notes: notes(search) }
}

function notes(search: TriggerSearch): string[] {
  if (search.tooManyClasses) return ['There are more than 4,096 labels: no class was searched for patterns.']
  const searched = new Set(search.tests.map((t) => t.name)).size
  const out = [`Searched ${searched} of ${search.classes} classes for patterns, on a sample of ${search.rows} images.`]
  if (searched < search.classes) out.push(`A class with fewer than ${leastRows} different images is not searched.`)
  return out
}
