import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, resolve } from 'node:path'
import type { DetectorOutcome, Incomplete, ProvenanceOutcome } from '../contracts/outcome.ts'
import type { Gate } from '../contracts/pipeline.ts'
import type { FileDigests, Manifest, TrustPolicy } from '../contracts/provenance.ts'
import { type DiscoverOptions, discover } from '../provenance/discover.ts'
import { discoverFile } from '../provenance/discover-file.ts'
import { checkFacts, factFindings } from '../provenance/facts.ts'
import { manifestFindings } from '../provenance/findings.ts'
import { hashFiles } from '../provenance/hash-files.ts'
import { splitView } from '../provenance/split-view.ts'
import { loadTrust, type TrustFiles } from '../provenance/trust.ts'
import { type Discovery, digestRequests, type Graded, gradeFiles } from '../provenance/verify.ts'
import { buildReport } from '../report/build.ts'
import type { Report } from '../report/schema.ts'
import { provenanceDetector, rowlessOutcome } from './provenance-outcome.ts'
import type { Hooks } from './request.ts'

export interface VerifyRequest {
  /** A folder, or one file. */
  readonly path: string
  /** These manifests and no others, as paths; also from elsewhere. Default: found by looking. */
  readonly manifests?: readonly string[] | undefined
  /** Sigstore bundles of a single file, whatever they are called. */
  readonly bundles?: readonly string[] | undefined
  /** Default: nobody is trusted, SHA-256 is the weakest digest that counts, no coverage is demanded. */
  readonly policy?: Partial<TrustFiles> | undefined
  /** Default `high`. */
  readonly failOn?: Gate['fail-on'] | undefined
  readonly workers?: number | undefined
  readonly now?: Date | undefined
  readonly hooks?: Hooks | undefined
}

const maxFiles = 1_000
const silent: Hooks = { progress: () => {}, log: () => {} }

