import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import type { Pipeline, ProvenanceSpec } from '../contracts/pipeline.ts'
import type { DigestRequest, TrustPolicy } from '../contracts/provenance.ts'
import { loadTrust } from '../provenance/trust.ts'
import { type Discovery, digestRequests, discover } from '../provenance/verify.ts'
import { EngineError } from './errors.ts'
import type { PlannedFile } from './plan.ts'

const maxGroups = 64
const maxShown = 20

/** Files of the manifests, and of the inputs that lie among them: each is hashed once. */
export interface PlannedDelivery {
  /** Absolute, without links. */
  readonly root: string
  /** As reports name it: relative to the base. */
  readonly name: string
  /** Over names and sizes of the files and all that the manifests say. */
  readonly digest: string
  readonly files: number
  readonly manifests: number
  readonly shown: readonly { readonly file: string; readonly title: string; readonly entries: number; readonly signatures: number }[]
  /** Bytes that are hashed. */
  readonly bytes: number
  /** A group is checkpointed as one; fixed by the files, never by the number of workers. */
  readonly groups: readonly (readonly DigestRequest[])[]
  /** Of each input of the subject: its path below the root, null where it lies elsewhere. */
  readonly inputs: readonly (string | null)[]
}

/** The folder that holds all of these files. */
function commonFolder(files: readonly string[]): string | null {
  const [first, ...rest] = files.map((file) => dirname(file).split(sep))
  if (!first) return null
  let shared = first.length
  for (const parts of rest) {
    let i = 0
    while (i < shared && parts[i] === first[i]) i++
    shared = i
  }
  return first.slice(0, shared).join(sep) || sep
}

const isBelow = (folder: string, path: string): boolean => {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !/^[A-Za-z]:/.test(way))
}

/** Without the links of its folder. */
const placeOf = async (path: string): Promise<string> => join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path))

/** The root of the manifests: as it is named, else the folder that holds all inputs. @throws EngineError `bad-option` */
async function rootOf(spec: ProvenanceSpec, files: readonly PlannedFile[]): Promise<string> {
  if (spec.root !== null) return realpath(spec.root).catch(() => spec.root as string)
  const folder = commonFolder(await Promise.all(files.map((f) => placeOf(f.path))))
  if (folder !== null && folder !== sep) return folder
  throw new EngineError(
    'bad-option',
    'the sources lie in different places: which folder do the manifests speak of?',
    4,
    {},
    'name it as provenance.root, or read no manifests with manifests: false',
  )
}

/** As they are named from the root, else as they are. */
const manifestsOf = (spec: ProvenanceSpec, root: string): readonly string[] | null =>
  spec.manifests === null || spec.manifests === false
    ? null
    : spec.manifests.map((one) => (existsSync(join(root, one)) ? join(root, one) : one))

/**
 * The policy with its files read. A folder that also holds `base` is the user's own, and may hold keys; any other root may not.
 * Reports name keys as the user does, and are the same on every machine. @throws ProvenanceError `bad-key`
 */
export async function openTrust(spec: ProvenanceSpec, root: string | null, base: string, now: Date): Promise<TrustPolicy> {
  const isOwn = root === null || isBelow(root, await realpath(base).catch(() => base))
  const loaded = loadTrust(spec, now, isOwn ? null : root)
  const named = <T extends { readonly name: string }>(files: readonly T[]): readonly T[] =>
    files.map((f) => ({ ...f, name: relative(base, f.name).split(sep).join('/') }))
  return { ...loaded, keys: named(loaded.keys), certificates: named(loaded.certificates) }
}

