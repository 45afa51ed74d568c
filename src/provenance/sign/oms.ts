import { createHash, hash } from 'node:crypto'
import { gitPaths, omsPredicate } from '../manifests/oms-content.ts'
import { statementPayloadType, statementType } from '../signatures/statement.ts'
import { type SigningKey, signDsse } from './signing-key.ts'
import type { StatementText } from './statement.ts'
import type { SummedFile } from './sums.ts'

/** By their parts, each as text: the order of paths in the reference implementation. */
function byParts({ path: a }: SummedFile, { path: b }: SummedFile): number {
  const [left, right] = [a.split('/'), b.split('/')]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = Buffer.compare(Buffer.from(left[i] as string), Buffer.from(right[i] as string))
    if (order !== 0) return order
  }
  return left.length - right.length
}

/** Whether the reference implementation leaves a path out of a signature: files of git in the root, and what the signer names. */
export const isIgnored = (path: string, ignored: readonly string[]): boolean =>
  [...gitPaths, ...ignored].some((entry) => path === entry || path.startsWith(`${entry}/`))

/**
 * The statement of OpenSSF's model signing over the files of a folder: one resource a file, the digest of all of them as the
 * subject. https://github.com/sigstore/model-transparency, predicate v1.0.
 *
 * @param name of the folder
 * @param ignored paths that verifiers leave out, besides those of git: the signature itself
 */
export function omsStatement(name: string, files: readonly SummedFile[], ignored: readonly string[]): StatementText {
  const listed = files.filter(({ path }) => !isIgnored(path, ignored)).sort(byParts)
  const root = createHash('sha256')
  for (const { sha256 } of listed) root.update(Buffer.from(sha256, 'hex'))
  return {
    _type: statementType,
    subject: [{ name, digest: { sha256: root.digest('hex') } }],
    predicateType: omsPredicate,
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: [...new Set([...ignored, ...gitPaths])].sort(),
      },
      resources: listed.map(({ path, sha256 }) => ({ name: path, algorithm: 'sha256', digest: sha256 })),
    },
  }
}

/** The bundle around it: version 0.3, a key named by the SHA-256 of its PEM, no log entries. */
export function omsBundle(statement: StatementText, key: SigningKey): unknown {
  const envelope = signDsse(statementPayloadType, Buffer.from(JSON.stringify(statement, null, 2)), key)
  const hint = hash('sha256', key.publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'hex')
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
    dsseEnvelope: { ...envelope, signatures: envelope.signatures.map(({ sig }) => ({ sig, keyid: '' })) },
  }
}