export const defaultPolicy: TrustFiles = {
  trust: { keys: [], certificates: [], identities: [], trustedRoot: null },
  weakestDigest: 'sha256',
  coverage: 0,
  unlisted: 'report',
  requireSignature: false,
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** A bundle of another name stands beside the file as if it were called after it. */
const bundleNames = (path: string, bundles: readonly string[]): ReadonlyMap<string, string> =>
  new Map(bundles.map((bundle, i) => [resolve(bundle), `${basename(path)}${i === 0 ? '' : `.${i}`}.sigstore.json`]))

function find(request: VerifyRequest, trust: TrustPolicy, signal: AbortSignal | undefined): Promise<Discovery> {
  const { path, manifests = [], bundles = [] } = request
  const only = manifests.length + bundles.length > 0 ? [...manifests, ...bundles] : null
  const options: DiscoverOptions = { signal }
  if (!isFile(path)) return discover(path, trust, only, options)
  return discoverFile(path, trust, only, { ...options, names: bundleNames(path, bundles) })
}

async function hashAll(discovery: Discovery, workers: number, hooks: Hooks): Promise<readonly FileDigests[]> {
  const requests = digestRequests(discovery)
  const wanted = new Set(requests.map((r) => r.path))
  const total = discovery.delivery.files.reduce((sum, { path, bytes }) => (wanted.has(path) ? sum + bytes : sum), 0)
  let done = 0
  const progress = (bytes: number): void => {
    done += bytes
    hooks.progress({ phase: 'hash', done, total, unit: 'bytes' })
  }
  const { root, outside } = discovery.delivery
  return hashFiles(root, requests, { threads: workers, progress, outside, signal: hooks.signal })
}

const withoutEntries = ({ entries, own: _own, ignored: _ignored, ...rest }: Manifest): ProvenanceOutcome['manifests'][number] => ({
  ...rest,
  entries: entries.length,
})

const plural = (n: number, one: string): string => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`

/** Where nobody vouches for anything and the policy demands nothing, there is nothing to verify. */
function isEmpty({ manifests }: Discovery, { policy = {} }: VerifyRequest): boolean {
  const { coverage = 0, requireSignature = false, unlisted } = policy
  return manifests.length === 0 && coverage === 0 && !requireSignature && unlisted !== 'fail'
}

const unread = (digests: readonly FileDigests[]): Incomplete[] =>
  digests.flatMap(({ path, failed }) =>
    failed === undefined
      ? []
      : [
          {
            code: 'unreadable',
            message: `${failed}, so that it was not verified`,
            place: { file: path },
            hint: 'make it readable and verify again',
          },
        ],
  )

/** What verification says of a delivery, before it becomes a report. */
export interface Verified {
  readonly provenance: ProvenanceOutcome
  readonly detector: DetectorOutcome
  readonly incomplete: readonly Incomplete[]
  readonly discovery: Discovery
  readonly graded: Graded
  readonly now: Date
}

function verifiedOf(
  request: VerifyRequest,
  found: Discovery,
  graded: Graded,
  trust: TrustPolicy,
  digests: readonly FileDigests[],
): Verified {
  const { manifests, delivery } = found
  const facts = checkFacts(
    manifests.flatMap((m) => m.facts),
    { rows: null, labels: null, columns: null, splits: null, files: delivery.files },
  ).filter(({ agrees }) => agrees !== null)
  const provenance: ProvenanceOutcome = {
    root: request.path,
    manifests: manifests.map(withoutEntries),
    coverage: graded.coverage,
    files: graded.files.slice(0, maxFiles),
    facts,
    changes: null,
    changesFile: null,
    snapshot: null,
  }
  const empty = isEmpty(found, request)
  const detector = provenanceDetector(
    empty
      ? {
          status: 'not-applicable',
          reason: isFile(request.path)
            ? `nothing that lies beside ${request.path} names it: no manifest, no bundle`
            : `no manifest was found in ${request.path}: ${plural(delivery.files.length, 'file')} and nobody who vouches for them`,
        }
      : { status: 'ran', reason: `${plural(manifests.length, 'manifest')}, ${plural(digests.length, 'file')} hashed` },
    empty ? [] : [manifestFindings(found, graded, trust), splitView(graded.files), factFindings(facts)],
  )
  return { provenance, detector, incomplete: unread(digests), discovery: found, graded, now: trust.now }
}

export interface VerifyResult {
  readonly report: Report
  readonly discovery: Discovery
  /** Every subject file, the gravest first. */
  readonly graded: Graded
}

/**
 * Verifies a folder, or one file, against the manifests and signatures that come with it. Nothing is written.
 *
 * @throws {AssayError} where it cannot begin: no such folder, a key that cannot be read or lies in the delivery, no such manifest
 */
export async function verify(request: VerifyRequest): Promise<VerifyResult> {
  const verified = await verifyDelivery(request)
  const { provenance, detector, incomplete, discovery, graded, now } = verified
  const outcome = rowlessOutcome({
    subject: { name: basename(resolve(request.path)), version: null },
    now,
    provenance,
    detectors: [detector],
    incomplete,
  })
  const gate: Gate = { 'fail-on': request.failOn ?? 'high', 'max-flagged': 1, require: [], 'min-coverage': 0 }
  const report = buildReport(outcome, { gate, waivers: [], now, excerpts: false })
  return { report, discovery, graded }
}

/** Finds and checks the manifests and signatures of a delivery. @throws {AssayError} as `verify` */
export async function verifyDelivery(request: VerifyRequest): Promise<Verified> {
  const { hooks = silent, now = new Date(), workers = availableParallelism() } = request
  const policy = { ...defaultPolicy, ...request.policy }
  const trust = loadTrust(policy, now, isFile(request.path) ? null : request.path)
  const discovery = await find(request, trust, hooks.signal)
  const digests = await hashAll(discovery, workers, hooks)
  const graded = gradeFiles(discovery, digests, trust)
  return verifiedOf(request, discovery, graded, trust, digests)
}
