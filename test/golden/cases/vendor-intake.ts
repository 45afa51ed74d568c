import type { Conclusion } from '../../../src/contracts/detector.ts'
import type { RecordRef } from '../../../src/contracts/finding.ts'
import type { AuditOutcome } from '../../../src/contracts/outcome.ts'
import { type Grade, grades } from '../../../src/contracts/provenance.ts'
import type { ChangeSummary, Concentration } from '../../../src/contracts/snapshot.ts'
import { provenanceDetector } from '../../../src/engine/provenance-outcome.ts'
import type { Policy } from '../../../src/report/build.ts'
import { labelFlip } from '../parts.ts'

const sizes: Partial<Record<Grade, readonly [number, number]>> = {
  verified: [6, 1_204_112],
  mismatched: [1, 3_322_800],
  missing: [1, 812],
  unlisted: [1, 48_220],
  'weak-digest': [2, 210_010],
}
const total = Object.values(sizes).reduce(([files, bytes], [f, b]) => [files + f, bytes + b], [0, 0])

const none: ChangeSummary['counts'] = { added: 0, removed: 0, edited: 0, relabelled: 0, replaced: 0 }
const tested = (id: string, part: Partial<Concentration>): Concentration => ({
  kind: 'removed',
  axis: 'class',
  within: null,
  cell: 'normal',
  changed: 826,
  cellRecords: 1_214,
  allChanged: 826,
  allRecords: 4_708,
  test: { id, method: 'one-sided exact hypergeometric test of the strongest cell, Bonferroni over the cells', p: 0 },
  log10P: -612.4,
  adjusted: 0,
  concentrated: true,
  ...part,
})
const selective = 'provenance/removed: by class'
const relabelled = 'provenance/relabelled: by class-pair'

/** A disc of light on grey, as a PNG of 28 by 28. */
const thumbnail =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAABbElEQVR42oXSv6uCUBQHcP8cXRqui4Hg0JDcRp1suNiQg0MQQvLcbBCsKRvkNgQNITY4FBQSCLlIBoIFRr0/5v3k0XvEfXe68OFw7j3nS9GEQz3cmRpgQY15hizfEGELig2e/YtAgJKC1I6KFAkK4BdyTRlpPWNgDoyehuQm94B1qHT7lu24I9exrX5XgfUf5GBbN4djz8cz7Hvjoam3IfeNoKnoL84EL5bhKlwu8MR50ZUm+EJB7prOdB5Em+1uu4mC+dQxu7LwiSxE/eFkHq7j5JAekngdzifDPoLsB/KSZo1xsN6nWX7Ks3S/DvDY0iT+HZmG0rO9RRSnx6I8l8UxjaOFZ/eUBkPRNREZjr/cJFlxqa7VpciSzdJ3DCTWKBpAdeDicHvIy+p2v1VlftiG2B2oEFA02+qYo9lql57O1/vr/Xo+pbvVbGR2Wuw/lcSexNcS/0meEHG25K0Q90lOAjlD5PSRc/s08W9qB0D0Mri8DgAAAABJRU5ErkJggg=='
const gone: readonly RecordRef[] = Array.from({ length: 6 }, (_, i) => ({
  id: null,
  shard: 'original/scans.npz#train',
  row: 17 + i * 211,
  score: 1,
  pValue: null,
  givenLabel: 'normal',
  suggestedLabel: null,
  source: null,
  group: 'removed',
  thumbnail,
}))

