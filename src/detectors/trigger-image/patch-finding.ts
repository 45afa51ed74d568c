import type { Evidence, Finding, RecordRef, Test } from '../../contracts/finding.ts'
import type { RecoveredTrigger } from '../../contracts/trigger.ts'
import { patchReader } from '../../statistics/trigger-search/patch-hash.ts'
import type { FoundPatch, PatchSearch } from '../../statistics/trigger-search/patches.ts'
import type { Example } from './examples.ts'
import { countsOf, labelShares, power } from './pattern-finding.ts'
import { examplePictures, patchPictures } from './pictures.ts'
import type { CarrierTally } from './tally.ts'

const testId = 'trigger-image/patch: any place'

/** One hypothesis for all patches. Null where nothing was compared, or where there are no labels to ask for an association. */
export const patchTest = ({ rung, logP }: PatchSearch, labelled: boolean): Test | null =>
  rung && labelled
    ? {
        id: testId,
        method:
          'exact Poisson test that a patch is more than three times as frequent as its mirrored, turned and inverted copies, and exact hypergeometric test that one label alone has it; the larger p-value, corrected over all patches',
        p: Math.exp(logP),
      }
    : null

/** @param t position of the patch among all triggers found */
export function patchFinding(
  found: FoundPatch,
  t: number,
  tally: CarrierTally,
  examples: readonly Example[],
  top: readonly RecordRef[],
): Finding {
  const { target, copies, trigger } = found
  const [, , width, height] = trigger.box
  const counts = countsOf(tally, t)
  const carriers = counts.reduce((sum, c) => sum + (target === null || c.name === target ? c.carriers : 0), 0)
  const elsewhere = counts.reduce((sum, c) => sum + (target === null || c.name === target ? 0 : c.carriers), 0)
  const shown = examplePictures(trigger, examples, (e) => placeOf(found, e))
  const which = `one mark of ${width} x ${height} pixels, not always at the same place`
  return {
    rule: 'trigger-image/patch',
    severity: target === null ? 'review' : 'high',
    confidence: target === null ? 'low' : 'high',
    scope: { kind: 'pattern', names: target === null ? ['patch'] : ['patch', target] },
    message:
      target === null
        ? `${carriers} images contain ${which}; its mirrored, turned and inverted copies occur in at most ${copies}.`
        : `${carriers} images labelled "${target}" contain ${which}, against ${elsewhere} images of all other classes; its mirrored, turned and inverted copies occur in at most ${copies}.`,
    count: carriers,
    records: top.slice(0, 20),
    evidence: [
      patchPictures(found),
      ...(shown ? [shown] : []),
      ...(target === null ? [] : [labelShares(counts, target)]),
      testNumbers(found),
    ],
    test: target === null ? null : testId,
    action:
      'Look at the flagged images beside the mark; if nobody can say where it comes from, leave these images out and ask who supplied them.',
  }
}

/** Where the patch lies in a record. */
function placeOf({ rung, key, hash, trigger }: FoundPatch, { pixels }: Example): RecoveredTrigger['box'] {
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
      { name: 'most carriers of one mirrored, turned or inverted copy', value: f.copies },
      { name: 'more frequent than its copies: p', value: power(f.logSpike) },
      ...(f.target === null ? [] : [{ name: 'one label alone has it: p', value: power(f.logAssociation) }]),
      { name: 'corrected over all patches: p', value: power(f.logP) },
      { name: 'compared by', value: `${f.rung.side} x ${f.rung.side} pixels, ${f.rung.bits} bits a value` },
    ],
  }
}
