import type {
  DeliveredFile,
  Delivery,
  Manifest,
  ManifestEntry,
  ManifestKind,
  SignatureCheck,
  TrustPolicy,
} from '../../contracts/provenance.ts'
import { locationOf } from '../delivery.ts'
import type { OpenBundle } from '../signatures/bundle.ts'
import { checkOpenBundle, readArtifact } from '../signatures/check-bundle.ts'
import { checkDsse } from '../signatures/dsse.ts'
import { type HashName, loadKeys } from '../signatures/keys.ts'
import { parseStatement, type Statement, type Subject, statementOf, statementPayloadType } from '../signatures/statement.ts'
import { contentOf } from './content.ts'
import { artifactBeside, inTotoEntries } from './in-toto-content.ts'
import { baseName, fileAt } from './lookup.ts'
import { omsContent, omsPredicate, omsPredicate2 } from './oms-content.ts'
import { type ProblemList, problemList, shown } from './problem-list.ts'
import { readParts, type SignedPart } from './signed-json.ts'
import { property } from './structured.ts'

interface Part {
  readonly kind: ManifestKind
  readonly title?: string
  readonly version: string | null
  readonly entries: readonly ManifestEntry[]
  readonly closed: string | null
  readonly ignored: readonly string[]
  /** Null for what nobody signed. */
  readonly check: SignatureCheck | null
}

const maxEd25519Bytes = 32 << 20
const titles: Readonly<Partial<Record<ManifestKind, string>>> = {
  oms: 'OpenSSF Model Signing',
  'in-toto': 'in-toto statement',
  sigstore: 'Sigstore bundle',
}

const testResult = 'https://in-toto.io/attestation/test-result/v0.1'

/** That a verdict is authentic does not make it a good one: its result is told with it. */
function titleOf({ predicateType, predicate }: Statement): string {
  const result = predicateType === testResult ? property(predicate, 'result') : null
  return result === 'PASSED' || result === 'WARNED' || result === 'FAILED' ? `in-toto test result ${result}` : 'in-toto statement'
}

class Reader {
  readonly problems: ProblemList

  constructor(
    readonly file: DeliveredFile,
    readonly delivery: Delivery,
    readonly trust: TrustPolicy,
  ) {
    this.problems = problemList(file.path)
  }

  /** What a statement says. Where its signature does not hold, grading lets it accuse files and vouch for none. */
  statement(statement: Statement, line: number | null, check: SignatureCheck | null, legacy: boolean): Part {
    const isOms = statement.predicateType === omsPredicate || statement.predicateType === omsPredicate2
    const kind: ManifestKind = isOms ? 'oms' : 'in-toto'
    if (legacy && statement.predicateType !== omsPredicate2) {
      const reason = 'The signature holds only in the encoding of OMS 0.2, and this is no statement of that release.'
      return this.nothing(kind, check && { ...check, status: 'invalid', reason })
    }
    if (isOms) {
      const content = omsContent(statement, this.file, this.delivery, this.problems)
      return { kind, ...content, check }
    }
    const entries = inTotoEntries(statement, this.file, line, this.delivery, this.problems)
    return { kind, title: titleOf(statement), version: statement.version, entries, closed: null, ignored: [], check }
  }

  nothing(kind: ManifestKind, check: SignatureCheck | null): Part {
    return { kind, version: null, entries: [], closed: null, ignored: [], check }
  }

  /** Of several subjects under names of their own, a bundle beside a file speaks of the one that has its digest. */
  private async about(statement: Statement, artifact: string | null): Promise<Statement> {
    const { subjects } = statement
    if (artifact === null || subjects.length < 2 || subjects.some(({ name }) => name === baseName(artifact))) return statement
    const { digests } = await readArtifact(locationOf(this.delivery, artifact))
    const same = subjects.find((subject) => subject.digests.some(({ algorithm, hex }) => digests[algorithm as HashName] === hex))
    return { ...statement, subjects: [{ ...(same ?? (subjects[0] as Subject)), name: null }] }
  }

  /** The payload is parsed after its signature was looked at. */
  async payload(
    type: string,
    payload: Buffer,
    line: number | null,
    check: SignatureCheck,
    legacy: boolean,
    artifact: string | null = null,
  ): Promise<Part> {
    const { path } = this.file
    const place = line === null ? { file: path } : { file: path, line }
    if (type !== statementPayloadType) {
      this.problems.warn('unsupported', `${path}: It holds ${shown(type)} and no in-toto statement: only its signature was checked.`, place)
      return { ...this.nothing('in-toto', check), title: 'DSSE envelope' }
    }
    const statement = parseStatement(payload, path)
    if (!('malformed' in statement)) return this.statement(await this.about(statement, artifact), line, check, legacy)
    this.problems.error('malformed', `${path}: ${statement.malformed}`, place)
    return this.nothing('in-toto', check)
  }

