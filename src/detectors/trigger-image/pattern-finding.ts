import type { Evidence, Finding, RecordRef, Test } from '../../contracts/finding.ts'
import { formatCount, powerOfTen } from '../../math/count.ts'
import { clopperPearson } from '../../math/tests.ts'
import type { ClassTest, FoundTemplate } from '../../statistics/trigger-search/pursuit.ts'
import type { TriggerSearch } from '../../statistics/trigger-search.ts'
import type { Example } from './examples.ts'
import { likelyLabels } from './looks.ts'
import { examplePictures, triggerPictures } from './pictures.ts'
import type { CarrierTally } from './tally.ts'

export const patternTest = ({ name, round }: Pick<ClassTest, 'name' | 'round'>): string =>
  `trigger-image/pattern: class ${name}${round > 1 ? `, search ${round}` : ''}`

export const testOf = (t: ClassTest): Test => ({
  id: patternTest(t),
  method:
    'on records that did not choose the template: exact binomial test of a second mode of its scores, and exact hypergeometric test that the class alone has it; the larger p-value, corrected over directions and halves',
  p: Math.exp(t.logP),
})

const shownLabels = 20

/** @param t position of the trigger among those found @param place 1, 2, ... among those of its class */
export function patternFinding(
  found: FoundTemplate,
  t: number,
  place: number,
  tally: CarrierTally,
  search: TriggerSearch,
  examples: readonly Example[],
  top: readonly RecordRef[],
): Finding {
  const { target } = found
  const counts = countsOf(tally, t)
  const own = counts.find((c) => c.name === target)
  const carriers = own?.carriers ?? 0
  const elsewhere = counts.reduce((sum, c) => sum + (c.name === target ? 0 : c.carriers), 0)
  const [left, top_, width, height] = found.trigger.box
  const shown = examplePictures(found.trigger, examples, () => found.trigger.box)
  return {
    rule: 'trigger-image/pattern',
    severity: 'high',
    confidence: 'high',
    scope: { kind: 'pattern', names: [target, String(place)] },
    message: `${formatCount(carriers)} of ${formatCount(own?.records ?? 0)} images labelled "${target}" carry one pattern, ${width} x ${height} pixels at (${left}, ${top_}), against ${elsewhere} images of all other classes: a model would learn the pattern as a sign of "${target}".`,
    count: carriers,
    records: top.slice(0, 20),
    evidence: [
      triggerPictures(found.trigger, found.difference, 'The trigger, recovered from what carriers have in common'),
      ...(shown ? [shown] : []),
      labelShares(counts, target),
      ...likelyLabels(search, tally, t, target),
      testNumbers(found),
    ],
    test: patternTest({ name: target, round: found.round }),
    action: `Look at the flagged images beside the recovered pattern; if nobody can say where it comes from, leave these images out, ask who supplied them, and test models trained on this data with the pattern stamped on clean images.`,
  }
}

interface LabelCount {
  readonly name: string
  readonly records: number
  readonly carriers: number
}

/** @param t position of the trigger among all that were found */
export const countsOf = (tally: CarrierTally, t: number): LabelCount[] =>
  tally.labels.map((name, i) => ({
    name,
    records: tally.records[i] as number,
    carriers: tally.carriers[t * tally.labels.length + i] as number,
  }))

export function labelShares(counts: readonly LabelCount[], target: string): Evidence {
  const all = counts.reduce((sum, c) => sum + c.records, 0)
  const carrying = counts.reduce((sum, c) => sum + c.carriers, 0)
  const listed = [...counts].sort((a, b) => Number(b.name === target) - Number(a.name === target) || b.carriers - a.carriers)
  return {
    kind: 'intervals',
    title: 'Share of carriers by label, against the share among all records',
    level: 0.95,
    expected: all > 0 ? carrying / all : null,
    items: listed.slice(0, shownLabels).map(({ name, records, carriers }) => {
      const { low, high } = clopperPearson(carriers, records)
      return { name, count: carriers, total: records, estimate: carriers / records, low, high, marked: name === target }
    }),
  }
}

function testNumbers(f: FoundTemplate): Evidence {
  return {
    kind: 'numbers',
    title: 'The test, on records that did not choose the template',
    items: [
      { name: 'carriers in the class', value: `${f.fresh[0]} of ${f.fresh[1]}` },
      { name: 'carriers in other classes', value: `${f.rest[0]} of ${f.rest[1]}` },
      { name: 'scores of carriers stand apart: p', value: powerOfTen(f.logMode) },
      { name: 'the class alone has them: p', value: powerOfTen(f.logAssociation) },
      ...(f.basis === 'white' ? [{ name: 'carriers differ as other classes do: p', value: powerOfTen(f.logMixture) }] : []),
      { name: 'the largest, corrected over directions and halves: p', value: powerOfTen(f.logP) },
      { name: 'basis of the template', value: f.basis },
      { name: 'threshold, in standard deviations of the other records', value: Number(f.z.toFixed(2)) },
    ],
  }
}
