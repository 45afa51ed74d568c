import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { type PixelSample, pixelSample } from './pixel-sample.ts'
import { type ClassMeans, classMeans } from './trigger-search/class-means.ts'
import { searchFixedPatches, withoutFixed } from './trigger-search/fixed-patches.ts'
import { withoutEqual } from './trigger-search/near-duplicates.ts'
import { type LabelledPictures, noPatches, type PatchSearch, searchPatches } from './trigger-search/patches.ts'
import { type Pursuit, pursue } from './trigger-search/pursuit.ts'

export interface TriggerSearch extends Pursuit {
  /** At a fixed place, among the records that carry no pattern; and at any place, among those that carry none of these either. */
  readonly fixed: PatchSearch
  readonly patches: PatchSearch
  readonly labelled: boolean
  /** Null where nothing was found, or no class could be searched. */
  readonly means: ClassMeans | null
  readonly tooManyClasses: boolean
  /** Classes of the sample, and its records. */
  readonly classes: number
  readonly rows: number
}

type State = ReturnType<ReturnType<typeof pixelSample>['init']>

export interface TriggerSearchOptions {
  /** Records of a class that are searched, at most. */
  readonly sample: number
  /** Of the sample. */
  readonly bytes: number
}

export const triggerSearchId = ({ sample, bytes }: TriggerSearchOptions): string => `trigger-search/${shortDigest({ sample, bytes })}`

/** Without labels all records are one class. */
const unlabelledFactor = 4

/** A sample of the pixels of every class; in `finish`, the triggers found in it: patterns where there are labels, and patches. */
export function triggerSearch(options: TriggerSearchOptions, labelled: boolean): Statistic<State, TriggerSearch> {
  const perClass = options.sample * (labelled ? 1 : unlabelledFactor)
  const sample = pixelSample({ perClass, bytes: options.bytes, labelled })
  return {
    ...sample,
    id: triggerSearchId(options),
    update: (c: Context, state: State, batch: Batch) => sample.update(c, state, batch),
    async finish(c: Context, state: State) {
      const { shape, classes, tooManyClasses } = (await sample.finish(c, state)) as PixelSample
      const counts = { labelled, tooManyClasses, classes: classes.length, rows: classes.reduce((sum, k) => sum + k.rows, 0) }
      if (!shape) return { bases: null, tests: [], found: [], fixed: noPatches, patches: noPatches, means: null, ...counts }
      const patchesOf = (labels: readonly LabelledPictures[]) => {
        const fixed = searchFixedPatches(shape, labels, labelled, c.seed)
        return { fixed, patches: searchPatches(shape, withoutFixed(shape, labels, fixed.found), labelled, c.seed) }
      }
      if (!labelled) return { bases: null, tests: [], found: [], means: null, ...patchesOf(classes.map((k) => withoutEqual(k))), ...counts }
      const { left, ...pursuit } = await pursue(shape, classes, c.seed)
      const patches = patchesOf(left)
      const nothing = pursuit.found.length + patches.fixed.found.length + patches.patches.found.length === 0
      const means = nothing || !pursuit.bases ? null : await classMeans(shape, withoutFixed(shape, left, patches.fixed.found))
      return { ...pursuit, ...patches, means, ...counts }
    },
  }
}
