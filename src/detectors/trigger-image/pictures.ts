import type { Evidence, Picture } from '../../contracts/finding.ts'
import type { RecoveredTrigger } from '../../contracts/trigger.ts'
import { pictureOf } from '../../math/picture.ts'
import type { RecoveredPatch } from '../../statistics/trigger-search/recover-patch.ts'
import type { Example } from './examples.ts'

const grey = 128
/** Differences are drawn with this factor: small ones are hard to see. */
const contrast = 2

const clamped = (values: Iterable<number>): Uint8ClampedArray => Uint8ClampedArray.from(values)

/** What carriers have in common, as pictures: none of them shows a record. */
export function triggerPictures(trigger: RecoveredTrigger, difference: Float32Array, title: string): Evidence {
  const { height, width, channels, alpha, pattern, box } = trigger
  const size = { height, width }
  const stamped = clamped(
    pattern.map((v, i) => {
      const a = alpha[Math.floor(i / channels)] as number
      return a * v + (1 - a) * grey
    }),
  )
  const full = clamped(
    pattern.map((v, i) => {
      const a = alpha[Math.floor(i / channels)] as number
      return a < leastShown ? grey : v
    }),
  )
  const items: Picture[] = [
    pictureOf({ caption: 'recovered trigger, as strong as it is, on mid-grey', data: stamped, ...size, channels, outline: box }),
    pictureOf({ caption: 'its pattern at full strength, grey where there is none', data: full, ...size, channels, outline: box }),
    pictureOf({ caption: 'where it sits: white covers all', data: clamped(alpha.map((a) => 255 * a)), ...size, channels: 1, outline: box }),
    pictureOf({
      caption: `mean of carriers minus mean of the other records of the class, x ${contrast}`,
      data: clamped(difference.map((v) => grey + contrast * v)),
      ...size,
      channels,
      outline: box,
    }),
  ]
  return { kind: 'pictures', title, ofRecords: false, items }
}

const leastShown = 0.05

/** A mark that lies anywhere: drawn where most carriers have it, and how often each place is covered. */
export function patchPictures({ trigger, places }: RecoveredPatch): Evidence {
  const { height, width, channels, alpha, pattern, box } = trigger
  const size = { height, width }
  const most = Math.max(...places)
  const mark = clamped(pattern.map((v, i) => (alpha[Math.floor(i / channels)] ? v : grey)))
  return {
    kind: 'pictures',
    title: 'The mark, and where it lies',
    ofRecords: false,
    items: [
      pictureOf({ caption: 'recovered mark, at its most frequent place, on mid-grey', data: mark, ...size, channels, outline: box }),
      pictureOf({
        caption: `where it lies: white is ${(100 * most).toFixed(1)} % of carriers`,
        data: clamped(places.map((p) => (255 * p) / most)),
        ...size,
        channels: 1,
      }),
    ],
  }
}

/** @param boxOf where to outline the trigger in a record */
export function examplePictures(
  { height, width, channels }: RecoveredTrigger,
  examples: readonly Example[],
  boxOf: (example: Example) => RecoveredTrigger['box'],
): Evidence | null {
  if (examples.length === 0) return null
  return {
    kind: 'pictures',
    title: 'Records that carry it, strongest first',
    ofRecords: true,
    items: examples.map((e) => pictureOf({ caption: e.name, data: e.pixels, height, width, channels, outline: boxOf(e) })),
  }
}