const conclusion: Conclusion = {
  findings: [
    {
      rule: 'provenance/class-selective-removal',
      severity: 'high',
      confidence: 'certain',
      scope: { kind: 'class', names: ['normal'] },
      message:
        '826 of 1,214 records labelled normal (68 %) and 0 of 3,494 labelled pneumonia are missing; were records lost at random, one class alone would lose so many with p < 1e-300.',
      count: 826,
      records: gone,
      evidence: [
        {
          kind: 'table',
          title: 'Records of the baseline that are gone, by class',
          columns: ['class', 'before', 'removed', 'fraction'],
          rows: [
            ['normal', 1214, 826, 0.6804],
            ['pneumonia', 3494, 0, 0],
          ],
        },
      ],
      test: selective,
      action: 'Ask the publisher why records of the class normal are missing, and refuse the delivery until they are back.',
    },
    {
      rule: 'provenance/mismatch',
      severity: 'high',
      confidence: 'certain',
      scope: { kind: 'file', names: ['scans.npz'] },
      message: 'scans.npz is not the file that SHA256SUMS names: its SHA-256 is 77aa01b3c9d2..., and 5f9c0b1d24e8... was expected.',
      count: 1,
      records: [],
      evidence: [],
      test: null,
      action: 'Fetch scans.npz from the publisher again, and compare.',
    },
    {
      rule: 'provenance/declared-facts',
      severity: 'high',
      confidence: 'certain',
      scope: { kind: 'dataset', names: ['rows', 'rows of class normal'] },
      message:
        'The data are not what the pipeline file declares: 4,708 rows were declared and 3,882 were read: 826 fewer; normal 1,214 declared, 391 read.',
      count: 826,
      records: [],
      evidence: [],
      test: null,
      action: 'Ask who declared it.',
    },
    {
      rule: 'provenance/missing',
      severity: 'high',
      confidence: 'certain',
      scope: { kind: 'file', names: ['licence.txt'] },
      message: 'licence.txt, which SHA256SUMS names, is not there.',
      count: 1,
      records: [],
      evidence: [],
      test: null,
      action: 'Ask for it.',
    },
    {
      rule: 'provenance/untrusted-signer',
      severity: 'medium',
      confidence: 'certain',
      scope: { kind: 'file', names: ['croissant.json.sig'] },
      message: 'croissant.json is signed by somebody whom the policy does not name.',
      count: 1,
      records: [],
      evidence: [],
      test: null,
      action: 'Find out whose key it is.',
    },
    {
      rule: 'provenance/relabelled',
      severity: 'medium',
      confidence: 'certain',
      scope: { kind: 'dataset', names: [] },
      message: '3 records were relabelled.',
      count: 3,
      records: [],
      evidence: [],
      test: null,
      action: 'Look at them.',
    },
  ],
  tests: [
    { id: selective, method: 'one-sided exact hypergeometric test of the strongest cell, Bonferroni over the cells', p: 0 },
    { id: relabelled, method: 'one-sided exact binomial test of the strongest cell, Bonferroni over the cells', p: 0.41 },
  ],
  notes: ['The baseline has no id column: records are paired by their content.'],
}

const hex = (start: string): string => start.padEnd(64, '0123456789abcdef')

