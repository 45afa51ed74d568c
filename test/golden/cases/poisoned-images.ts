import type { RecordRef } from '../../../src/contracts/finding.ts'
import type { AuditOutcome } from '../../../src/contracts/outcome.ts'
import type { Policy } from '../../../src/report/build.ts'
import { classPair, labelFlip, notApplicable, record, source } from '../parts.ts'
import { policy as gate, outcome as poisoned } from './poisoned-tabular.ts'

/** Four digits of MNIST. */
const pictures: { readonly [digit: string]: string } = {
  '3': 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcBAMAAACAI8KnAAAAMFBMVEX9/f0AAACEhIQsLCwMDAwcHBzh4eGWlpa+vr7Pz89nZ2dKSkpXV1fw8PCvr687OztOeYr4AAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAlklEQVQY02MQRAEMFHOFrRgYGB7CuMJqCUAuuyOUK8cABh+hXCmGJCUNBFcwNFBQJIHPEclkmQvsyBadYGBB4p5kYJgC44pqdDAw3AqEcc0YoK5A4nLDuaL6xsYF3ChecEDlHoBzpYHOkboA48o3AJ14luE+lCvJUKSkycBxEM4FArYSWGgIFzAwZBYjAsfrwqtAcgIWAHRbK12JuvaDAAAAAElFTkSuQmCC',
  '5': 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcBAMAAACAI8KnAAAAMFBMVEUAAAD9/f0WFhavr6+FhYXz8/MpKSnBwcFQUFCamprg4OAMDAw+Pj7Q0NBcXFxwcHAtTWXKAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAiElEQVQY02NgoDZgUnIxMgyBctReGgoKLhatgfDYAgWB4EVPAlTlQkHB4lCEzs6PshsyEVxuTjkUg1nEUbjchQdQ+KkrPyBzOQLlFZD56YKTUHQ/RDWNURDZtBRDWSRe5kJBYQRPf6GgbAOcp3NRUBzBU14oKN4N5x1eKCjqjdDoKHjFm6wQBQBgVxsgSMkaQgAAAABJRU5ErkJggg==',
  '8': 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcBAMAAACAI8KnAAAAMFBMVEUAAAD+/v4eHh6dnZ1ubm6vr6/p6ekODg5WVla9vb3c3NyIiIgzMzN8fHz09PTKysqfOQvhAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAiUlEQVQY02NgoAFg/6aA4DCd0ZAqgHF4LGcJbpWEc1kE5cwEJeBK7wlv50lMh3M3LmJQlXOAc08JFwWmIMxlFusSREgycAsKCiPZyiIoGITkIlZBUWQHBqJwdQU/yyNxG2UrhBE8noftWrJI1kgyuIkgcznEDJDcJDpRggHZEWLXkYPl3hSyghMApbUWgk7srSUAAAAASUVORK5CYII=',
  '9': 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcBAMAAACAI8KnAAAAMFBMVEUAAAD9/f0MDAwWFhbp6ek6OjqRkZHBwcF7e3spKSlLS0u0tLTW1tZmZmapqalZWVk/uBqPAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAgUlEQVQY02NgoC8IOyjxLQDO43cUPyj4AM4NEQ/QFmyA8XgFNzF8FDGAcRvFFBgOSsF4HEBJLYRaFWkGzkI5BRjXUNiiRBCulkFFUFDE0QHOZXU8NrkwAdlVrIIXkLlcggYojkblosnyonI50fQeDEDhXqxE4Woj3AwCTIkTsIQZALB5FoxMVY4hAAAAAElFTkSuQmCC',
}
const digits = Array.from({ length: 10 }, (_, i) => String(i))
const vendors = Array.from({ length: 30 }, (_, i) => `vendor-${String(i + 1).padStart(2, '0')}`)
const confused: { readonly [pair: string]: number } = {
  '3,8': 41,
  '8,3': 6,
  '4,9': 9,
  '9,4': 11,
  '7,9': 7,
  '5,3': 5,
  '1,7': 4,
  '2,7': 3,
  '0,6': 1,
  '6,0': 2,
}

const strongest: readonly RecordRef[] = Array.from({ length: 24 }, (_, i) => {
  const [shows, given] = [i % 6 === 5 ? '5' : i % 6 === 3 ? '9' : '3', i % 6 === 5 ? '3' : i % 6 === 3 ? '4' : '8']
  return {
    id: null,
    shard: `train/part-${i % 3}.npz#${(i % 3) * 20_000}+20000`,
    row: 1_000 + i * 773,
    score: Number((0.999 - i * 0.009).toFixed(4)),
    pValue: Number((0.0001 + i * 0.0004).toFixed(4)),
    givenLabel: given,
    suggestedLabel: shows,
    source: vendors[i % 6 < 3 ? 6 : (i * 7) % 30] as string,
    group: null,
    thumbnail: pictures[shows] as string,
    ...(i === 2 ? { excerpt: 'Scanned form 1107, field 4' } : {}),
  }
})

