import type { AuditOutcome } from '../../../src/contracts/outcome.ts'
import type { Policy } from '../../../src/report/build.ts'
import { notApplicable } from '../parts.ts'
import { policy as gate, outcome as poisoned } from './poisoned-tabular.ts'

/** Rows without a label and without content: no detector applies. */
export const outcome: AuditOutcome = {
  ...poisoned,
  subject: { name: 'ids', version: null },
  rows: { read: 120, rejected: 0, unlabelled: 0, flagged: 0, reference: 0 },
  labels: [],
  sources: [],
  columns: [{ name: 'uid', type: 'text', role: 'id' }],
  detectors: [notApplicable('label-flip', 'Label flips', 'no column has the role label')],
  levels: [],
}

export const policy: Policy = { ...gate, gate: { ...gate.gate, require: [] }, waivers: [] }
