import type {
  Coverage,
  DigestAlgorithm,
  DigestRequest,
  FileDigests,
  FileGrade,
  ManifestProblem,
  TrustPolicy,
} from '../contracts/provenance.ts'
import { collisions, strangers } from './closed.ts'
import type { Discovery } from './discover.ts'
import { coverageOf, gradeNamed, gravity } from './grade.ts'
import { fileAt } from './manifests/lookup.ts'
import { type Named, namedFiles } from './named.ts'
import { rangesOf } from './statements.ts'

export { type Discovery, discover } from './discover.ts'

export interface Graded {
  /** The gravest first, then by path. */
  readonly files: readonly FileGrade[]
  readonly coverage: Coverage
  /** Of the delivery, of its manifests, and of files that could not be read. */
  readonly problems: readonly ManifestProblem[]
}

function requestOf({ file, statements }: Named, always: readonly DigestAlgorithm[]): DigestRequest | null {
  if (file === null) return null
  const entries = statements.map(({ entry }) => entry)
  const algorithms = new Set([
    ...always,
    ...entries.flatMap(({ range, digests }) => (range ? [] : digests.map(({ algorithm }) => algorithm))),
  ])
  const ranges = rangesOf(entries, file.bytes)
  return algorithms.size + ranges.length === 0 ? null : { path: file.path, algorithms: [...algorithms].sort(), ranges }
}

/** Manifests, their signatures and tag files. */
function ownFiles(discovery: Discovery): ReadonlySet<string> {
  return new Set([...discovery.delivery.outside.keys(), ...discovery.manifests.flatMap((manifest) => manifest.own)])
}

/** What has to be hashed for all manifests: each file once. `always`: of every file that is no part of a manifest, too. */
export function digestRequests(discovery: Discovery, always: readonly DigestAlgorithm[] = []): readonly DigestRequest[] {
  const named = namedFiles(discovery)
  const own = ownFiles(discovery)
  const requests: DigestRequest[] = []
  for (const file of discovery.delivery.files) {
    const known = named.get(file.path) ?? { path: file.path, file, statements: [] }
    const request = requestOf(known, own.has(file.path) ? [] : always)
    if (request) requests.push(request)
  }
  return requests
}

const unlisted = (path: string, bytes: number, manifests: readonly string[]): FileGrade => ({
  path,
  bytes,
  grade: 'unlisted',
  manifests,
  expected: null,
  actual: null,
  signed: false,
  label: null,
  url: null,
})

/** Bytes that manifests declare for files that are not there: the largest claim counts. */
function declaredBytes(named: Iterable<Named>): ReadonlyMap<string, number> {
  const declared = new Map<string, number>()
  for (const { path, file, statements } of named)
    if (file === null) declared.set(path, Math.max(0, ...statements.map(({ entry }) => entry.bytes ?? entry.range?.[1] ?? 0)))
  return declared
}

/**
 * The grade of every subject file. All that is said of a file must hold: any statement that differs makes it `mismatched`,
 * one digest at least as strong as the policy's weakest makes it `verified`. Pure, and the same whatever the order of
 * manifests, entries and digests.
 *
 * @param digests answers to `digestRequests(discovery)`; a file without one counts as not hashed and is never verified.
 */
export function gradeFiles(discovery: Discovery, digests: readonly FileDigests[], trust: TrustPolicy): Graded {
  const { delivery, manifests } = discovery
  const own = ownFiles(discovery)
  const named = namedFiles(discovery)
  const computed = new Map(digests.map((one) => [one.path, one]))
  const outsiders = strangers(discovery)
  const grades = new Map<string, FileGrade>()
  for (const one of named.values()) {
    const grade = gradeNamed(one, computed.get(one.path) ?? null, trust)
    // Parts of manifests are no subject, but where one is not what another manifest says, that is told.
    if (!own.has(one.path) || grade.grade === 'mismatched' || grade.grade === 'missing') grades.set(one.path, grade)
  }
  for (const { path, bytes } of delivery.files) if (!own.has(path) && !grades.has(path)) grades.set(path, unlisted(path, bytes, []))
  for (const [path, manifest] of outsiders) {
    const grade = grades.get(path)
    if (grade?.grade === 'mismatched') continue
    const bytes = grade?.bytes ?? fileAt(delivery, path)?.bytes ?? 0
    grades.set(path, unlisted(path, bytes, [manifest.file]))
  }
  const files = [...grades.values()].sort(
    (a, b) => gravity.indexOf(a.grade) - gravity.indexOf(b.grade) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
  )
  const failed = digests.flatMap(({ path, failed }): ManifestProblem[] =>
    failed === undefined ? [] : [{ code: 'unreadable', message: `${failed}.`, place: { file: path }, invalid: true }],
  )
  return {
    files,
    coverage: coverageOf(files, declaredBytes(named.values())),
    problems: [...delivery.problems, ...manifests.flatMap((manifest) => [...manifest.problems, ...collisions(manifest)]), ...failed],
  }
}
