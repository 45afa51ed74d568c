import type { Conclusion, Detector, Threshold } from '../contracts/detector.ts'
import type { Context } from '../contracts/statistic.ts'
import { type ImageClusters, leastLikeness } from '../statistics/image-copies/cluster.ts'
import { imageCopies, imageCopiesId } from '../statistics/image-copies.ts'
import { type HashCounts, imageHashCounts, imageHashCountsId } from '../statistics/image-hash-counts.ts'
import { type Copies, copyPictures } from './near-duplicate-image/evidence.ts'
import { blankFinding, conflictFindings, floodFinding } from './near-duplicate-image/findings.ts'
import { judge, type Verdict } from './near-duplicate-image/judge.ts'
import { type NearDuplicateOptions, nearDuplicateOptions } from './near-duplicate-image/options.ts'
import { copyScorer } from './near-duplicate-image/score.ts'
import { type CopyTally, copyTally } from './near-duplicate-image/tally.ts'

const maxFloods = 10

const statisticOf = (options: NearDuplicateOptions) => ({ most: options.pictures })
const clustersOf = (c: Context<NearDuplicateOptions>): ImageClusters =>
  c.summaries.get<ImageClusters>(imageCopiesId(statisticOf(c.options)))

/**
 * Pictures that occur more than once, found by perceptual hashes and confirmed on their pixels: one picture many times, and copies
 * whose labels contradict each other. Needs no labels for the first.
 */
export const nearDuplicateImage: Detector<NearDuplicateOptions, CopyTally, Copies> = {
  id: 'near-duplicate-image',
  version: 1,
  title: 'Copied images',
  rules: [
    { id: 'near-duplicate-image/flood', title: 'One picture many times', family: 'clean-label' },
    { id: 'near-duplicate-image/label-conflict', title: 'Copies of a picture with contradicting labels', family: 'label-flip' },
  ],
  options: nearDuplicateOptions,
  missing: (setup) => (setup.subject.includes('pixels') ? null : 'no column has the role image'),
  mode: (_, setup) =>
    setup.subject.includes('label')
      ? 'perceptual hashes confirmed on the pixels; floods and label conflicts'
      : 'perceptual hashes confirmed on the pixels; floods alone, since no column has the role label',
  reads: (_, setup) => ['pixels', ...(['label', 'source'] as const).filter((r) => setup.subject.includes(r))],
  statistics: (options) => [imageHashCounts(), imageCopies(statisticOf(options))],
  scorer: (c) => copyScorer(clustersOf(c)),
  tally: copyTally,
  decide(c, tally) {
    const v = judge(tally, clustersOf(c), c.options)
    const at = (rule: string, group: string): Threshold => ({ rule, group, atLeast: leastLikeness })
    const floods = v.floods.slice(0, maxFloods).map((s) => at('near-duplicate-image/flood', s.of.name))
    const conflicts = v.clusters.filter((x) => isConflictShown(v, x)).map((x) => at('near-duplicate-image/label-conflict', x.name))
    return [...floods, ...conflicts]
  },
  evidence: copyPictures,
  evidenceReads: ['pixels'],
  conclude(c, tally, copies, flagged) {
    const clusters = clustersOf(c)
    const v = judge(tally, clusters, c.options)
    const pictures = copies ?? { height: 0, width: 0, channels: 1, copies: [] }
    const blank = v.clusters.find((x) => x.blank)
    return {
      findings: [
        ...v.floods.slice(0, maxFloods).map((s) => floodFinding(s, v, pictures, flagged.top)),
        ...conflictFindings(v, pictures, flagged.top),
        ...[blank ? blankFinding(blank, c.options.flood) : null].filter((f) => f !== null),
      ],
      tests: v.tests,
      notes: notes(c, tally, clusters, v),
    }
  },
}

/** Records of a cluster are flagged for its labels where a finding speaks of it. */
function isConflictShown(v: Verdict, x: Verdict['clusters'][number]): boolean {
  if (x.blank || x.conflicts === 0) return false
  if (v.overall || v.conflicted.some((s) => s.of.name === x.name)) return true
  return v.sources.some((s) => x.sources.some((own) => own.name === s.of.source))
}

function notes(c: Context<NearDuplicateOptions>, tally: CopyTally, clusters: ImageClusters, v: Verdict): Conclusion['notes'] {
  const copies = v.clusters.reduce((sum, x) => sum + x.records, 0)
  const conflicted = v.clusters.filter((x) => x.conflicts > 0).length
  const { records } = c.summaries.get<HashCounts>(imageHashCountsId())
  const out = [
    `${v.clusters.length} pictures occur more than once, in ${copies} of ${tally.records} records; ${conflicted} of them have more than one label. Copies keep a correlation of ${leastLikeness} of their grey pixels; cropped, turned, mirrored and shifted copies are not recognised.`,
  ]
  if (clusters.full)
    out.push(
      `Of ${records} records, ${clusters.kept} different pictures were compared, those first whose hash occurs again: near-duplicates of the others that differ in their hash were not looked for.`,
    )
  return out
}
