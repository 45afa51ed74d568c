import { isUtf8 } from 'node:buffer'
import type { Delivery } from '../../contracts/provenance.ts'
import { contentOf } from './content.ts'
import type { ProblemList } from './problem-list.ts'

/** A manifest as text without its byte order mark; null, with a problem, where it is too large, unreadable or not UTF-8. */
export async function readText(delivery: Delivery, path: string, maxBytes: number, problems: ProblemList): Promise<string | null> {
  const bytes = await contentOf(delivery, path, maxBytes, problems)
  if (bytes === null) return null
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes)
  problems.error('malformed', `${path} is not UTF-8.`, { file: path })
  return null
}
