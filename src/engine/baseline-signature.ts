import type { Conclusion } from '../contracts/detector.ts'
import type { Finding } from '../contracts/finding.ts'
import type { SignatureCheck, TrustPolicy } from '../contracts/provenance.ts'
import { checkSignature } from '../provenance/snapshot/chain.ts'
import type { PlannedBaseline } from './plan-baseline.ts'

const finding = (rule: string, severity: Finding['severity'], name: string, message: string, action: string): Finding => ({
  rule: `provenance/${rule}`,
  severity,
  confidence: 'certain',
  scope: { kind: 'file', names: ['baseline'] },
  message,
  count: 1,
  records: [],
  evidence: [{ kind: 'numbers', title: 'Baseline', items: [{ name: 'snapshot', value: name }] }],
  test: null,
  action,
})

const because = (check: SignatureCheck): string => check.reason.replace(/\.$/, '')

/**
 * Who vouches for the snapshot that the data are compared with: whoever can replace it can hide a change. Where the policy names
 * nobody, that it is not signed is a note alone. @throws SnapshotError `snapshot-damaged`
 */
export function judgeBaseline(baseline: PlannedBaseline, trust: TrustPolicy): Conclusion {
  const none = { findings: [], tests: [], notes: [] }
  if (baseline.kind === 'data') return none
  const { folder, name, digest } = baseline
  const check = checkSignature(folder, digest, trust)
  if (check?.status === 'trusted')
    return { ...none, notes: [`The baseline ${name} is signed by ${check.signer ?? 'a trusted key'}, whom the policy trusts.`] }
  if (check?.status === 'invalid')
    return {
      ...none,
      findings: [
        finding(
          'untrusted-signer',
          'high',
          name,
          `The signature of the baseline ${name} does not hold: ${because(check)}.`,
          'Treat the snapshot as changed: take it from a backup, and find out who could write to it.',
        ),
      ],
    }
  const said = check ? `is signed, and nobody whom the policy trusts vouches for it (${because(check)})` : 'is not signed'
  const names = trust.keys.length + trust.certificates.length + trust.identities.length > 0
  if (!names && !trust.requireSignature)
    return { ...none, notes: [`The baseline ${name} ${said}: whoever can write to it can hide a change.`] }
  return {
    ...none,
    findings: [
      finding(
        check ? 'untrusted-signer' : 'unsigned',
        trust.requireSignature ? 'high' : 'medium',
        name,
        `The baseline ${name} ${said}: whoever can write to it can hide a change.`,
        'Sign snapshots when they are taken (assay snapshot --sign, assay audit --sign), with a key that the store does not have.',
      ),
    ],
  }
}
