import type { Cell, Evidence, Finding, Severity } from '../../contracts/finding.ts'
import { type Coverage, type FileGrade, type Grade, grades, type Manifest, type TrustPolicy } from '../../contracts/provenance.ts'

const maxRows = 200
const maxNamed = 3

const count = (n: number): string => n.toLocaleString('en-US')
const percent = (x: number): string => `${(100 * x).toFixed(x > 0 && x < 1 ? 1 : 0)} %`

/** "a.csv", "a.csv and b.csv", "a.csv, b.csv and 3 more" */
const listed = (names: readonly string[]): string => {
  if (names.length <= 1) return names[0] ?? ''
  if (names.length <= maxNamed) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  return `${names.slice(0, maxNamed - 1).join(', ')} and ${count(names.length - maxNamed + 1)} more`
}

const algorithmNames: Readonly<Record<string, string>> = {
  md5: 'MD5',
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
}
export const algorithmName = (algorithm: string): string => algorithmNames[algorithm] ?? algorithm

const table = (title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): Evidence => ({
  kind: 'table',
  title: rows.length > maxRows ? `${title} (the first ${maxRows} of ${count(rows.length)})` : title,
  columns,
  rows: rows.slice(0, maxRows),
})

const base = (rule: string, severity: Severity, names: readonly string[], files: number) =>
  ({
    rule: `provenance/${rule}`,
    severity,
    confidence: 'certain',
    scope: { kind: 'file', names: names.slice(0, 20) },
    count: files,
    records: [],
    test: null,
  }) as const

const manifestsOf = (files: readonly FileGrade[]): string[] => [...new Set(files.flatMap((f) => f.manifests))].sort()

/** The manifest behind a grade comes first. */
const decisive = (f: FileGrade): string => f.manifests[0] ?? ''

function mismatched(files: readonly FileGrade[], trusted: ReadonlySet<string>, all: number): Finding[] {
  const wrong = files.filter((f) => f.grade === 'mismatched')
  const vouched = wrong.filter((f) => trusted.has(decisive(f)))
  const others = wrong.filter((f) => !trusted.has(decisive(f)))
  return [...differing(vouched, 'critical', all), ...differing(others, 'high', all)]
}

function differing(wrong: readonly FileGrade[], severity: 'critical' | 'high', all: number): Finding[] {
  const [first] = wrong
  if (!first) return []
  const detail =
    first.expected === null || first.expected.hex === first.actual
      ? `${first.path} does not have the size that it states`
      : first.actual === null
        ? `${first.path} does not match`
        : `${first.path} has the ${algorithmName(first.expected.algorithm)} ${first.actual}, expected ${first.expected.hex}`
  const who = [...new Set(wrong.map(decisive))].sort()
  const files = all === 1 ? 'the only file is' : `${count(wrong.length)} of ${count(all)} files ${wrong.length === 1 ? 'is' : 'are'}`
  const signed = severity === 'critical' ? ', signed by somebody whom the policy trusts' : ''
  return [
    {
      ...base(
        'mismatch',
        severity,
        wrong.map((f) => f.path),
        wrong.length,
      ),
      message: `${files.slice(0, 1).toUpperCase()}${files.slice(1)} not what ${listed(who)} ${who.length === 1 ? 'names' : 'name'}${signed}: ${detail}.`,
      evidence: [
        table(
          'Files that are not what a manifest names',
          ['file', 'algorithm', 'expected', 'found', 'bytes', 'manifest'],
          wrong.map((f) => [
            f.path,
            f.expected ? algorithmName(f.expected.algorithm) : 'size or parts',
            f.expected?.hex ?? null,
            f.actual,
            f.bytes,
            f.manifests.join(', '),
          ]),
        ),
      ],
      action:
        'Do not use these files. Fetch them again from the publisher; if they still differ, ask the publisher which of file and manifest is right, and compare the old and the new file with assay diff.',
    },
  ]
}

function missing(files: readonly FileGrade[], all: number): Finding[] {
  const gone = files.filter((f) => f.grade === 'missing')
  if (gone.length === 0) return []
  const labels = new Map<string, number>()
  for (const f of gone) if (f.label !== null) labels.set(f.label, (labels.get(f.label) ?? 0) + 1)
  return [
    {
      ...base(
        'missing',
        'high',
        gone.map((f) => f.path),
        gone.length,
      ),
      message: `${count(gone.length)} of ${count(all)} files that ${listed(manifestsOf(gone))} names ${gone.length === 1 ? 'is' : 'are'} not in the delivery: ${listed(gone.map((f) => f.path))}.`,
      evidence: [
        table(
          'Missing files',
          ['file', 'manifest', 'expected'],
          gone.map((f) => [f.path, f.manifests.join(', '), f.expected?.hex ?? null]),
        ),
        ...(labels.size > 0
          ? [
              table(
                'Missing files by label',
                ['label', 'files'],
                [...labels].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)),
              ),
            ]
          : []),
      ],
      action: 'Ask for the missing files, and whether they were lost or left out. Look at what they have in common.',
    },
  ]
}

