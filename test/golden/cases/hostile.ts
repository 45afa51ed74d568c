import type { AuditOutcome } from '../../../src/contracts/outcome.ts'
import type { Policy } from '../../../src/report/build.ts'
import { fingerprintOf } from '../../../src/report/fingerprint.ts'
import { classPair, labelFlip, record, source } from '../parts.ts'
import { policy as gate, outcome as poisoned } from './poisoned-tabular.ts'

const script = '<script>window.pwned=1</script>'
const image = '"><img src=x onerror=window.pwned=2>'
const escapes = '\u001b[2J\u001b]0;owned\u0007::error file=a::b'
const bidi = 'paid\u202egpj.exe\u2066'
const markdown = '[click](javascript:alert(1)) ![](https://evil.example/x.png) | `code` <b>@everyone</b> $x$'
const formula = '=HYPERLINK("https://evil.example","go")'
const style = '</style><svg onload=window.pwned=3>'
const ends = ']]></text></svg></title></script><script>window.pwned=4</script>'
const commands = '##[error]x\n::set-output name=a::b\r\n##vso[task.complete]'
const long = 'A'.repeat(5_000)

const dot =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAGElEQVR4nGP8z8Dwn4EIwESMolGFowoBAGj+Ag+4LuSEAAAAAElFTkSuQmCC'

const waivedScope = { kind: 'class', names: [image] } as const

/** Every string that an attacker can choose tries to become markup, a command, a formula or an escape sequence. */
export const outcome: AuditOutcome = {
  ...poisoned,
  subject: { name: `${script}${bidi}`, version: escapes },
  inputs: [{ id: `in${image}.csv`, bytes: 10, sha256: 'cd'.repeat(32), over: 'subject' }],
  rows: { read: 400, rejected: 3, unlabelled: 0, flagged: 4, reference: 0 },
  labels: [script, image, formula, markdown].map((name, i) => ({ name, count: 100, flagged: i })),
  sources: [escapes, ends, long].map((name) => ({ name, count: 130, flagged: 1 })),
  columns: [{ name: style, type: bidi, role: 'label' }],
  issues: [
    {
      code: 'invalid-json',
      shard: ends,
      column: image,
      rejected: true,
      count: 3,
      examples: [{ row: 1, line: 2, detail: `${script}${commands}` }],
    },
  ],
  duplicateIds: { count: 2, examples: [script, formula] },
  detectors: [
    labelFlip({
      reason: commands,
      rowsScored: 397,
      rowsFlagged: 4,
      options: { note: script },
      thresholds: [{ rule: record.id, group: image, atLeast: 0.5 }],
      notes: [markdown, escapes],
      findings: [
        {
          rule: source.id,
          severity: 'high',
          confidence: 'high',
          scope: { kind: 'source', names: [escapes, script] },
          message: `Source ${escapes} labels ${script} as ${markdown}.`,
          count: 3,
          records: [
            {
              id: image,
              shard: `in${image}.csv`,
              row: 3,
              score: 0.9,
              pValue: 0.01,
              givenLabel: script,
              suggestedLabel: bidi,
              source: ends,
              group: formula,
              excerpt: `${script} ${bidi} ${commands}`,
              thumbnail: 'data:image/svg+xml,<svg onload=alert(1)>',
            },
            {
              id: formula,
              shard: `in${image}.csv`,
              row: 4,
              score: 0.8,
              pValue: null,
              givenLabel: long,
              suggestedLabel: null,
              source: null,
              group: null,
              excerpt: long,
              thumbnail: dot,
            },
          ],
          evidence: [
            {
              kind: 'matrix',
              title: ends,
              rowTitle: script,
              columnTitle: style,
              rows: [script, ends, long],
              columns: [image, formula, bidi],
              counts: [
                [10, 2, 0],
                [1, 20, 3],
                [0, 0, 5],
              ],
              marked: [[1, 2]],
            },
            {
              kind: 'intervals',
              title: script,
              level: 0.95,
              expected: 0.1,
              items: [script, ends, bidi].map((name, i) => ({
                name,
                count: i,
                total: 10,
                estimate: i / 10,
                low: 0,
                high: 0.5,
                marked: i === 2,
              })),
            },
            {
              kind: 'histogram',
              title: style,
              xTitle: ends,
              edges: [0, 0.5, 1],
              series: [{ name: script, counts: [3, 1] }],
              threshold: 0.5,
            },
            { kind: 'numbers', title: markdown, items: [{ name: formula, value: script }] },
            {
              kind: 'table',
              title: commands,
              columns: [image, escapes],
              rows: [
                [script, bidi],
                [long, null],
              ],
            },
            {
              kind: 'pictures',
              title: ends,
              ofRecords: true,
              items: [
                { caption: `${script}${image}`, png: dot, width: 8, height: 8, outline: [2, 2, 3, 3] },
                { caption: `${bidi}${style}`, png: dot, width: 1e9, height: -1, outline: [-5, Number.NaN, 1e12, 3] },
                { caption: 'never shown', png: 'data:image/svg+xml,<svg onload=alert(1)>', width: 8, height: 8, outline: null },
                { caption: 'nor this', png: `${dot}" onerror="window.pwned=5`, width: 8, height: 8, outline: null },
              ],
            },
            {
              kind: 'scatter',
              title: style,
              xTitle: script,
              yTitle: ends,
              series: [
                {
                  name: image,
                  marked: true,
                  points: [
                    [0, 1],
                    [Number.NaN, 2],
                    [1e300, -1e300],
                  ],
                },
                { name: bidi, marked: false, points: [[3, Number.POSITIVE_INFINITY]] },
                { name: long, marked: true, points: [] },
              ],
            },
            {
              kind: 'passages',
              title: script,
              items: [
                { where: image, label: style, text: `${script}${bidi}${escapes}`, marks: [[3, 12]] },
                {
                  where: ends,
                  label: null,
                  text: `${markdown}\r\n${commands}\ud83d`,
                  marks: [
                    [0, 5],
                    [2, 9_999],
                  ],
                },
                { where: long, label: long, text: `${long}${image}${long}`, marks: [[5_000, 5_000 + image.length]] },
                {
                  where: formula,
                  label: bidi,
                  text: '\u{e0048}\u{e0069}\u200b\u200b\u200b\u200b<b>',
                  marks: [
                    [-4, 3],
                    [Number.NaN, 2],
                  ],
                },
              ],
            },
          ],
          test: `label-flip/source: ${script}`,
          action: `Do not open ${markdown}.`,
        },
        {
          rule: classPair.id,
          severity: 'critical',
          confidence: 'certain',
          scope: waivedScope,
          message: image,
          count: 1,
          records: [],
          evidence: [],
          test: null,
          action: commands,
        },
      ],
      tests: [{ id: `label-flip/source: ${script}`, method: markdown, p: 0.001 }],
    }),
  ],
  levels: [{ name: script, statistics: [image] }],
}

export const policy: Policy = {
  ...gate,
  gate: { ...gate.gate, require: [] },
  waivers: [
    {
      fingerprint: fingerprintOf({ rule: classPair.id, scope: waivedScope }),
      statement: `${script} ${commands}`,
      expires: '2027-01-01',
      maxCount: 5,
    },
  ],
  excerpts: true,
}
