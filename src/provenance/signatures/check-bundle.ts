import { createHash, type Hash } from 'node:crypto'
import { open as openFile } from 'node:fs/promises'
import type { Digest, SignatureCheck, TrustPolicy } from '../../contracts/provenance.ts'
import { ProvenanceError } from '../errors.ts'
import { parseJson } from '../manifests/structured.ts'
import { type OpenBundle, openBundle } from './bundle.ts'
import { type HashName, loadKeys } from './keys.ts'
import { checkOffline } from './offline.ts'
import { parseStatement, statementPayloadType } from './statement.ts'

/** What is known of a signed artifact. */
export interface Artifact {
  /** Hexadecimal. */
  readonly digests: Readonly<Partial<Record<HashName, string>>>
  /** Null for a large file, or where only its digest is known: enough for all but ed25519 message signatures. */
  readonly bytes: Buffer | null
}

export interface BundleCheck {
  readonly check: SignatureCheck
  /** True where the signature holds only in the encoding of OMS 0.2. */
  readonly legacy: boolean
  /** What was signed; null where the bundle cannot be read. */
  readonly content:
    | { readonly kind: 'dsse'; readonly payloadType: string; readonly payload: Buffer }
    | { readonly kind: 'message'; readonly digest: Digest }
    | null
}

const maxHeldBytes = 32 << 20
const chunkBytes = 1 << 20

/** Its packages take 100 ms to load: only where there is such a bundle. */
const sigstore = () => import('./sigstore.ts')
const maxBundleDepth = 32
const hashNames: readonly HashName[] = ['sha256', 'sha384', 'sha512']

const invalid = (check: SignatureCheck, reason: string): SignatureCheck => ({ ...check, status: 'invalid', reason })
const none = (file: string, reason: string): SignatureCheck => ({
  method: 'Sigstore',
  file,
  status: 'invalid',
  signer: null,
  reason,
  signedAt: null,
})

/**
 * The signature of a bundle. With a certificate chain or a key and no log entries it is one of OpenSSF's model signing or a
 * plain envelope; all else goes through sigstore's verification, and so does a bundle beside an artifact where the policy gives
 * a trusted root.
 *
 * @param bytes of the artifact, where they are at hand
 * @throws {ProvenanceError} `bad-key` where a key, a certificate or the trusted root of the policy is malformed
 */
export async function checkOpenBundle(
  open: OpenBundle,
  file: string,
  trust: TrustPolicy,
  bytes: Buffer | null,
  beside = false,
): Promise<BundleCheck> {
  const keys = loadKeys(trust)
  const { content, material, witnesses } = open
  const chain =
    material.kind === 'key' || typeof (open.json.verificationMaterial as Record<string, unknown>).x509CertificateChain === 'object'
  if (content.kind === 'dsse') {
    const { payloadType, payload } = content.envelope
    const demandsLog = beside && trust.trustedRoot !== null
    const { check, legacy } =
      witnesses === 0 && chain && !demandsLog
        ? checkOffline(open, content, file, keys, trust)
        : { check: await (await sigstore()).checkSigstore(open, file, keys, trust, bytes), legacy: false }
    return { check, legacy, content: { kind: 'dsse', payloadType, payload } }
  }
  const checked = await (await sigstore()).checkSigstore(open, file, keys, trust, bytes)
  const check: SignatureCheck =
    checked.status === 'invalid' && bytes === null && keys.some((key) => key.kind === 'ed25519')
      ? { ...checked, status: 'unchecked', reason: 'An ed25519 signature is over the whole artifact, and only its digest is at hand.' }
      : checked
  return {
    check,
    legacy: false,
    content: { kind: 'message', digest: { algorithm: content.hashName, hex: content.digest.toString('hex') } },
  }
}

