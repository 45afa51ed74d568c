import { readFileSync, realpathSync, statSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import type { ProvenanceSpec } from '../contracts/pipeline.ts'
import type { TrustPolicy } from '../contracts/provenance.ts'
import { reasonOf } from './delivery.ts'
import { ProvenanceError } from './errors.ts'

const maxKeyBytes = 1 << 20
const maxRootBytes = 16 << 20

/** Trusts nobody, accepts SHA-256 and better, reports files that no manifest names. */
export const defaultTrust = (now: Date): TrustPolicy => ({
  keys: [],
  certificates: [],
  identities: [],
  trustedRoot: null,
  weakest: 'sha256',
  coverage: 0,
  unlisted: 'report',
  requireSignature: false,
  now,
})

export type TrustFiles = Pick<ProvenanceSpec, 'trust' | 'weakestDigest' | 'coverage' | 'unlisted' | 'requireSignature'>

function isInside(path: string, folder: string): boolean {
  try {
    const [real, root] = [realpathSync(path), realpathSync(folder)]
    return real.startsWith(root.endsWith(sep) ? root : root + sep)
  } catch {
    return false
  }
}

/**
 * The policy with its files read.
 * @param delivery the folder that is verified: what is trusted must not come from there. Null where somebody else has looked.
 * @throws {ProvenanceError} `bad-key`, with the file
 */
export function loadTrust(spec: TrustFiles, now: Date, delivery: string | null = null): TrustPolicy {
  const text = (file: string, maxBytes: number): string => {
    if (delivery !== null && isInside(file, delivery))
      throw new ProvenanceError(
        'bad-key',
        `${file} lies inside the delivery that it is to vouch for`,
        { file },
        'whoever sends the data could send the key with it: get the key from the publisher on another way, and keep it elsewhere',
      )
    try {
      const info = statSync(file)
      if (!info.isFile()) throw new ProvenanceError('bad-key', `${file} is not a file`, { file })
      if (info.size > maxBytes) throw new ProvenanceError('bad-key', `${file} is too large for what it should hold`, { file })
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw error instanceof ProvenanceError ? error : new ProvenanceError('bad-key', `${file}: ${reasonOf(error)}`, { file })
    }
  }
  const named = (files: readonly string[]) => files.map((name) => ({ name, text: text(resolve(name), maxKeyBytes) }))
  const { trust } = spec
  return {
    keys: named(trust.keys),
    certificates: named(trust.certificates),
    identities: trust.identities,
    trustedRoot: trust.trustedRoot === null ? null : text(resolve(trust.trustedRoot), maxRootBytes),
    weakest: spec.weakestDigest,
    coverage: spec.coverage,
    unlisted: spec.unlisted,
    requireSignature: spec.requireSignature,
    now,
  }
}
