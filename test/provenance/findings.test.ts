import { describe, expect, it } from 'vitest'
import type { Coverage, FileGrade, Grade, Manifest, SignatureCheck, TrustPolicy } from '../../src/contracts/provenance.ts'
import { grades } from '../../src/contracts/provenance.ts'
import { manifestFindings } from '../../src/provenance/findings.ts'
import { provenanceRules } from '../../src/provenance/rules.ts'
import { defaultTrust } from '../../src/provenance/trust.ts'

const trust = defaultTrust(new Date('2026-11-24T00:00:00Z'))

const signature = (status: SignatureCheck['status']): SignatureCheck => ({
  method: 'ed25519',
  file: 'SHA256SUMS.sig',
  status,
  signer: 'vendor.pub',
  reason: 'for a reason',
  signedAt: null,
})

const manifest = (signatures: readonly SignatureCheck[], closed: string | null = null): Manifest => ({
  kind: 'sums',
  title: 'SHA256SUMS',
  file: 'SHA256SUMS',
  version: null,
  entries: [
    {
      path: 'a.csv',
      digests: [{ algorithm: 'sha256', hex: '0'.repeat(64) }],
      bytes: null,
      range: null,
      placeholder: null,
      url: null,
      label: null,
      place: { file: 'SHA256SUMS', line: 1 },
    },
  ],
  closed,
  ignored: [],
  own: ['SHA256SUMS'],
  signatures,
  problems: [],
  facts: [],
})

const grade = (path: string, g: Grade, more: Partial<FileGrade> = {}): FileGrade => ({
  path,
  bytes: 10,
  grade: g,
  manifests: g === 'unlisted' ? [] : ['SHA256SUMS'],
  expected: g === 'unlisted' ? null : { algorithm: 'sha256', hex: '0'.repeat(64) },
  actual: '1'.repeat(64),
  signed: false,
  label: null,
  url: null,
  ...more,
})

function coverage(files: readonly FileGrade[]): Coverage {
  const of = (g: Grade) => ({ files: files.filter((f) => f.grade === g).length, bytes: 10 * files.filter((f) => f.grade === g).length })
  const verified = of('verified').files / Math.max(1, files.length)
  return {
    files: files.length,
    bytes: 10 * files.length,
    byGrade: Object.fromEntries(grades.map((g) => [g, of(g)])) as Coverage['byGrade'],
    verifiedFiles: verified,
    verifiedBytes: verified,
    signedFiles: 0,
    signedBytes: 0,
  }
}

const found = (files: readonly FileGrade[], m: Manifest, policy: Partial<TrustPolicy> = {}) =>
  manifestFindings(
    { delivery: { root: '/delivery', files: [], outside: new Map(), problems: [] }, manifests: [m] },
    { files, coverage: coverage(files), problems: m.problems },
    { ...trust, ...policy },
  ).findings.map((f) => [f.rule, f.severity, f.message] as const)

const rules = (...args: Parameters<typeof found>) => found(...args).map(([rule, severity]) => `${rule} ${severity}`)

describe('what a delivery amounts to', () => {
  it('is nothing where every file is verified and signed', () => {
    expect(rules([grade('a.csv', 'verified', { signed: true })], manifest([signature('trusted')]))).toEqual([])
  })

  it.each([
    ['high', [] as SignatureCheck[], 'provenance/unsigned medium'],
    ['critical', [signature('trusted')], null],
  ])('is a mismatch, %s, with both digests', (severity, signatures, other) => {
    const all = found([grade('a.csv', 'mismatched'), grade('b.csv', 'verified')], manifest(signatures))
    expect(all[0]).toEqual([
      'provenance/mismatch',
      severity,
      expect.stringContaining(`SHA-256 ${'1'.repeat(64)}, expected ${'0'.repeat(64)}`),
    ])
    expect(all[0]?.[2]).toMatch(/^1 of 2 files is not what SHA256SUMS names/)
    expect(all.slice(1).map(([rule, s]) => `${rule} ${s}`)).toEqual(other === null ? [] : [other])
  })

  it('is what is missing, with the labels of what is gone', () => {
    const files = [grade('a.csv', 'missing', { label: 'normal', bytes: null, actual: null }), grade('b.csv', 'verified')]
    expect(rules(files, manifest([signature('trusted')]))).toEqual(['provenance/missing high'])
  })

  it.each([
    ['report', null, ['provenance/unlisted medium']],
    ['allow', null, []],
    ['fail', null, ['provenance/unlisted high']],
    ['allow', '', ['provenance/unlisted high']],
    ['allow', 'data', []],
  ] as const)('is an unlisted file where the policy says %s and the manifest claims %j', (unlisted, closed, expected) => {
    expect(
      rules([grade('x.csv', 'unlisted', { manifests: closed === '' ? ['SHA256SUMS'] : [] })], manifest([signature('trusted')], closed), {
        unlisted,
      }),
    ).toEqual(expected)
  })

  it('is a weak digest, below what fails a gate', () => {
    const files = [grade('a.npz', 'weak-digest', { expected: { algorithm: 'md5', hex: 'a'.repeat(32) }, actual: 'a'.repeat(32) })]
    const all = found(files, manifest([]))
    expect(all.map(([rule, severity]) => `${rule} ${severity}`)).toEqual(['provenance/weak-digest low', 'provenance/unsigned medium'])
    expect(all[0]?.[2]).toContain('MD5')
  })

  it.each([
    ['invalid', false, ['provenance/untrusted-signer high']],
    ['untrusted', false, ['provenance/untrusted-signer medium']],
    ['untrusted', true, ['provenance/untrusted-signer high']],
    ['unchecked', false, ['provenance/unsigned medium']],
    ['unchecked', true, ['provenance/unsigned high']],
  ] as const)('is a signature that is %s (required: %s)', (status, requireSignature, expected) => {
    expect(rules([grade('a.csv', 'verified')], manifest([signature(status)]), { requireSignature })).toEqual(expected)
  })

  it('is a signature that does not hold, even beside one that does', () => {
    expect(rules([grade('a.csv', 'verified')], manifest([signature('trusted'), signature('invalid')]))).toEqual([
      'provenance/untrusted-signer high',
    ])
  })

  it('is a coverage below the policy, of signed files where signatures are required', () => {
    const files = [grade('a.csv', 'verified'), grade('b.csv', 'no-digest')]
    expect(rules(files, manifest([signature('trusted')]), { coverage: 0.5 })).toEqual([])
    expect(rules(files, manifest([signature('trusted')]), { coverage: 0.6 })).toEqual(['provenance/coverage high'])
    expect(rules(files, manifest([signature('trusted')]), { coverage: 0.5, requireSignature: true })).toEqual(['provenance/coverage high'])
  })

  it('is a problem of a manifest, a warning being low', () => {
    const problem = { code: 'hostile-path', message: 'It names ../x.', place: { file: 'SHA256SUMS', line: 2 }, invalid: true } as const
    const m = { ...manifest([signature('trusted')]), problems: [problem, { ...problem, invalid: false }] }
    expect(rules([], m)).toEqual(['provenance/manifest high', 'provenance/manifest low'])
  })

  it('cites only rules that exist', () => {
    const files = grades.map((g) => grade(`${g}.csv`, g))
    const known = new Set(provenanceRules.map((r) => r.id))
    for (const [rule] of found(files, manifest([signature('invalid'), signature('untrusted')]), { coverage: 1 }))
      expect(known).toContain(rule)
  })
})
