import type { AuditOutcome } from '../../../src/contracts/outcome.ts'
import type { Policy } from '../../../src/report/build.ts'
import { labelFlip, notApplicable } from '../parts.ts'
import { policy as gate, outcome as poisoned } from './poisoned-tabular.ts'

/** A truncated Parquet file, rejected rows, a failed detector and a required one that could not run: exit 2 before the findings. */
export const outcome: AuditOutcome = {
  ...poisoned,
  subject: { name: 'chest-x-ray notes', version: null },
  inputs: [
    { id: 'delivery/part-0.parquet', bytes: 48_211_004, sha256: '01'.repeat(32), over: 'subject' },
    { id: 'delivery/part-1.parquet', bytes: 11_002_113, sha256: '23'.repeat(32), over: 'subject' },
  ],
  rows: { read: 18_204, rejected: 311, unlabelled: 1_120, flagged: 12, reference: 0 },
  labels: [],
  sources: [],
  columns: [
    { name: 'uid', type: 'text', role: 'id' },
    { name: 'note', type: 'text', role: 'text' },
    { name: 'finding', type: 'text', role: 'label' },
  ],
  issues: [
    {
      code: 'invalid-utf8',
      shard: 'delivery/part-0.parquet',
      column: 'note',
      rejected: true,
      count: 311,
      examples: [
        { row: 17, line: null, detail: 'byte 0xC3 at 204' },
        { row: 902, line: null, detail: null },
      ],
    },
    {
      code: 'missing-label',
      shard: 'delivery/part-0.parquet',
      column: 'finding',
      rejected: false,
      count: 1_120,
      examples: [{ row: 4, line: null, detail: null }],
    },
  ],
  duplicateIds: { count: 14, examples: ['a-1', 'a-2'] },
  incomplete: [
    {
      code: 'truncated',
      message: 'the file ends inside row group 3: 18,204 of 61,440 rows were read',
      place: { file: 'delivery/part-1.parquet', offset: 11_002_113 },
      hint: 'Fetch the file again and compare its digest with the publisher.',
    },
  ],
  detectors: [
    labelFlip({ reason: 'no model: ridge on hashed n-grams', rowsScored: 16_773, rowsFlagged: 12, notes: [] }),
    labelFlip({
      id: 'trigger-text',
      title: 'Triggers in text',
      rules: [{ id: 'trigger-text/phrase', title: 'A phrase that decides the label', family: 'trigger' }],
      status: 'failed',
      reason: 'out of memory while counting n-grams',
      required: false,
      options: {},
    }),
    { ...notApplicable('provenance', 'Provenance', 'no manifest is named in the pipeline file'), required: true, rules: [] },
  ],
}

export const policy: Policy = { ...gate, gate: { ...gate.gate, require: ['label-flip', 'provenance'] }, waivers: [] }
