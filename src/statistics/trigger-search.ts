import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { type PixelSample, type PixelSampleOptions, pixelSample } from './pixel-sample.ts'
import { type Pursuit, pursue } from './trigger-search/pursuit.ts'

export interface TriggerSearch extends Pursuit {
  readonly tooManyClasses: boolean
  /** Classes of the sample, and its records. */
  readonly classes: number
  readonly rows: number
}

type State = ReturnType<ReturnType<typeof pixelSample>['init']>

/** Working memory of the search beside the sample: two halves of a class and the pool, in three bases. */
const searchBytes = 400 * 2 ** 20

export const triggerSearchId = (options: PixelSampleOptions): string => `trigger-search/${shortDigest({ ...options })}`

/** A sample of the pixels of every class; in `finish`, the triggers found in it. */
export function triggerSearch(options: PixelSampleOptions): Statistic<State, TriggerSearch> {
  const sample = pixelSample(options)
  return {
    ...sample,
    id: triggerSearchId(options),
    update: (c: Context, state: State, batch: Batch) => sample.update(c, state, batch),
    async finish(c: Context, state: State) {
      const { shape, classes, tooManyClasses } = (await sample.finish(c, state)) as PixelSample
      const found = shape && options.labelled ? await pursue(shape, classes, c.seed) : { bases: null, tests: [], found: [] }
      return { ...found, tooManyClasses, classes: classes.length, rows: classes.reduce((sum, k) => sum + k.rows, 0) }
    },
    bytes: (shape: Shape) => sample.bytes(shape) + searchBytes,
  }
}