function unlisted(files: readonly FileGrade[], trust: TrustPolicy): Finding[] {
  const extra = files.filter((f) => f.grade === 'unlisted')
  const contradicting = extra.filter((f) => f.manifests.length > 0)
  const others = extra.filter((f) => f.manifests.length === 0)
  const finding = (of: readonly FileGrade[], severity: Severity, why: string, action: string): Finding => ({
    ...base(
      'unlisted',
      severity,
      of.map((f) => f.path),
      of.length,
    ),
    message: `${count(of.length)} ${of.length === 1 ? 'file is' : 'files are'} not named by ${why}: ${listed(of.map((f) => f.path))}.`,
    evidence: [
      table(
        'Files that no manifest names',
        ['file', 'bytes'],
        of.map((f) => [f.path, f.bytes]),
      ),
    ],
    action,
  })
  const out: Finding[] = []
  if (contradicting.length > 0) {
    const who = manifestsOf(contradicting)
    out.push(
      finding(
        contradicting,
        'high',
        `${listed(who)}, which ${who.length === 1 ? 'claims' : 'claim'} to name all`,
        'Find out who added these files and why, and remove them before anything reads the folder.',
      ),
    )
  }
  if (others.length > 0 && trust.unlisted !== 'allow')
    out.push(
      finding(
        others,
        trust.unlisted === 'fail' ? 'high' : 'medium',
        'any manifest',
        'Ask the publisher for a manifest that names every file, or leave these files out.',
      ),
    )
  return out
}

function weak(files: readonly FileGrade[], trust: TrustPolicy, all: number): Finding[] {
  const found = files.filter((f) => f.grade === 'weak-digest')
  if (found.length === 0) return []
  const algorithms = [...new Set(found.flatMap((f) => (f.expected ? [algorithmName(f.expected.algorithm)] : [])))]
  return [
    {
      ...base('weak-digest', 'low', manifestsOf(found), found.length),
      message: `${count(found.length)} of ${count(all)} ${all === 1 ? 'file matches' : 'files match'} by ${listed(algorithms)} only, which somebody who prepared two versions can forge; the policy asks for ${algorithmName(trust.weakest)}.`,
      evidence: [
        table(
          'Files with a weak digest',
          ['file', 'algorithm', 'digest', 'manifest'],
          found.map((f) => [f.path, f.expected ? algorithmName(f.expected.algorithm) : null, f.actual, f.manifests.join(', ')]),
        ),
      ],
      action: 'Ask the publisher for SHA-256 digests, and keep those of what you accepted: assay sign DIR.',
    },
  ]
}

/** Of files: those that differ, are missing, are too many, or are held by a weak digest alone. */
export function fileFindings(files: readonly FileGrade[], manifests: readonly Manifest[], trust: TrustPolicy): Finding[] {
  const trusted = new Set(manifests.filter((m) => m.signatures.some((s) => s.status === 'trusted')).map((m) => m.file))
  const named = files.filter((f) => f.grade !== 'unlisted').length
  return [...mismatched(files, trusted, named), ...missing(files, named), ...unlisted(files, trust), ...weak(files, trust, named)]
}

/** The share of verified files, by count and by bytes, that the policy asks for; where it requires signatures, of signed ones. */
export function coverageFindings(coverage: Coverage, trust: TrustPolicy): Finding[] {
  const signed = trust.requireSignature
  const files = signed ? coverage.signedFiles : coverage.verifiedFiles
  const bytes = signed ? coverage.signedBytes : coverage.verifiedBytes
  if (coverage.files === 0 || Math.min(files, bytes) >= trust.coverage) return []
  const what = signed ? 'verified by a trusted signature' : 'verified'
  return [
    {
      ...base('coverage', 'high', ['delivery'], coverage.files - coverage.byGrade.verified.files),
      scope: { kind: 'dataset', names: ['delivery'] },
      message: `Only ${percent(files)} of the files and ${percent(bytes)} of the bytes are ${what}, and the policy asks for ${percent(trust.coverage)}.`,
      evidence: [
        table(
          'Files by grade',
          ['grade', 'files', 'bytes'],
          grades.map((g: Grade) => [g, coverage.byGrade[g].files, coverage.byGrade[g].bytes]),
        ),
      ],
      action: 'Ask the publisher for digests (and a signature) of every file, beginning with the largest grade that is not verified.',
    },
  ]
}
