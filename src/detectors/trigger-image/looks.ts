import type { Evidence } from '../../contracts/finding.ts'
import { powerOfTen } from '../../math/count.ts'
import { logHypergeometricUpper } from '../../math/tests.ts'
import { nearestClasses } from '../../statistics/trigger-search/class-means.ts'
import { patchReader } from '../../statistics/trigger-search/patch-hash.ts'
import type { FoundPatch } from '../../statistics/trigger-search/patches.ts'
import type { FoundTemplate } from '../../statistics/trigger-search/pursuit.ts'
import type { Undo } from '../../statistics/trigger-search/recover.ts'
import type { TriggerSearch } from '../../statistics/trigger-search.ts'
import type { CarrierTally } from './tally.ts'

/** Where fewer records look like their own label, a record's look says nothing of its label. */
const leastAgreement = 0.6

/** For each carrier, with its trigger taken off, the position of the label that it looks most like; null where none can be told. */
export async function looksOf(
  { means }: TriggerSearch,
  carriers: readonly { readonly picture: Uint8Array; readonly trigger: FoundTemplate | FoundPatch }[],
): Promise<Int32Array | null> {
  if (!means) return null
  const each = means.shape.height * means.shape.width * means.shape.channels
  const pixels = new Uint8Array(carriers.length * each)
  carriers.forEach(({ picture, trigger }, i) => {
    pixels.set(trigger.undo ? undone(picture, trigger.undo) : withoutPatch(picture, trigger as FoundPatch, means.picture), i * each)
  })
  return nearestClasses(means, pixels, carriers.length)
}

const clamped = (values: Iterable<number>): Uint8ClampedArray => Uint8ClampedArray.from(values)

function undone(picture: Uint8Array, { scale, offset }: Undo): Uint8ClampedArray {
  return clamped(offset.map((v, i) => (picture[i] as number) * (scale[i] as number) + v))
}

/** The mean picture in place of a patch that lies anywhere. */
function withoutPatch(picture: Uint8Array, { rung, key, hash, trigger }: FoundPatch, mean: Float32Array): Uint8Array {
  const { width, channels } = trigger
  const out = picture.slice()
  const { hashes, corners, count } = patchReader(trigger, rung, key).read(picture)
  for (let n = 0; n < count; n++) {
    if (hashes[n] !== hash) continue
    for (let y = 0; y < rung.side; y++)
      for (let i = 0; i < rung.side * channels; i++) {
        const at = ((corners[n] as number) + y * width) * channels + i
        out[at] = Math.round(mean[at] as number)
      }
  }
  return out
}

/** Whether a record's suggested label is worth telling. */
export const isTelling = ({ means }: TriggerSearch): boolean => (means?.agreement ?? 0) >= leastAgreement

const shownLabels = 20
const share = (n: number, of: number): string => (of > 0 ? `${((100 * n) / of).toFixed(1)} %` : '-')

/** What the labels of carriers would have been, beside what other records of the label look like. @param t position among all triggers */
export function likelyLabels({ means }: TriggerSearch, tally: CarrierTally, t: number, target: string | null): Evidence[] {
  if (!means || target === null) return []
  const row = means.names.indexOf(target)
  const looks = (name: string): number => tally.looks[t * tally.labels.length + tally.labels.indexOf(name)] ?? 0
  const expected = (k: number): number => means.counts[row * means.names.length + k] as number
  const all = means.names.reduce((sum, name) => sum + looks(name), 0)
  const others = means.names.reduce((sum, _, k) => sum + expected(k), 0)
  if (row < 0 || all === 0) return []
  const rows = means.names
    .map((name, k) => ({ name, n: looks(name), k }))
    .sort((a, b) => b.n - a.n || a.k - b.k)
    .slice(0, shownLabels)
  return [
    {
      kind: 'table',
      title: `What the labels of carriers would have been: the label whose mean picture is nearest once the trigger is taken off, which is the given one for ${share(means.agreement, 1)} of other records`,
      columns: ['label', 'carriers that look like it', 'share', `share among other records labelled "${target}"`],
      rows: rows.map(({ name, n, k }) => [name, n, share(n, all), share(expected(k), others)]),
    },
    unlikeTest(all - looks(target), all, others - expected(row), others),
  ]
}

/** Are carriers more often unlike their label than other records of it? Of a trigger on records with the right label they are not. */
function unlikeTest(unlike: number, carriers: number, unlikeOthers: number, others: number): Evidence {
  const logP = logHypergeometricUpper(unlike, carriers + others, unlike + unlikeOthers, carriers)
  return {
    kind: 'numbers',
    title: 'Carriers were of other labels: the test',
    items: [
      { name: 'carriers that look like another label', value: `${unlike} of ${carriers}` },
      { name: 'other records of the label that do', value: `${unlikeOthers} of ${others}` },
      { name: 'so many by accident: p (hypergeometric)', value: powerOfTen(logP) },
    ],
  }
}
