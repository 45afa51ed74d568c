import {
  type Coverage,
  type Digest,
  type FileDigests,
  type FileGrade,
  type Grade,
  grades,
  type Manifest,
  type ManifestEntry,
  type TrustPolicy,
} from '../contracts/provenance.ts'
import type { Named, Statement } from './named.ts'
import { type Computed, computedOf, graver, type Judgement, judge, type Standing, strength } from './statements.ts'

/** What a reader has to see first. */
export const gravity: readonly Grade[] = ['mismatched', 'missing', 'unlisted', 'no-digest', 'placeholder-digest', 'weak-digest', 'verified']
const gradeOf: Readonly<Record<Standing, Grade>> = {
  mismatch: 'mismatched',
  match: 'verified',
  weak: 'weak-digest',
  placeholder: 'placeholder-digest',
  none: 'no-digest',
}

export const isTrusted = (manifest: Pick<Manifest, 'signatures'>): boolean => manifest.signatures.some((s) => s.status === 'trusted')
const isBroken = (manifest: Manifest): boolean => !isTrusted(manifest) && manifest.signatures.some((s) => s.status === 'invalid')

interface Verdict {
  readonly manifest: Manifest
  readonly judgement: Judgement
}

function byManifest(statements: readonly Statement[]): Map<Manifest, Statement[]> {
  const groups = new Map<Manifest, Statement[]>()
  for (const statement of statements) {
    const group = groups.get(statement.manifest)
    if (group) group.push(statement)
    else groups.set(statement.manifest, [statement])
  }
  return groups
}

/** A manifest whose signature does not hold can say that a file differs, but vouches for nothing. */
function verdictOf(manifest: Manifest, statements: readonly Statement[], file: Computed, trust: TrustPolicy): Verdict {
  const judgement = judge(
    statements.map(({ entry }) => entry),
    file,
    trust.weakest,
  )
  return { manifest, judgement: isBroken(manifest) && judgement.standing !== 'mismatch' ? { ...judgement, standing: 'none' } : judgement }
}

const textOf = (named: Named, key: 'label' | 'url'): string | null => {
  const texts = named.statements.flatMap(({ entry }) => entry[key] ?? [])
  return texts.reduce<string | null>((least, text) => (least === null || text < least ? text : least), null)
}

const stronger = (a: Digest | null, b: Digest): Digest =>
  a === null || strength(b.algorithm) > strength(a.algorithm) || (b.algorithm === a.algorithm && b.hex < a.hex) ? b : a

/** A file that is not there is missing, but where it may lie elsewhere and nobody says what it should be. */
function absent(entries: readonly ManifestEntry[]): Grade {
  if (!entries.every((entry) => entry.elsewhere && entry.digests.length === 0)) return 'missing'
  return entries.some(({ placeholder }) => placeholder !== null) ? 'placeholder-digest' : 'no-digest'
}

/** The grade of a file that manifests name, from all that they say of it. `digests` is null where none was asked for. */
export function gradeNamed(named: Named, digests: FileDigests | null, trust: TrustPolicy): FileGrade {
  const groups = byManifest(named.statements)
  const base = {
    path: named.path,
    bytes: named.file?.bytes ?? null,
    label: textOf(named, 'label'),
    url: textOf(named, 'url'),
    signed: false,
  }
  const all = [...groups.keys()].map(({ file }) => file).sort()
  const entries = named.statements.map(({ entry }) => entry)
  const expectation = entries.flatMap(({ range, digests }) => (range ? [] : digests)).reduce<Digest | null>(stronger, null)
  const unjudged = { ...base, manifests: all, expected: expectation, actual: null }
  if (named.file === null) return { ...unjudged, grade: absent(entries) }
  if (digests?.failed !== undefined) return { ...unjudged, grade: 'no-digest' }
  const file = digests ? computedOf(digests, entries) : { bytes: named.file.bytes, digests: new Map(), ranges: new Map() }
  const verdicts = [...groups]
    .map(([manifest, statements]) => verdictOf(manifest, statements, file, trust))
    .sort((a, b) => (a.manifest.file < b.manifest.file ? -1 : 1))
  const worst = verdicts.map((v) => v.judgement).reduce(graver)
  const grade = gradeOf[worst.standing]
  const behind = verdicts.filter((v) => v.judgement.standing === worst.standing)
  const decisive = behind.find((v) => isTrusted(v.manifest)) ?? behind.find((v) => v.judgement === worst)
  const { expected, actual } = decisive?.judgement ?? worst
  const first = decisive?.manifest.file ?? ''
  return {
    ...base,
    bytes: file.bytes,
    grade,
    manifests: [first, ...all.filter((one) => one !== first)],
    expected,
    actual,
    signed: grade === 'verified' && behind.some((v) => isTrusted(v.manifest)),
  }
}

/** `missing`: bytes that manifests declare for files that are not there. */
export function coverageOf(files: readonly FileGrade[], declared: ReadonlyMap<string, number>): Coverage {
  const byGrade = Object.fromEntries(grades.map((grade) => [grade, { files: 0, bytes: 0 }])) as Record<
    Grade,
    { files: number; bytes: number }
  >
  let bytes = 0
  const signed = { files: 0, bytes: 0 }
  for (const file of files) {
    const size = file.bytes ?? declared.get(file.path) ?? 0
    bytes += size
    byGrade[file.grade].files++
    byGrade[file.grade].bytes += size
    if (!file.signed) continue
    signed.files++
    signed.bytes += size
  }
  const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole)
  const verifiedFiles = share(byGrade.verified.files, files.length)
  const signedFiles = share(signed.files, files.length)
  return {
    files: files.length,
    bytes,
    byGrade,
    verifiedFiles,
    verifiedBytes: bytes === 0 ? verifiedFiles : byGrade.verified.bytes / bytes,
    signedFiles,
    signedBytes: bytes === 0 ? signedFiles : signed.bytes / bytes,
  }
}
