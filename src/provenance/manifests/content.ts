import type { Delivery } from '../../contracts/provenance.ts'
import { readBounded } from '../delivery.ts'
import { ProvenanceError } from '../errors.ts'
import type { ProblemList } from './problem-list.ts'

/** The bytes of a manifest; null, with a problem, where it is larger than `maxBytes` or cannot be read. */
export async function contentOf(delivery: Delivery, path: string, maxBytes: number, problems: ProblemList): Promise<Buffer | null> {
  try {
    return await readBounded(delivery, path, maxBytes)
  } catch (e) {
    if (!(e instanceof ProvenanceError) || (e.code !== 'too-large' && e.code !== 'unreadable')) throw e
    problems.error(e.code, e.message, { file: path })
    return null
  }
}
