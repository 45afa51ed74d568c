import type { RuleMeta } from '../contracts/detector.ts'

/** Every rule that a finding of the detector `history` may cite. */
export const historyRules: readonly RuleMeta[] = [
  { id: 'history/label-drift', title: 'Labels are changed more often than before', family: 'label-flip' },
  { id: 'history/source-drift', title: 'A source has become worse', family: 'label-flip' },
]