/** A vendor's copy of a public data set that lost two thirds of one class. */
export const outcome: AuditOutcome = {
  tool: { name: 'assay', version: '0.1.0' },
  startedAt: '2026-11-24T05:00:00.000Z',
  seed: '6f1c0a9d5b7e4c2f8a3d1e5f7b9c0d24',
  planDigest: 'decade'.padEnd(64, '0'),
  subject: { name: 'chest-scans', version: 'vendor delivery 2026-11' },
  inputs: [{ id: 'delivery/scans.npz', bytes: 3_322_800, sha256: hex('77aa01b3c9d2'), over: 'subject' }],
  rows: { read: 3_882, rejected: 0, unlabelled: 0, flagged: 31, reference: 0 },
  labels: [
    { name: 'normal', count: 391, flagged: 20 },
    { name: 'pneumonia', count: 3_491, flagged: 11 },
  ],
  sources: [],
  columns: [
    { name: 'train_images', type: 'uint8[28,28]', role: 'image' },
    { name: 'train_labels', type: 'text', role: 'label' },
  ],
  issues: [],
  duplicateIds: { count: 0, examples: [] },
  incomplete: [],
  detectors: [
    labelFlip({ reason: 'no model: ridge on pixels', rowsScored: 3_882, rowsFlagged: 31, required: false }),
    provenanceDetector({ status: 'ran', reason: '2 manifests, 11 files, a trusted original of 4,708 records', required: true }, [
      conclusion,
    ]),
  ],
  provenance: {
    root: 'delivery',
    manifests: [
      {
        kind: 'sums',
        title: 'SHA256SUMS',
        file: 'SHA256SUMS',
        version: null,
        entries: 8,
        closed: '',
        signatures: [
          {
            method: 'ed25519',
            file: 'SHA256SUMS.sig',
            status: 'trusted',
            signer: 'keys/publisher.pub (sha256 3f91c2aa)',
            reason: 'The signature holds, and the policy names its key.',
            signedAt: null,
          },
        ],
        problems: [],
        facts: [],
      },
      {
        kind: 'croissant',
        title: 'Croissant',
        file: 'meta/croissant.json',
        version: '1.1',
        entries: 3,
        closed: null,
        signatures: [
          {
            method: 'Sigstore',
            file: 'meta/croissant.json.sigstore.json',
            status: 'untrusted',
            signer: 'somebody@example.net',
            reason: 'The signature holds, and the policy does not name this identity.',
            signedAt: '2026-10-30T12:00:00.000Z',
          },
        ],
        problems: [
          {
            code: 'malformed',
            message: 'The file object "thumbnails" has no sha256.',
            place: { file: 'meta/croissant.json', line: 41 },
            invalid: false,
          },
        ],
        facts: [],
      },
      {
        kind: 'sums',
        title: 'MD5SUMS',
        file: 'extra/MD5SUMS',
        version: null,
        entries: 2,
        closed: null,
        signatures: [],
        problems: [],
        facts: [],
      },
    ],
    coverage: {
      files: total[0],
      bytes: total[1],
      byGrade: Object.fromEntries(grades.map((g) => [g, { files: sizes[g]?.[0] ?? 0, bytes: sizes[g]?.[1] ?? 0 }])) as never,
      verifiedFiles: 6 / total[0],
      verifiedBytes: 1_204_112 / total[1],
      signedFiles: 5 / total[0],
      signedBytes: 1_180_000 / total[1],
    },
    files: [
      {
        path: 'scans.npz',
        bytes: 3_322_800,
        grade: 'mismatched',
        manifests: ['SHA256SUMS', 'meta/croissant.json'],
        expected: { algorithm: 'sha256', hex: hex('5f9c0b1d24e8') },
        actual: hex('77aa01b3c9d2'),
        signed: false,
        label: null,
        url: null,
      },
      {
        path: 'licence.txt',
        bytes: null,
        grade: 'missing',
        manifests: ['SHA256SUMS'],
        expected: { algorithm: 'sha256', hex: hex('abc1') },
        actual: null,
        signed: false,
        label: null,
        url: null,
      },
      {
        path: 'notes/handover.docx',
        bytes: 48_220,
        grade: 'unlisted',
        manifests: [],
        expected: null,
        actual: null,
        signed: false,
        label: null,
        url: null,
      },
      ...['a', 'b'].map((n) => ({
        path: `extra/${n}.csv`,
        bytes: 105_005,
        grade: 'weak-digest' as const,
        manifests: ['extra/MD5SUMS'],
        expected: { algorithm: 'md5' as const, hex: `${n}0`.padEnd(32, '0') },
        actual: `${n}0`.padEnd(32, '0'),
        signed: false,
        label: null,
        url: null,
      })),
      ...Array.from({ length: 6 }, (_, i) => ({
        path: `reports/site-${i + 1}.pdf`,
        bytes: 200_685,
        grade: 'verified' as const,
        manifests: ['SHA256SUMS'],
        expected: { algorithm: 'sha256' as const, hex: hex(`c${i}`) },
        actual: hex(`c${i}`),
        signed: i < 5,
        label: null,
        url: null,
      })),
    ],
    facts: [
      { by: 'the pipeline file', name: 'rows', declared: '4708', read: '3882', agrees: false },
      { by: 'the pipeline file', name: 'rows of class normal', declared: '1214', read: '391', agrees: false },
      { by: 'the pipeline file', name: 'rows of class pneumonia', declared: '3494', read: '3491', agrees: false },
      { by: 'meta/croissant.json, record set default', name: 'column train_labels', declared: 'there', read: 'there', agrees: true },
      { by: 'meta/croissant.json, record set default', name: 'bytes of raw.zip', declared: '992112', read: null, agrees: null },
    ],
    changes: {
      before: { name: 'original/scans.npz', root: hex('0b1'), records: 4_708 },
      after: { name: 'chest-scans', root: hex('0b2'), records: 3_882 },
      counts: { ...none, removed: 826, relabelled: 3 },
      classes: [
        { name: 'normal', split: null, before: 1_214, after: 391, counts: { ...none, removed: 826 } },
        { name: 'pneumonia', split: null, before: 3_494, after: 3_491, counts: { ...none, relabelled: 3 } },
      ],
      sources: [],
      transitions: {
        labels: ['normal', 'pneumonia'],
        counts: [
          [0, 0],
          [3, 0],
        ],
      },
      duplicates: { before: 2, after: 2 },
      concentrations: [
        tested(selective, {}),
        tested(relabelled, {
          kind: 'relabelled',
          axis: 'class-pair',
          cell: 'pneumonia to normal',
          changed: 3,
          cellRecords: 3_494,
          allChanged: 3,
          test: { id: relabelled, method: 'one-sided exact binomial test of the strongest cell, Bonferroni over the cells', p: 0.41 },
          log10P: -0.387,
          adjusted: 0.82,
          concentrated: false,
        }),
      ],
      flood: null,
      notes: ['The baseline has no id column: records are paired by their content.'],
    },
    changesFile: 'changes.parquet',
    snapshot: { root: hex('0b2'), records: 3_882, previous: null, signed: false },
  },
  levels: [{ name: 'read the data', statistics: ['label census'] }],
}

export const policy: Policy = {
  gate: { 'fail-on': 'high', 'max-flagged': 0.02, require: ['provenance'], 'min-coverage': 0.99 },
  waivers: [],
  now: new Date('2026-11-24T05:10:00.000Z'),
  excerpts: true,
}
