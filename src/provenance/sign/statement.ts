import type { SignatureCheck, TrustPolicy } from '../../contracts/provenance.ts'
import { checkDsse, type DsseEnvelope } from '../signatures/dsse.ts'
import { loadKeys } from '../signatures/keys.ts'
import { parseStatement, statementPayloadType, statementType } from '../signatures/statement.ts'
import { type SigningKey, signDsse } from './signing-key.ts'

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export interface StatementText {
  readonly _type: typeof statementType
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[]
  readonly predicateType: string
  readonly predicate: unknown
}

export const verdictPredicate = 'https://in-toto.io/attestation/test-result/v0.1'
export const snapshotPredicate = 'urn:assay:attestation:snapshot:1'

/** An in-toto statement in a DSSE envelope. */
export const signStatement = (statement: StatementText, key: SigningKey): DsseEnvelope =>
  signDsse(statementPayloadType, Buffer.from(JSON.stringify(statement)), key)

/** What a report must say for a statement over it. */
export interface VerdictInput {
  readonly tool: { readonly name: string; readonly version: string }
  readonly evaluatedAt: string
  readonly subject: { readonly name: string; readonly version: string | null }
  readonly verdict: 'passed' | 'failed' | 'incomplete' | 'nothing-audited'
  readonly exitCode: number
  readonly headline: string
  readonly plan: { readonly digest: string }
  readonly inputs: readonly { readonly id: string; readonly sha256: string }[]
  readonly findings: readonly { readonly rule: string; readonly gates: boolean; readonly status: string }[]
}

const rulesOf = (findings: VerdictInput['findings'], gates: boolean): string[] =>
  [...new Set(findings.filter((f) => f.status === 'open' && f.gates === gates).map((f) => f.rule))].sort()

/**
 * Names of inputs as paths below one folder, which who verifies may name. Inputs that lie outside of the pipeline file's folder
 * are named from the folder that holds all of them; where that cannot be told, by what no verifier takes for a path.
 */
function subjectNames(ids: readonly string[]): readonly string[] {
  const climbs = (id: string): boolean => id.startsWith('../')
  if (!ids.some(climbs)) return ids
  const [first = [], ...others] = ids.map((id) => id.split('/').slice(0, -1))
  const differs = first.findIndex((part, i) => others.some((other) => other[i] !== part))
  const shared = differs < 0 ? first.length : differs
  const names = ids.map((id) => id.split('/').slice(shared).join('/'))
  return names.some(climbs) ? ids.map((id) => `input:${id}`) : names
}

/**
 * The verdict of an audit over the digests of what it read, as a test result of in-toto
 * (https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md). `PASSED`: the gate passed without a finding;
 * `WARNED`: it passed, with findings; `FAILED`: all else, an audit that is incomplete included.
 */
export function verdictStatement(report: VerdictInput): StatementText {
  const { tool, subject, verdict, exitCode, headline, plan, inputs, findings } = report
  const warned = rulesOf(findings, false)
  const failed = rulesOf(findings, true)
  const passed = verdict === 'passed'
  const names = subjectNames(inputs.map(({ id }) => id))
  return {
    _type: statementType,
    subject: inputs.map(({ sha256 }, i) => ({ name: names[i] as string, digest: { sha256 } })),
    predicateType: verdictPredicate,
    predicate: {
      result: passed ? (warned.length > 0 ? 'WARNED' : 'PASSED') : 'FAILED',
      configuration: [{ name: 'pipeline', digest: { sha256: plan.digest } }],
      warnedTests: warned,
      failedTests: failed,
      annotations: {
        verdict,
        exitCode,
        headline,
        subject,
        evaluatedAt: report.evaluatedAt,
        tool: { name: tool.name, version: tool.version },
      },
    },
  }
}

/** The same test result over a document that tells it, such as a report as PDF. */
export const documentStatement = (report: VerdictInput, file: { readonly name: string; readonly sha256: string }): StatementText => ({
  ...verdictStatement(report),
  subject: [{ name: file.name, digest: { sha256: file.sha256 } }],
})

/** An envelope over the digest of a snapshot's header. `details` is for readers; what counts is in the header. */
export const signSnapshot = (header: { readonly name: string; readonly sha256: string }, details: unknown, key: SigningKey): DsseEnvelope =>
  signStatement(
    {
      _type: statementType,
      subject: [{ name: header.name, digest: { sha256: header.sha256 } }],
      predicateType: snapshotPredicate,
      predicate: details,
    },
    key,
  )

/**
 * Whether an envelope is over the header with this digest and by whom. Invalid where it speaks of another header, whoever signed it.
 * @throws {ProvenanceError} `bad-key` where a key of the policy cannot be read
 */
export function checkSnapshotSignature(envelope: unknown, headerSha256: string, file: string, trust: TrustPolicy): SignatureCheck {
  const invalid = (reason: string): SignatureCheck => ({ method: 'DSSE', file, status: 'invalid', signer: null, reason, signedAt: null })
  const checked = checkDsse(envelope, file, loadKeys(trust))
  if ('malformed' in checked) return invalid(checked.malformed)
  const { check, payloadType, payload } = checked
  if (check.status === 'invalid') return check
  if (payloadType !== statementPayloadType) return invalid('The envelope holds no in-toto statement.')
  const statement = parseStatement(payload, file)
  if ('malformed' in statement) return invalid(statement.malformed)
  const named =
    statement.predicateType === snapshotPredicate &&
    statement.subjects.some(({ digests }) => digests.some(({ algorithm, hex }) => algorithm === 'sha256' && hex === headerSha256))
  return named ? check : { ...check, status: 'invalid', reason: 'The signature is over another snapshot.' }
}
