import { createHash } from 'node:crypto'
import type { Finding } from '../contracts/finding.ts'

/** SHA-256, hexadecimal, over rule, kind of scope and names (NFC) and nothing else: the same after a re-export of the data. */
export const fingerprintOf = (finding: Pick<Finding, 'rule' | 'scope'>): string =>
  createHash('sha256')
    .update(JSON.stringify([finding.rule, finding.scope.kind, ...finding.scope.names.map((name) => name.normalize('NFC'))]))
    .digest('hex')