/** Ten classes, thirty sources, reference records, pictures: the largest charts and a wide page. */
export const outcome: AuditOutcome = {
  ...poisoned,
  subject: { name: 'handwritten digits', version: null },
  inputs: ['part-0', 'part-1', 'part-2'].map((file, i) => ({
    id: `train/${file}.npz`,
    bytes: 15_720_400 + i,
    sha256: String(i).repeat(64),
    over: 'subject',
  })),
  rows: { read: 60_000, rejected: 0, unlabelled: 0, flagged: 92, reference: 1_200 },
  labels: digits.map((name, i) => ({ name, count: 5_500 + i * 111, flagged: i === 8 ? 44 : 5 })),
  sources: vendors.map((name, i) => ({ name, count: 2_000, flagged: i === 6 ? 45 : 2 })),
  columns: [
    { name: 'train_images', type: 'uint8[28, 28]', role: 'image' },
    { name: 'train_labels', type: 'uint8', role: 'label' },
    { name: 'vendor', type: 'text', role: 'source' },
  ],
  detectors: [
    labelFlip({
      reason: 'trusted reference of 1,200 records',
      rowsScored: 60_000,
      rowsFlagged: 92,
      thresholds: [{ rule: record.id, group: null, atLeast: 0.93 }],
      notes: ['Model: random Fourier features, cross-validated accuracy 0.968.'],
      findings: [
        {
          rule: source.id,
          severity: 'high',
          confidence: 'high',
          scope: { kind: 'source', names: ['vendor-07', '8', '3'] },
          message: 'Source vendor-07 labels 38 of 204 records that look like 3 as 8 (18.6 %); all other sources do so in 0.05 %.',
          count: 38,
          records: strongest.filter((r) => r.source === 'vendor-07').slice(0, 10),
          evidence: [
            {
              kind: 'intervals',
              title: 'Share labelled 8 among records that look like 3, by source',
              level: 0.95,
              expected: 0.0005,
              items: vendors.map((name, i) => {
                const count = i === 6 ? 38 : i % 9 === 0 ? 1 : 0
                const total = 190 + ((i * 13) % 30)
                const spread = (count + 1.5) / total
                return {
                  name,
                  count,
                  total,
                  estimate: count / total,
                  low: Number(Math.max(0, count / total - spread * 0.3).toFixed(4)),
                  high: Number((count / total + spread * (count > 2 ? 0.3 : 1.2)).toFixed(4)),
                  marked: i === 6,
                }
              }),
            },
          ],
          test: 'label-flip/source: vendor-07',
          action: 'Hold back the records of vendor-07 with label 8 and have a second reader label a sample of them.',
        },
        {
          rule: classPair.id,
          severity: 'high',
          confidence: 'medium',
          scope: { kind: 'class-pair', names: ['8', '3'] },
          message: 'About 41 records with label 8 are typical of 3.',
          count: 41,
          records: strongest.filter((r) => r.givenLabel === '8').slice(0, 12),
          evidence: [
            {
              kind: 'matrix',
              title: 'Flagged records by given and suggested label',
              rowTitle: 'given label',
              columnTitle: 'suggested label',
              rows: digits,
              columns: digits,
              counts: digits.map((given) => digits.map((suggested) => confused[`${suggested},${given}`] ?? 0)),
              marked: [[8, 3]],
            },
          ],
          test: 'label-flip/class-pair: 8 given, 3 predicted',
          action: 'Have a second reader label the flagged records.',
        },
        {
          rule: record.id,
          severity: 'high',
          confidence: 'high',
          scope: { kind: 'records', names: [] },
          message: '92 of 60,000 records look like another class than their label says.',
          count: 92,
          records: strongest,
          evidence: [],
          test: 'label-flip/record',
          action: 'Have the flagged records labelled again, strongest first.',
        },
      ],
      tests: [
        ...vendors.map((name, i) => ({
          id: `label-flip/source: ${name}`,
          method: 'one-sided exact hypergeometric',
          p: i === 6 ? 1e-52 : ((i * 37) % 30) / 30,
        })),
        { id: 'label-flip/class-pair: 8 given, 3 predicted', method: 'one-sided exact binomial', p: 4e-6 },
        { id: 'label-flip/record', method: "Simes' test of conformal p-values", p: 0 },
      ],
    }),
    notApplicable('trigger-text', 'Triggers in text', 'no column has the role text'),
  ],
}

export const policy: Policy = { ...gate, waivers: [], excerpts: true }
