import type { RuleMeta } from '../../src/contracts/detector.ts'
import type { DetectorOutcome } from '../../src/contracts/outcome.ts'

export const record: RuleMeta = { id: 'label-flip/record', title: 'Label contradicted by the rest of the data', family: 'label-flip' }
export const classPair: RuleMeta = { id: 'label-flip/class-pair', title: 'One class labelled as another in excess', family: 'label-flip' }
export const source: RuleMeta = { id: 'label-flip/source', title: 'A source that relabels one class', family: 'label-flip' }

export const labelFlip = (part: Partial<DetectorOutcome>): DetectorOutcome => ({
  id: 'label-flip',
  version: 1,
  title: 'Label flips',
  rules: [record, classPair, source],
  status: 'ran',
  reason: 'own predictions',
  required: true,
  options: { fdr: 0.05 },
  rowsScored: 0,
  rowsFlagged: 0,
  thresholds: [],
  notes: [],
  findings: [],
  tests: [],
  ...part,
})

export const notApplicable = (id: string, title: string, reason: string): DetectorOutcome =>
  labelFlip({
    id,
    title,
    rules: [{ id: `${id}/pattern`, title, family: 'trigger' }],
    status: 'not-applicable',
    reason,
    required: false,
    options: {},
  })
