import { type KeyObject, X509Certificate } from 'node:crypto'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import type { SignatureCheck, TrustPolicy } from '../../contracts/provenance.ts'
import type { OpenBundle } from './bundle.ts'
import { isCodeSigning } from './certificates.ts'
import { byKey, byNoKey } from './dsse.ts'
import { methods, type PublicKey } from './keys.ts'
import { checkpointsArePlain, contentOf, entriesNameSigner, knownEntries, noteNames } from './log-entries.ts'
import { loadTrustedRoot } from './trusted-root.ts'

const method = 'Sigstore'

interface Verified {
  readonly key: KeyObject
  readonly identity: string | null
  readonly issuer: string | null
  readonly signedAt: string | null
}

const isSelfSigned = (der: Buffer): boolean => {
  const certificate = new X509Certificate(der)
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}

/**
 * The whole of sigstore's verification, offline: certificate chain and its log at the vouched time, inclusion in the
 * transparency log, its entry against this signature, and the signature. `key`: for a bundle that names one; logs are then
 * checked where the bundle has entries, and demanded where the policy gives a trusted root that names some.
 * @throws Error with the reason, where something does not hold
 */
async function verifyBundle(open: OpenBundle, trust: TrustPolicy, artifact: Buffer | null, key: PublicKey | null): Promise<Verified> {
  const root = await loadTrustedRoot(trust)
  const bundle = bundleFromJSON(open.json)
  const { certificates } = open.material.kind === 'certificates' ? open.material : { certificates: [] }
  const leaf = certificates[0] ? new X509Certificate(certificates[0]) : null
  if (certificates.slice(1).some(isSelfSigned)) throw new Error('the bundle carries a root certificate of its own')
  if (leaf && !isCodeSigning(leaf)) throw new Error('the certificate is not for signing code')
  if (!checkpointsArePlain(bundle)) throw new Error('a checkpoint of the log is malformed')
  const material = toTrustMaterial(root, () => {
    if (key === null) throw new Error('no key was given for a bundle that names one')
    return { publicKey: key.key, validFor: () => true }
  })
  const tlogEntries = knownEntries(
    bundle,
    material.tlogs.map(({ logID }) => logID),
  )
  if (tlogEntries.length < bundle.verificationMaterial.tlogEntries.length && tlogEntries.length === 0)
    throw new Error('the trusted root names none of the logs of the bundle')
  const known = { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries } }
  const whole = toSignedEntity(known)
  const timestamps = whole.timestamps.filter(({ $case }) => $case !== 'timestamp-authority' || material.timestampAuthorities.length > 0)
  const entity = { ...whole, timestamps, signature: contentOf(open, known, artifact) }
  const times = timestamps.map((stamp) =>
    stamp.$case === 'timestamp-authority' ? stamp.timestamp.signingTime : new Date(Number(stamp.tlogEntry.integratedTime) * 1000),
  )
  if (leaf && !times.every((time) => new Date(leaf.validFrom) <= time && time <= new Date(leaf.validTo)))
    throw new Error('the certificate was not valid when it was used')
  const names = noteNames(known)
  const tlogs = material.tlogs
    .filter(({ validFor }) => times.every((time) => validFor.start <= time && time <= validFor.end))
    .map((log) => ({ ...log, baseURL: [log.baseURL, ...names].join(' ') }))
  const verifier = new Verifier(
    { ...material, tlogs },
    {
      ctlogThreshold: root.ctlogs.length > 0 ? 1 : 0,
      tlogThreshold: root.tlogs.length > 0 && (key === null || trust.trustedRoot !== null) ? 1 : 0,
      timestampThreshold: key === null ? 1 : 0,
    },
  )
  const signer = verifier.verify(entity)
  const spki = signer.key.export({ type: 'spki', format: 'der' })
  if (!entriesNameSigner(known, spki, leaf?.raw ?? null)) throw new Error('an entry of the log is of another signer')
  const vouched = times.filter((_, i) => {
    const stamp = timestamps[i]
    return stamp?.$case === 'timestamp-authority' || stamp?.tlogEntry.inclusionPromise !== undefined
  })
  return {
    key: signer.key,
    identity: signer.identity?.subjectAlternativeName ?? null,
    issuer: signer.identity?.extensions?.issuer ?? null,
    signedAt: vouched.length > 0 ? new Date(Math.min(...vouched.map((time) => time.getTime()))).toISOString() : null,
  }
}

/** The library's words for what failed, in one sentence, without what a bundle may have put into them. */
function reasonOf(error: unknown): string {
  const { message = 'it cannot be read', cause } = error as { message?: string; cause?: { message?: string } }
  const text = [message, cause?.message].filter((part) => part !== undefined).join(': ')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be shown
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 300)
}

const signed = (file: string, status: SignatureCheck['status'], reason: string, verified: Verified | null): SignatureCheck => ({
  method,
  file,
  status,
  signer: verified?.identity == null ? null : `${verified.identity} (${verified.issuer ?? 'no issuer'})`,
  reason,
  signedAt: verified?.signedAt ?? null,
})

/** A bundle with a certificate against the policy's trusted root and identities. Without an identity nobody is trusted. */
async function checkCertificate(open: OpenBundle, file: string, trust: TrustPolicy, artifact: Buffer | null): Promise<SignatureCheck> {
  let verified: Verified
  try {
    verified = await verifyBundle(open, trust, artifact, null)
  } catch (error) {
    if (isOurs(error)) throw error
    return signed(file, 'invalid', `The bundle does not hold: ${reasonOf(error)}.`, null)
  }
  const { identity, issuer } = verified
  if (trust.identities.length === 0)
    return signed(
      file,
      'untrusted',
      `The policy names no identity, so that a signature by ${identity ?? 'nobody'} proves nothing.`,
      verified,
    )
  if (trust.identities.some((named) => named.identity === identity && named.issuer === issuer))
    return signed(file, 'trusted', `Signed by ${identity}, whom ${issuer} vouches for and the policy names.`, verified)
  return signed(file, 'untrusted', `Signed by ${identity ?? 'nobody'} (${issuer ?? 'no issuer'}), whom the policy does not name.`, verified)
}

/** What is wrong with the user's own configuration is no verdict on the bundle. */
const isOurs = (error: unknown): boolean => error instanceof Error && 'exit' in error

async function checkKey(
  open: OpenBundle,
  file: string,
  keys: readonly PublicKey[],
  trust: TrustPolicy,
  artifact: Buffer | null,
): Promise<SignatureCheck> {
  let reason: string | null = null
  for (const key of keys) {
    try {
      const { signedAt } = await verifyBundle(open, trust, artifact, key)
      return { ...byKey(`Sigstore, ${methods[key.kind]} key`, file, key), signedAt }
    } catch (error) {
      if (isOurs(error)) throw error
      reason = reasonOf(error)
    }
  }
  const check = byNoKey('Sigstore, key', file, keys)
  return reason === null ? check : { ...check, reason: `The bundle does not hold with any key given: ${reason}.` }
}

/**
 * A bundle of the public or a private sigstore instance. `artifact`: its bytes, needed for ed25519 message signatures alone.
 * Whether the artifact has the digest that was signed is for the caller to see.
 * @throws {ProvenanceError} `bad-key` where the policy's trusted root is malformed
 */
export function checkSigstore(
  open: OpenBundle,
  file: string,
  keys: readonly PublicKey[],
  trust: TrustPolicy,
  artifact: Buffer | null,
): Promise<SignatureCheck> {
  return open.material.kind === 'key' ? checkKey(open, file, keys, trust, artifact) : checkCertificate(open, file, trust, artifact)
}
