import type { Finding, Severity } from '../../contracts/finding.ts'
import type { FileGrade, Manifest, ManifestProblem, SignatureCheck, TrustPolicy } from '../../contracts/provenance.ts'

const maxRows = 200
const count = (n: number): string => n.toLocaleString('en-US')

/** One finding a manifest and severity. */
export function problemFindings(problems: readonly ManifestProblem[]): Finding[] {
  const groups = new Map<string, ManifestProblem[]>()
  for (const p of problems) {
    const key = `${p.invalid ? 'high' : 'low'}\u0000${p.place.file ?? ''}`
    const group = groups.get(key)
    if (group) group.push(p)
    else groups.set(key, [p])
  }
  return [...groups].map(([key, group]) => {
    const [severity, file] = key.split('\u0000') as [Severity, string]
    const [first] = group as [ManifestProblem]
    const hostile = group.some((p) => p.code === 'hostile-path')
    const more = group.length > 1 ? ` (and ${count(group.length - 1)} more of the kind)` : ''
    return {
      rule: 'provenance/manifest',
      severity,
      confidence: 'certain',
      scope: { kind: 'file', names: [file] },
      message: `${first.message.replace(/\.$/, '')}${more}.`,
      count: group.length,
      records: [],
      evidence: [
        {
          kind: 'table',
          title: group.length > maxRows ? `Problems (the first ${maxRows} of ${count(group.length)})` : 'Problems',
          columns: ['file', 'line', 'kind', 'problem'],
          rows: group.slice(0, maxRows).map((p) => [p.place.file ?? null, p.place.line ?? null, p.code, p.message]),
        },
      ],
      test: null,
      action: hostile
        ? 'Do not unpack or copy the delivery with other tools: keep it as evidence and ask the supplier.'
        : 'Ask the supplier for a manifest that the validator of its format accepts.',
    }
  })
}

const signatureRow = (s: SignatureCheck) => [s.file, s.method, s.status, s.signer, s.reason]

const finding = (rule: string, severity: Severity, manifest: Manifest, message: string, action: string): Finding => ({
  rule: `provenance/${rule}`,
  severity,
  confidence: 'certain',
  scope: { kind: 'file', names: [manifest.file] },
  message,
  count: 1,
  records: [],
  evidence:
    manifest.signatures.length === 0
      ? []
      : [
          {
            kind: 'table',
            title: `Signatures of ${manifest.file}`,
            columns: ['file', 'method', 'status', 'signer', 'why'],
            rows: manifest.signatures.slice(0, maxRows).map(signatureRow),
          },
        ],
  test: null,
  action,
})

/** Of a manifest: a signature that does not hold, one by a stranger, or none at all. Manifests of facts alone need none. */
function ofManifest(m: Manifest, isOpen: boolean, trust: TrustPolicy): Finding[] {
  const below: Severity = trust.requireSignature ? 'high' : 'medium'
  const out: Finding[] = []
  const invalid = m.signatures.filter((s) => s.status === 'invalid')
  if (invalid.length > 0)
    out.push(
      finding(
        'untrusted-signer',
        'high',
        m,
        `A signature of ${m.file} does not hold: ${(invalid[0] as SignatureCheck).reason.replace(/\.$/, '')}.`,
        'Treat the delivery as changed after it was signed: refuse it, and ask the publisher.',
      ),
    )
  // Where another manifest, signed by somebody trusted, verifies all that this one names, nothing rests on this one.
  if (m.signatures.some((s) => s.status === 'trusted') || !isOpen) return out
  const stranger = m.signatures.find((s) => s.status === 'untrusted')
  if (stranger)
    out.push(
      finding(
        'untrusted-signer',
        below,
        m,
        `${m.file} is signed by ${stranger.signer ?? 'an unknown signer'}, whom the policy does not trust: ${stranger.reason.replace(/\.$/, '')}.`,
        'Find out by a second channel who that is, then name the key or the identity in the policy, or refuse the delivery.',
      ),
    )
  else if (invalid.length === 0 && m.entries.length > 0) {
    const [unchecked] = m.signatures
    out.push(
      finding(
        'unsigned',
        below,
        m,
        unchecked
          ? `Nobody whom the policy trusts vouches for ${m.file}: its signature cannot be judged (${unchecked.reason.replace(/\.$/, '')}).`
          : `Nobody vouches for ${m.file}: it is not signed, so whoever changed a file could change its digest too.`,
        'Ask the publisher for a signed manifest, or compare its digests over a second channel.',
      ),
    )
  }
  return out
}

/** A file that is at once the pointer to a content (Git LFS) and nothing else needs no signature of its own. */
const bare = new Set<Manifest['kind']>(['hf-pointer'])

/** Manifests that name a file for which no trusted signature stands: there the signature of another does not help. */
function unvouched(files: readonly FileGrade[], trusted: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { signed, grade, manifests } of files) {
    const isContradicted = (grade === 'mismatched' || grade === 'missing') && manifests.some((file) => trusted.has(file))
    if (!signed && !isContradicted) for (const file of manifests) found.add(file)
  }
  return found
}

const nothingSigned = (): Finding => ({
  rule: 'provenance/unsigned',
  severity: 'high',
  confidence: 'certain',
  scope: { kind: 'dataset', names: ['delivery'] },
  message: 'The policy asks for a trusted signature, and the delivery has no manifest that could bear one.',
  count: 1,
  records: [],
  evidence: [],
  test: null,
  action: 'Ask the publisher for a signed manifest.',
})

export function signatureFindings(manifests: readonly Manifest[], files: readonly FileGrade[], trust: TrustPolicy): Finding[] {
  if (manifests.length === 0) return trust.requireSignature ? [nothingSigned()] : []
  const open = unvouched(files, new Set(manifests.filter((m) => m.signatures.some((s) => s.status === 'trusted')).map((m) => m.file)))
  return manifests
    .filter((m) => !bare.has(m.kind) || m.signatures.length > 0)
    .flatMap((m) => ofManifest(m, open.has(m.file) || m.entries.length === 0, trust))
}
