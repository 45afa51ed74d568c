import type { RecordRef } from '../../../src/contracts/finding.ts'
import type { AuditOutcome } from '../../../src/contracts/outcome.ts'
import type { Policy } from '../../../src/report/build.ts'
import { classPair, labelFlip, notApplicable, record, source } from '../parts.ts'

const hospitals = ['Aachen', 'Bergen', 'Coimbra', 'Debrecen', 'Esbjerg']
const sizes = [118, 109, 121, 107, 114]
const flips = [1, 2, 31, 0, 2]

const strongest: readonly RecordRef[] = Array.from({ length: 20 }, (_, i) => {
  const flipped = i !== 7 && i !== 16
  return {
    id: `patient-${(i * 37) % 569}`,
    shard: 'delivery/breast-cancer.csv',
    row: (i * 37) % 569,
    score: Number((0.998 - i * 0.013).toFixed(4)),
    pValue: null,
    givenLabel: flipped ? 'benign' : 'malignant',
    suggestedLabel: flipped ? 'malignant' : 'benign',
    source: flipped ? 'Coimbra' : (hospitals[(i * 3) % 5] as string),
    group: null,
  }
})
const ofPair = strongest.filter((r) => r.givenLabel === 'benign').slice(0, 12)

/** A hospital that calls malignant records benign: every kind of evidence, one test that is not significant, one waiver unused. */
export const outcome: AuditOutcome = {
  tool: { name: 'assay', version: '0.1.0' },
  startedAt: '2026-11-23T09:30:00.000Z',
  seed: '6f1c0a9d5b7e4c2f8a3d1e5f7b9c0d24',
  planDigest: 'c0ffee'.padEnd(64, '0'),
  subject: { name: 'breast-cancer', version: 'vendor delivery 2026-11' },
  inputs: [{ id: 'delivery/breast-cancer.csv', bytes: 119_913, sha256: 'ab12'.padEnd(64, 'e'), over: 'subject' }],
  rows: { read: 569, rejected: 0, unlabelled: 0, flagged: 36, reference: 0 },
  labels: [
    { name: 'benign', count: 384, flagged: 32 },
    { name: 'malignant', count: 185, flagged: 4 },
  ],
  sources: hospitals.map((name, i) => ({ name, count: sizes[i] as number, flagged: flips[i] as number })),
  columns: [
    { name: 'patient', type: 'text', role: 'id' },
    { name: 'hospital', type: 'text', role: 'source' },
    { name: 'diagnosis', type: 'text', role: 'label' },
    { name: 'mean radius', type: 'number', role: 'features' },
    { name: 'mean texture', type: 'number', role: 'features' },
    { name: 'comment', type: 'text', role: null },
  ],
  issues: [],
  duplicateIds: { count: 0, examples: [] },
  incomplete: [],
  provenance: null,
  detectors: [
    labelFlip({
      reason: 'no model: choice of ridge, LDA, random Fourier features and nearest neighbours by cross-validation',
      rowsScored: 569,
      rowsFlagged: 36,
      thresholds: [{ rule: record.id, group: null, atLeast: 0.7 }],
      notes: [
        'Model: LDA, cross-validated accuracy 0.953 (ridge 0.949, random Fourier features 0.944, nearest neighbours 0.937).',
        'Folds: 5, by keyed hash of the record; identical contents share a fold.',
      ],
      findings: [
        {
          rule: source.id,
          severity: 'critical',
          confidence: 'high',
          scope: { kind: 'source', names: ['Coimbra', 'malignant', 'benign'] },
          message: 'Source Coimbra labels as benign 28 records that look malignant, where 3.1 would be expected from the other sources.',
          count: 28,
          records: ofPair,
          evidence: [
            {
              kind: 'intervals',
              title: 'Records that look malignant and are labelled benign, by source',
              level: 0.95,
              expected: 0.031,
              items: hospitals.map((name, i) => {
                const count = [1, 1, 28, 0, 2][i] as number
                const total = [44, 41, 62, 39, 45][i] as number
                const estimate = count / total
                return {
                  name,
                  count,
                  total,
                  estimate,
                  low: Number(Math.max(0, estimate - 0.05 - estimate * 0.15).toFixed(4)),
                  high: Number(Math.min(1, estimate + 0.07 + estimate * 0.12).toFixed(4)),
                  marked: i === 2,
                }
              }),
            },
          ],
          test: 'label-flip/source: Coimbra, malignant to benign',
          action:
            'Ask Coimbra how it labels, have a second reader look at its 28 records, and keep its records out of training until then.',
        },
        {
          rule: classPair.id,
          severity: 'high',
          confidence: 'medium',
          scope: { kind: 'class-pair', names: ['malignant', 'benign'] },
          message:
            'Records that look malignant are labelled benign 32 times, where 9.4 would be expected from the confusion of the classes.',
          count: 32,
          records: ofPair.slice(0, 6),
          evidence: [
            {
              kind: 'matrix',
              title: 'Given label against suggested label',
              rowTitle: 'given',
              columnTitle: 'suggested',
              rows: ['benign', 'malignant'],
              columns: ['benign', 'malignant'],
              counts: [
                [352, 32],
                [4, 181],
              ],
              marked: [[0, 1]],
            },
            {
              kind: 'numbers',
              title: 'The cell in excess',
              items: [
                { name: 'observed', value: 32 },
                { name: 'expected', value: 9.4 },
                { name: 'ratio', value: 3.4 },
                { name: 'estimated share of labels that are wrong', value: 0.0562 },
              ],
            },
          ],
          test: 'label-flip/class-pair: malignant to benign',
          action: 'Review the records of this pair, strongest first, with a second reader.',
        },
        {
          rule: record.id,
          severity: 'review',
          confidence: 'medium',
          scope: { kind: 'records', names: [] },
          message: '36 records carry a label that the rest of the data contradicts.',
          count: 36,
          records: strongest,
          evidence: [
            {
              kind: 'histogram',
              title: 'Scores of all records',
              xTitle: 'score',
              edges: Array.from({ length: 21 }, (_, i) => i / 20),
              series: [
                { name: 'labelled benign', counts: [190, 71, 34, 18, 12, 8, 6, 4, 3, 2, 2, 1, 1, 0, 2, 4, 5, 6, 7, 8] },
                { name: 'labelled malignant', counts: [98, 31, 17, 11, 8, 6, 4, 2, 2, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1] },
              ],
              threshold: 0.7,
            },
            {
              kind: 'table',
              title: 'Flagged records by source',
              columns: ['source', 'records', 'flagged', 'fraction'],
              rows: hospitals.map((name, i) => [
                name,
                sizes[i] as number,
                flips[i] as number,
                Number(((flips[i] as number) / (sizes[i] as number)).toFixed(4)),
              ]),
            },
          ],
          test: null,
          action: 'Look at the strongest records first and correct the labels that are wrong.',
        },
        {
          rule: source.id,
          severity: 'high',
          confidence: 'low',
          scope: { kind: 'source', names: ['Esbjerg', 'benign', 'malignant'] },
          message: 'Source Esbjerg labels as malignant 2 records that look benign, where 0.7 would be expected from the other sources.',
          count: 2,
          records: strongest.slice(7, 8),
          evidence: [],
          test: 'label-flip/source: Esbjerg, benign to malignant',
          action: 'Look at the two records.',
        },
      ],
      tests: [
        { id: 'label-flip/source: Coimbra, malignant to benign', method: 'one-sided exact hypergeometric', p: 3.4e-17 },
        { id: 'label-flip/source: Esbjerg, benign to malignant', method: 'one-sided exact hypergeometric', p: 0.032 },
        { id: 'label-flip/source: Bergen, malignant to benign', method: 'one-sided exact hypergeometric', p: 0.61 },
        { id: 'label-flip/class-pair: malignant to benign', method: 'one-sided exact binomial', p: 2.2e-9 },
        { id: 'label-flip/class-pair: benign to malignant', method: 'one-sided exact binomial', p: 0.97 },
      ],
    }),
    notApplicable('trigger-image', 'Triggers in images', 'no column has the role image'),
  ],
  levels: [
    { name: 'level 0', statistics: ['moments', 'census', 'bottom-k sample'] },
    { name: 'level 1', statistics: ['per-fold Gram matrices'] },
  ],
}

export const policy: Policy = {
  gate: { 'fail-on': 'high', 'max-flagged': 0.02, require: ['label-flip'], 'min-coverage': 0.99 },
  waivers: [
    {
      fingerprint: 'f'.repeat(64),
      statement: 'Ticket DQ-118: relabelled by two readers',
      expires: '2027-01-31',
      maxCount: 10,
    },
  ],
  now: new Date('2026-11-23T09:30:12.000Z'),
  excerpts: false,
}
