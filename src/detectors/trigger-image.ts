import type { Conclusion, Detector, Flagged, Setup } from '../contracts/detector.ts'
import type { Context } from '../contracts/statistic.ts'
import { leastRows } from '../statistics/trigger-search/class-scan.ts'
import type { PatchSearch } from '../statistics/trigger-search/patches.ts'
import { maxClasses } from '../statistics/trigger-search/pursuit.ts'
import { type TriggerSearch, triggerSearch, triggerSearchId } from '../statistics/trigger-search.ts'
import { carrierExamples, type Example } from './trigger-image/examples.ts'
import { carrierScore, judge, patchesOf, patchGroup, patternGroup } from './trigger-image/judge.ts'
import { type TriggerImageOptions, triggerImageOptions } from './trigger-image/options.ts'
import { patchFinding, patchTests } from './trigger-image/patch-finding.ts'
import { patternFinding, testOf } from './trigger-image/pattern-finding.ts'
import { type CarrierTally, carrierTally } from './trigger-image/tally.ts'

const sampleBytes = 160 * 2 ** 20

const searchOptions = ({ sample }: TriggerImageOptions) => ({ sample, bytes: sampleBytes })
const searchOf = (c: Context<TriggerImageOptions>): TriggerSearch =>
  c.summaries.get<TriggerSearch>(triggerSearchId(searchOptions(c.options)))
const isLabelled = (setup: Setup): boolean => setup.subject.includes('label')

/**
 * Images that carry a trigger: a pattern that part of one class has in common and other classes have not, or a patch that many images
 * contain, at one place or at any, and that is no part of natural images.
 */
export const triggerImage: Detector<TriggerImageOptions, CarrierTally, readonly Example[]> = {
  id: 'trigger-image',
  version: 1,
  title: 'Triggers in images',
  rules: [
    { id: 'trigger-image/pattern', title: 'Pattern on part of the images of one class', family: 'trigger' },
    { id: 'trigger-image/patch', title: 'Mark that many images contain', family: 'trigger' },
  ],
  options: triggerImageOptions,
  missing: (setup) => (setup.subject.includes('pixels') ? null : 'no column has the role image'),
  mode(_, setup) {
    const p = setup.shape.pixels
    const size = p ? ` of ${p.height} x ${p.width} ${p.channels === 3 ? 'RGB' : 'grey'}` : ''
    return isLabelled(setup) ? `template pursuit and patches on pixels${size}` : `no labels: patches alone, on pixels${size}`
  },
  reads: (_, setup) => (isLabelled(setup) ? ['label', 'pixels'] : ['pixels']),
  statistics: (options, setup) => [triggerSearch(searchOptions(options), isLabelled(setup))],
  scorer(c) {
    const search = searchOf(c)
    return (batch) => judge(search, batch)
  },
  tally: carrierTally,
  decide(c) {
    const search = searchOf(c)
    const { found } = search
    return [
      ...found.map((f, t) => ({ rule: 'trigger-image/pattern', group: patternGroup(f, t), atLeast: carrierScore })),
      ...patchesOf(search).map((f, t) => ({
        rule: 'trigger-image/patch',
        group: patchGroup(f, found.length + t),
        atLeast: carrierScore,
      })),
    ]
  },
  evidence: carrierExamples,
  evidenceReads: ['pixels'],
  conclude: (c, tally, examples, flagged) => conclude(searchOf(c), tally, examples ?? [], flagged),
}

function conclude(search: TriggerSearch, tally: CarrierTally, examples: readonly Example[], flagged: Flagged): Conclusion {
  const of = (group: string) => [examples.filter((e) => e.group === group), flagged.top.filter((r) => r.group === group)] as const
  const places = new Map<string, number>()
  const patterns = search.found.map((f, t) => {
    const place = (places.get(f.target) ?? 0) + 1
    places.set(f.target, place)
    return patternFinding(f, t, place, tally, search, ...of(patternGroup(f, t)))
  })
  const marks = patchesOf(search)
  const patches = marks.map((f, k) => {
    const t = search.found.length + k
    return patchFinding(f, t, tally, search, ...of(patchGroup(f, t)))
  })
  return {
    findings: [...patterns, ...patches],
    tests: [...search.tests.map(testOf), ...patchTests(search)],
    notes: [...notes(search), ...ofParts(patterns.length + patches.length)],
    triggers: [...search.found, ...marks].map((f) => f.trigger),
  }
}

/** Somebody who plants triggers plants few. */
const fewTriggers = 5

const ofParts = (found: number): string[] =>
  found > fewTriggers
    ? [
        `${found} patterns and marks were found: pictures that are drawn of parts, such as icons, diagrams and renderings, share them by nature. If these are, switch the detector off (trigger-image: false, under detectors).`,
      ]
    : []

function notes(search: TriggerSearch): string[] {
  if (search.tooManyClasses) return ['There are more than 4,096 labels: no class was searched for patterns.']
  const patches = `${compared(search.patches, 'wherever they lie')} ${compared(search.fixed, 'at the same place')}`
  if (!search.labelled)
    return ['Without labels no class can be searched for patterns, and what a patch goes with cannot be tested.', patches]
  const searched = new Set(search.tests.map((t) => t.name)).size
  const out = [`Searched ${searched} of ${search.classes} classes for patterns, on a sample of ${search.rows} images.`, patches]
  if (searched < search.classes)
    out.push(`A class with fewer than ${leastRows} different images is not searched, nor are more than the ${maxClasses} largest classes.`)
  return out
}

const compared = ({ rung }: PatchSearch, where: string): string =>
  rung
    ? `Compared patches ${where}, of up to ${rung.side} x ${rung.side} pixels at up to ${rung.bits} bits a value.`
    : `Patches were not compared ${where}: the images are too small, or of so little variety that equal patches say nothing.`
