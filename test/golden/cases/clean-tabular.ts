import type { AuditOutcome } from '../../../src/contracts/outcome.ts'
import type { Policy } from '../../../src/report/build.ts'
import { labelFlip, record } from '../parts.ts'
import { policy as gate, outcome as poisoned } from './poisoned-tabular.ts'

/** The control: the gate passes, a few records for review, and every test quiet. */
export const outcome: AuditOutcome = {
  ...poisoned,
  subject: { name: 'breast-cancer', version: 'clean control' },
  rows: { read: 569, rejected: 0, unlabelled: 0, flagged: 5, reference: 0 },
  labels: [
    { name: 'benign', count: 357, flagged: 3 },
    { name: 'malignant', count: 212, flagged: 2 },
  ],
  sources: poisoned.sources.map((s) => ({ ...s, flagged: 1 })),
  detectors: [
    labelFlip({
      reason: 'no model: choice of ridge, LDA, random Fourier features and nearest neighbours by cross-validation',
      rowsScored: 569,
      rowsFlagged: 5,
      thresholds: [{ rule: record.id, group: null, atLeast: 0.7 }],
      notes: ['Model: LDA, cross-validated accuracy 0.956.'],
      findings: [
        {
          rule: record.id,
          severity: 'review',
          confidence: 'medium',
          scope: { kind: 'records', names: [] },
          message: '5 records carry a label that the rest of the data contradicts.',
          count: 5,
          records: [
            {
              id: 'patient-73',
              shard: 'delivery/breast-cancer.csv',
              row: 73,
              score: 0.871,
              pValue: null,
              givenLabel: 'malignant',
              suggestedLabel: 'benign',
              source: 'Aachen',
              group: null,
            },
          ],
          evidence: [],
          test: null,
          action: 'Look at the strongest records first and correct the labels that are wrong.',
        },
      ],
      tests: [
        { id: 'label-flip/source: Coimbra, malignant to benign', method: 'one-sided exact hypergeometric', p: 0.41 },
        { id: 'label-flip/class-pair: malignant to benign', method: 'one-sided exact binomial', p: 0.22 },
      ],
    }),
  ],
}

export const policy: Policy = { ...gate, waivers: [] }