/** Why the signed content does not speak of the artifact; null where it does. */
function mismatch({ content, legacy }: BundleCheck, { digests }: Artifact, file: string): string | null {
  if (content === null) return 'The bundle cannot be read.'
  const agrees = ({ algorithm, hex }: Digest): boolean | null => {
    const known = digests[algorithm as HashName]
    return known === undefined ? null : known === hex
  }
  if (content.kind === 'message') {
    const same = agrees(content.digest)
    if (same === null) return `The bundle names a ${content.digest.algorithm} digest, and that of the artifact is not known.`
    return same ? null : 'The artifact has not the digest that was signed.'
  }
  if (legacy) return 'The signature is in the encoding of OMS 0.2, which holds for folders only.'
  if (content.payloadType !== statementPayloadType) return `The envelope holds no in-toto statement.`
  const statement = parseStatement(content.payload, file)
  if ('malformed' in statement) return statement.malformed
  const named = statement.subjects.some((subject) => {
    const known = subject.digests.map(agrees).filter((same) => same !== null)
    return known.length > 0 && known.every((same) => same)
  })
  return named ? null : 'None of the subjects of the statement has the digest of the artifact.'
}

/**
 * A bundle beside an artifact: the signature must hold, be by somebody whom the policy names, and speak of this artifact.
 * Anything but `trusted` is a refusal.
 *
 * @param bundleText JSON of the bundle
 * @param artifact see `readArtifact` and `artifactOfDigest`
 * @throws {ProvenanceError} `bad-key` where a key, a certificate or the trusted root of the policy is malformed
 */
export async function checkBundle(bundleText: string, artifact: Artifact, trust: TrustPolicy, file = 'bundle'): Promise<BundleCheck> {
  const tree = parseJson(bundleText, file, { maxDepth: maxBundleDepth, maxNodes: 100_000 })
  if (!('value' in tree)) return { check: none(file, tree.message), legacy: false, content: null }
  const open = openBundle(tree.value)
  if ('malformed' in open) return { check: none(file, open.malformed), legacy: false, content: null }
  const checked = await checkOpenBundle(open, file, trust, artifact.bytes, true)
  const problem = mismatch(checked, artifact, file)
  return problem === null || checked.check.status === 'invalid' ? checked : { ...checked, check: invalid(checked.check, problem) }
}

/** `sha256:` and 64 hexadecimal digits, as commands take a digest for an artifact; null for anything else. */
export function artifactOfDigest(text: string): Artifact | null {
  const [, hex] = /^sha256:([0-9a-fA-F]{64})$/.exec(text) ?? []
  return hex === undefined ? null : { digests: { sha256: hex.toLowerCase() }, bytes: null }
}

/**
 * Digests of a file, read once and never held whole beyond 32 MiB.
 * @throws {ProvenanceError} `not-found`, `unreadable`
 */
export async function readArtifact(path: string): Promise<Artifact> {
  let file: Awaited<ReturnType<typeof openFile>>
  try {
    file = await openFile(path)
  } catch {
    throw new ProvenanceError('not-found', `${path}: there is no such file`, { file: path })
  }
  try {
    if (!(await file.stat()).isFile()) throw new ProvenanceError('not-found', `${path} is no file`, { file: path })
    const states = hashNames.map((name): [HashName, Hash] => [name, createHash(name)])
    const held: Buffer[] = []
    let total = 0
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null)
      if (bytesRead === 0) break
      const chunk = buffer.subarray(0, bytesRead)
      for (const [, state] of states) state.update(chunk)
      total += bytesRead
      if (total <= maxHeldBytes) held.push(chunk)
      else held.length = 0
    }
    const digests = Object.fromEntries(states.map(([name, state]) => [name, state.digest('hex')]))
    return { digests, bytes: total <= maxHeldBytes ? Buffer.concat(held) : null }
  } catch (e) {
    if (e instanceof ProvenanceError) throw e
    throw new ProvenanceError('unreadable', `${path} cannot be read: ${(e as NodeJS.ErrnoException).code ?? 'unknown'}`, { file: path })
  } finally {
    await file.close()
  }
}