  async bundle(open: OpenBundle, line: number | null): Promise<Part> {
    const { path } = this.file
    const artifact = artifactBeside(path)
    if (open.content.kind === 'dsse') {
      const signs = artifact !== null && /\.sigstore(?:\.jsonl?)?$/i.test(path) && fileAt(this.delivery, artifact) !== null
      const { check, legacy, content } = await checkOpenBundle(open, path, this.trust, null, signs)
      if (content?.kind !== 'dsse') return this.nothing('sigstore', check)
      return this.payload(content.payloadType, content.payload, line, check, legacy, signs ? artifact : null)
    }
    const needsBytes = open.material.kind === 'key' && loadKeys(this.trust).some(({ kind }) => kind === 'ed25519')
    const there = artifact !== null && fileAt(this.delivery, artifact) !== null
    const bytes =
      needsBytes && artifact !== null && there ? await contentOf(this.delivery, artifact, maxEd25519Bytes, problemList(path)) : null
    const { check, content } = await checkOpenBundle(open, path, this.trust, bytes, there)
    if (artifact === null) this.problems.error('unsupported', `${path}: Its name does not tell which file it signs.`, { file: path })
    if (artifact === null || content?.kind !== 'message') return this.nothing('sigstore', check)
    const place = line === null ? { file: path } : { file: path, line }
    const entry = { path: artifact, digests: [content.digest], bytes: null, range: null, placeholder: null, url: null, label: null, place }
    return { kind: 'sigstore', version: open.version, entries: [entry], closed: null, ignored: [], check }
  }

  async part(part: SignedPart): Promise<Part> {
    const { path } = this.file
    const place = part.line === null ? { file: path } : { file: path, line: part.line }
    if (part.form === 'bundle') return this.bundle(part.open, part.line)
    if (part.form === 'statement') {
      const statement = statementOf(part.statement)
      if (!('malformed' in statement)) return this.statement(statement, part.line, null, false)
      this.problems.error('malformed', `${path}: ${statement.malformed}`, place)
      return this.nothing('in-toto', null)
    }
    const checked = checkDsse(part.envelope, path, loadKeys(this.trust))
    if (!('malformed' in checked)) return this.payload(checked.payloadType, checked.payload, part.line, checked.check, false)
    this.problems.error('malformed', `${path}: ${checked.malformed}`, place)
    return this.nothing('in-toto', null)
  }
}

const ranks: Readonly<Record<SignatureCheck['status'], number>> = { trusted: 3, untrusted: 2, unchecked: 1, invalid: 0 }
const rankOf = ({ check }: Part): number => (check === null ? 1 : ranks[check.status])

/**
 * A bundle, an envelope or a statement as a manifest: of the kind of what it holds. Of a file with several, only those with the
 * best signatures speak, so that nothing unsigned stands under the signature of another line.
 */
export async function readSigned(file: DeliveredFile, delivery: Delivery, trust: TrustPolicy): Promise<Manifest> {
  const reader = new Reader(file, delivery, trust)
  const { problems } = reader
  const parts: Part[] = []
  for (const part of await readParts(file, delivery, problems)) parts.push(await reader.part(part))
  const best = Math.max(-1, ...parts.map(rankOf))
  const used = parts.filter((part) => rankOf(part) === best)
  if (used.length < parts.length)
    problems.error(
      'inconsistent',
      `${file.path}: ${parts.length - used.length} of its statements are signed less well than the others and are not used.`,
      {
        file: file.path,
      },
    )
  const [first] = used
  const kind = first?.kind ?? 'in-toto'
  return {
    kind,
    title: first?.title ?? titles[kind] ?? kind,
    file: file.path,
    version: first?.version ?? null,
    entries: used.flatMap(({ entries }) => entries),
    closed: used.find(({ closed }) => closed !== null)?.closed ?? null,
    ignored: used.flatMap(({ ignored }) => ignored),
    own: [file.path],
    signatures: parts.flatMap(({ check }) => (check === null ? [] : [check])),
    problems: problems.all,
    facts: [],
  }
}
