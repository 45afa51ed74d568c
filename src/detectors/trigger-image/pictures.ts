import type { Evidence, Picture } from '../../contracts/finding.ts'
import type { RecoveredTrigger } from '../../contracts/trigger.ts'
import { pictureOf } from '../../math/picture.ts'
import type { Example } from './examples.ts'

const grey = 128
/** Differences are drawn with this factor: small ones are hard to see. */
const contrast = 2

const clamped = (values: Iterable<number>): Uint8ClampedArray => Uint8ClampedArray.from(values)

/** What carriers have in common, as pictures: none of them shows a record. */
export function triggerPictures(trigger: RecoveredTrigger, difference: Float32Array): Evidence {
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
  return { kind: 'pictures', title: 'The trigger, recovered from what carriers have in common', ofRecords: false, items }
}

const leastShown = 0.05

export function examplePictures(trigger: RecoveredTrigger, examples: readonly Example[]): Evidence | null {
  if (examples.length === 0) return null
  const { height, width, channels, box } = trigger
  return {
    kind: 'pictures',
    title: 'Records that carry it, strongest first',
    ofRecords: true,
    items: examples.map((e) => pictureOf({ caption: e.name, data: e.pixels, height, width, channels, outline: box })),
  }
}
