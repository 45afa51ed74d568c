import { X509Certificate } from 'node:crypto'
import { X509Certificate as Parsed } from '@sigstore/core'
import type { TrustPolicy } from '../../contracts/provenance.ts'
import { ProvenanceError } from '../errors.ts'

/** Certificates above the signer's, the root included. */
const maxChain = 8
const maxCertificates = 16
const maxSteps = 20_000
const maxPemBytes = 4 << 20
const codeSigning = '1.3.6.1.5.5.7.3.3'

const pemBlock = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g

const loaded = new WeakMap<TrustPolicy, readonly X509Certificate[]>()

/** The certificates of authorities that the policy trusts. Throws `bad-key`, naming the file. */
export function loadCertificates(trust: TrustPolicy): readonly X509Certificate[] {
  const known = loaded.get(trust)
  if (known) return known
  const all = trust.certificates.flatMap(({ name, text }) => {
    const blocks = text.length > maxPemBytes ? [] : (text.match(pemBlock) ?? [])
    try {
      if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block))
    } catch {
      // Said below.
    }
    throw new ProvenanceError('bad-key', `${name}: holds no PEM certificates that can be read`, { file: name })
  })
  loaded.set(trust, all)
  return all
}

/** A certificate of a bundle: DER. Null where it cannot be read. */
export function certificateOf(der: Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(der)
  } catch {
    return null
  }
}

interface Uses {
  readonly digitalSignature: boolean
  readonly codeSigning: boolean
  readonly certSign: boolean
  /** Certificates of authorities that may stand between this one and the signer's; null without a limit. */
  readonly pathLength: number | null
}

function usesOf(certificate: X509Certificate): Uses | null {
  try {
    const parsed = Parsed.parse(Buffer.from(certificate.raw))
    const usage = parsed.extKeyUsage
    return {
      digitalSignature: usage?.digitalSignature ?? false,
      codeSigning: (certificate.keyUsage ?? []).includes(codeSigning),
      certSign: usage === undefined || usage.keyCertSign,
      pathLength: parsed.extBasicConstraints?.pathLenConstraint === undefined ? null : Number(parsed.extBasicConstraints.pathLenConstraint),
    }
  } catch {
    return null
  }
}

/** Whether a certificate may sign artifacts: key usage `digitalSignature`, or extended key usage code signing. */
export function maySign(certificate: X509Certificate): boolean {
  const uses = usesOf(certificate)
  return uses !== null && (uses.digitalSignature || uses.codeSigning)
}

export const isCodeSigning = (certificate: X509Certificate): boolean => (certificate.keyUsage ?? []).includes(codeSigning)

export type ChainCheck =
  | { readonly status: 'trusted' }
  /** No way leads to a certificate that the policy trusts. */
  | { readonly status: 'untrusted'; readonly reason: string }
  /** One leads there, and may not be used. */
  | { readonly status: 'invalid'; readonly reason: string }

const nameOf = (certificate: X509Certificate): string => certificate.subject.replaceAll('\n', ', ') || 'without a name'

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    return false
  }
}

/** Why a certificate of the chain may not stand there; null where it may. `below`: authorities between it and the signer. */
function problemOf(certificate: X509Certificate, below: number | null, at: Date): string | null {
  const from = new Date(certificate.validFrom)
  const to = new Date(certificate.validTo)
  if (!(from <= at && at <= to)) {
    const moment = at.toISOString()
    return `The certificate of ${nameOf(certificate)} was not valid at ${moment} (${from.toISOString()} to ${to.toISOString()}).`
  }
  if (below === null) return null
  const uses = usesOf(certificate)
  if (!certificate.ca || uses === null || !uses.certSign) return `The certificate of ${nameOf(certificate)} may not issue certificates.`
  if (uses.pathLength !== null && below > uses.pathLength)
    return `The chain is longer than the certificate of ${nameOf(certificate)} allows.`
  return null
}

/**
 * A chain from `leaf` through `others` to one of `roots` (RFC 5280, section 6, without revocation and name constraints):
 * each certificate issued and signed by the next, authorities marked as such, all valid at `at`. Roots may be intermediate
 * certificates: what the policy names is where the chain ends. Several chains: the first good one counts.
 */
export function checkChain(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  at: Date,
): ChainCheck {
  if (others.length > maxCertificates) return { status: 'invalid', reason: `The bundle carries more than ${maxCertificates} certificates.` }
  const trusted = new Set(roots.map((root) => root.fingerprint256))
  let refused: string | null = null
  let steps = 0
  const known = new Map<string, boolean>()
  const issues = (issuer: X509Certificate, certificate: X509Certificate): boolean => {
    const pair = issuer.fingerprint256 + certificate.fingerprint256
    const answer = known.get(pair) ?? issued(issuer, certificate)
    known.set(pair, answer)
    return answer
  }
  const climb = (path: readonly X509Certificate[]): boolean => {
    const top = path.at(-1) as X509Certificate
    if (trusted.has(top.fingerprint256)) {
      const problem = path.map((certificate, i) => problemOf(certificate, i === 0 ? null : i - 1, at)).find((text) => text !== null)
      refused ??= problem ?? null
      return problem === undefined
    }
    if (path.length > maxChain) return false
    return [...roots, ...others].some((next) => {
      steps += 1
      return steps < maxSteps && !path.some((c) => c.fingerprint256 === next.fingerprint256) && issues(next, top) && climb([...path, next])
    })
  }
  if (climb([leaf])) return { status: 'trusted' }
  if (refused !== null) return { status: 'invalid', reason: refused }
  return { status: 'untrusted', reason: `The certificate of ${nameOf(leaf)} does not lead to an authority that the policy names.` }
}
