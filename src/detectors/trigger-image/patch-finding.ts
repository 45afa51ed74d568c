import type { Evidence, Finding, RecordRef, Test } from '../../contracts/finding.ts'
import type { RecoveredTrigger } from '../../contracts/trigger.ts'
import { powerOfTen } from '../../math/count.ts'
import { patchReader } from '../../statistics/trigger-search/patch-hash.ts'
import type { FoundPatch, PatchSearch } from '../../statistics/trigger-search/patches.ts'
import type { TriggerSearch } from '../../statistics/trigger-search.ts'
import type { Example } from './examples.ts'
import { likelyLabels } from './looks.ts'
import { countsOf, labelShares } from './pattern-finding.ts'
import { examplePictures, patchPictures } from './pictures.ts'
import type { CarrierTally } from './tally.ts'

const testId = (at: 'any place' | 'a fixed place'): string => `trigger-image/patch: ${at}`
const testOfPatch = (f: FoundPatch): string => testId(f.corner === null ? 'any place' : 'a fixed place')

const associated = 'exact hypergeometric test that one label alone has it; the larger p-value, corrected over all patches'
const methods = {
  'any place': `exact Poisson test that a patch is more than three times as frequent as its mirrored, turned and inverted copies, and ${associated}`,
  'a fixed place': `exact Poisson test that a patch is more than four times as frequent at its place as at any other and as its mirror images, and ${associated}`,
} as const

/** One hypothesis for all patches of a kind; none where nothing was compared, or where there are no labels to ask for an association. */
export function patchTests({ fixed, patches, labelled }: TriggerSearch): Test[] {
  const test = (at: keyof typeof methods, { rung, logP }: PatchSearch): Test[] =>
    rung && labelled ? [{ id: testId(at), method: methods[at], p: Math.exp(logP) }] : []
  return [...test('any place', patches), ...test('a fixed place', fixed)]
}

/** @param t position of the patch among all triggers found */
export function patchFinding(
  found: FoundPatch,
  t: number,
  tally: CarrierTally,
  search: TriggerSearch,
  examples: readonly Example[],
  top: readonly RecordRef[],
): Finding {
  const { target, copies, trigger } = found
  const [left, top_, width, height] = trigger.box
  const counts = countsOf(tally, t)
  const carriers = counts.reduce((sum, c) => sum + (target === null || c.name === target ? c.carriers : 0), 0)
  const elsewhere = counts.reduce((sum, c) => sum + (target === null || c.name === target ? 0 : c.carriers), 0)
  const shown = examplePictures(trigger, examples, (e) => placeOf(found, e))
  const fixed = found.corner !== null
  const which = `one mark of ${width} x ${height} pixels${fixed ? ` at (${left}, ${top_})` : ', not always at the same place'}`
  const rare = fixed
    ? `at any other place it or its mirror image occurs in at most ${copies} of the sample`
    : `its mirrored, turned and inverted copies occur in at most ${copies}`
  return {
    rule: 'trigger-image/patch',
    severity: target === null ? 'review' : 'high',
    confidence: target === null ? 'low' : 'high',
    scope: { kind: 'pattern', names: target === null ? ['patch'] : ['patch', target] },
    message:
      target === null
        ? `${carriers} images contain ${which}; ${rare}.`
        : `${carriers} images labelled "${target}" contain ${which}, against ${elsewhere} images of all other classes; ${rare}.`,
    count: carriers,
    records: top.slice(0, 20),
    evidence: [
      patchPictures(found),
      ...(shown ? [shown] : []),
      ...(target === null ? [] : [labelShares(counts, target)]),
      ...likelyLabels(search, tally, t, target),
      testNumbers(found),
    ],
    test: target === null ? null : testOfPatch(found),
    action:
      'Look at the flagged images beside the mark; if nobody can say where it comes from, leave these images out and ask who supplied them.',
  }
}

/** Where the patch lies in a record. */
function placeOf({ rung, key, hash, corner: fixed, trigger }: FoundPatch, { pixels }: Example): RecoveredTrigger['box'] {
  if (fixed !== null) return trigger.box
  const { hashes, corners, count } = patchReader(trigger, rung, key).read(pixels)
  const i = hashes.subarray(0, count).indexOf(hash)
  if (i < 0) return trigger.box
  const corner = corners[i] as number
  return [corner % trigger.width, Math.floor(corner / trigger.width), rung.side, rung.side]
}

function testNumbers(f: FoundPatch): Evidence {
  return {
    kind: 'numbers',
    title: 'The test, on the sample',
    items: [
      { name: 'carriers', value: `${f.carriers} of ${f.rows}` },
      { name: 'carriers in other classes', value: f.elsewhere },
      {
        name:
          f.corner === null ? 'most carriers of one mirrored, turned or inverted copy' : 'most carriers at one other place, of all labels',
        value: f.copies,
      },
      { name: `more frequent than ${f.corner === null ? 'its copies' : 'at other places'}: p`, value: powerOfTen(f.logSpike) },
      ...(f.target === null ? [] : [{ name: 'one label alone has it: p', value: powerOfTen(f.logAssociation) }]),
      { name: 'corrected over all patches: p', value: powerOfTen(f.logP) },
      { name: 'compared by', value: `${f.rung.side} x ${f.rung.side} pixels, ${f.rung.bits} bits a value` },
    ],
  }
}