/** What lies below the root, without the files of the run itself. @throws ProvenanceError */
export async function openManifests(
  spec: ProvenanceSpec,
  root: string,
  { base, now, runDir }: { readonly base: string; readonly now: Date; readonly runDir: string },
): Promise<{ readonly found: Discovery; readonly trust: TrustPolicy }> {
  const trust = await openTrust(spec, root, base, now)
  const all = await discover(root, trust, manifestsOf(spec, root))
  const own = await realpath(runDir).catch(() => runDir)
  if (!isBelow(root, own) || own === root) return { found: all, trust }
  const folder = `${relative(root, own).split(sep).join('/')}/`
  const { delivery, manifests } = all
  const found = {
    delivery: { ...delivery, files: delivery.files.filter((f) => !f.path.startsWith(folder)) },
    manifests: manifests.filter((m) => !m.file.startsWith(folder)),
  }
  return { found, trust }
}

/** Changes with every name, size and statement, and with whom the policy trusts. */
export function discoveryDigest({ delivery, manifests }: Discovery, { now: _, ...trust }: TrustPolicy): string {
  const hash = createHash('sha256').update(JSON.stringify(trust.keys.map(({ text }) => text)))
  hash.update(JSON.stringify([trust.certificates.map(({ text }) => text), trust.identities, trust.trustedRoot]))
  for (const { path, bytes } of delivery.files) hash.update(`${JSON.stringify(path)} ${bytes}\n`)
  for (const manifest of manifests) {
    const { entries, ...rest } = manifest
    hash.update(`${JSON.stringify(rest)}\n`)
    for (const entry of entries) hash.update(`${JSON.stringify(entry)}\n`)
  }
  return hash.digest('hex')
}

/** In their order, in at most 64 groups of about the same number of bytes. */
function groupRequests(requests: readonly DigestRequest[], bytesOf: (path: string) => number): DigestRequest[][] {
  const share = Math.max(1, requests.reduce((sum, r) => sum + bytesOf(r.path), 0) / maxGroups)
  const groups: DigestRequest[][] = []
  let before = 0
  for (const request of requests) {
    const at = Math.min(maxGroups - 1, Math.floor(before / share))
    groups[at] ??= []
    groups[at].push(request)
    before += bytesOf(request.path)
  }
  return groups.filter((group) => group !== undefined)
}

/** Discovers manifests and plans what is hashed. @throws ProvenanceError, EngineError */
export async function planDelivery(
  pipeline: Pipeline,
  base: string,
  runDir: string,
  now: Date,
  files: readonly PlannedFile[],
): Promise<PlannedDelivery | null> {
  const spec = pipeline.provenance
  if (!spec || spec.manifests === false) return null
  const root = await rootOf(spec, files)
  const { found, trust } = await openManifests(spec, root, { base, now, runDir })
  const sizes = new Map(found.delivery.files.map((f) => [f.path, f.bytes]))
  const inputs = await Promise.all(
    files.map(async (f) => {
      const path = relative(root, await placeOf(f.path))
        .split(sep)
        .join('/')
      return sizes.has(path) ? path : null
    }),
  )
  const requests = new Map(digestRequests(found).map((r) => [r.path, r]))
  for (const path of inputs) {
    if (path === null) continue
    const asked = requests.get(path) ?? { path, algorithms: [], ranges: [] }
    if (!asked.algorithms.includes('sha256')) requests.set(path, { ...asked, algorithms: [...asked.algorithms, 'sha256'] })
  }
  const sorted = [...requests.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  return {
    root,
    name: relative(base, root).split(sep).join('/') || '.',
    digest: discoveryDigest(found, trust),
    files: found.delivery.files.length,
    manifests: found.manifests.length,
    shown: found.manifests
      .slice(0, maxShown)
      .map((m) => ({ file: m.file, title: m.title, entries: m.entries.length, signatures: m.signatures.length })),
    bytes: sorted.reduce((sum, r) => sum + (sizes.get(r.path) ?? 0), 0),
    groups: groupRequests(sorted, (path) => sizes.get(path) ?? 0),
    inputs,
  }
}

/** What counts of the policy, wherever its files lie: those are in the digest of what was discovered. */
export const withoutPaths = ({ root: _, trust: __, baseline: ___, snapshot: ____, ...rest }: ProvenanceSpec): object => rest
