import type { ProblemList } from '../problem-list.ts'
import { shown } from '../problem-list.ts'
import { linesOf } from './tag-files.ts'

/** A line of a manifest before its path was judged. */
export interface Sum {
  readonly digest: string
  /** As written, without `*` and `./` in front. */
  readonly name: string
  readonly line: number
}

export const maxSums = 5_000_000

/** Lines of `manifest-ALG.txt` and `tagmanifest-ALG.txt`: digest, white space, path (RFC 8493, 2.1.3). */
export function readSums(text: string, file: string, problems: ProblemList): Sum[] {
  const sums: Sum[] = []
  for (const [i, line] of linesOf(text).entries()) {
    if (/^\s*$/.test(line)) continue
    const place = { file, line: i + 1 }
    const match = /^(\S+)[ \t]+(\S.*)$/s.exec(line)
    if (line.startsWith('#')) problems.warn('malformed', `Line ${i + 1} of ${file} is a comment, which BagIt does not have.`, place)
    else if (!match) problems.error('malformed', `Line ${i + 1} of ${file} is not a digest and a path: "${shown(line)}".`, place)
    else if (sums.length >= maxSums) {
      problems.error('too-large', `${file} has more than ${maxSums.toLocaleString('en')} lines; the others were not read.`, place)
      break
    } else sums.push({ digest: match[1] as string, name: plainName(match[2] as string, file, i + 1, problems), line: i + 1 })
  }
  return sums
}

/** Tools write what RFC 8493 does not have: `*` for binary (md5sum) and `./` in front. */
function plainName(written: string, file: string, line: number, problems: ProblemList): string {
  const place = { file, line }
  let name = written
  if (name.startsWith('*')) {
    problems.warn('malformed', `Line ${line} of ${file} has "*" before the path, as md5sum writes it.`, place)
    name = name.slice(1)
  }
  const relative = name.replace(/^(?:\.\/+)+/, '').replace(/\/(?:\.?\/)+/g, '/')
  if (relative !== name)
    problems.warn('malformed', `The path in line ${line} of ${file} has a "./" or "//" in it: "${shown(name)}".`, place)
  return relative
}

/** A line of `fetch.txt`. */
export interface Fetch {
  readonly url: string
  readonly bytes: number | null
  readonly name: string
  readonly line: number
}

/** `fetch.txt` (RFC 8493, 2.2.3): URL, length or `-`, path. Nothing is ever fetched. */
export function readFetch(text: string, file: string, problems: ProblemList): Fetch[] {
  const fetches: Fetch[] = []
  for (const [i, line] of linesOf(text).entries()) {
    if (/^\s*$/.test(line)) continue
    const place = { file, line: i + 1 }
    const match = /^(\S+)[ \t]+(\d{1,15}|-)[ \t]+(\S.*)$/s.exec(line)
    if (!match) {
      problems.error('malformed', `Line ${i + 1} of ${file} is not a URL, a length and a path: "${shown(line)}".`, place)
      continue
    }
    const [, url = '', length = '', written = ''] = match
    if (!/^(?:file:|[a-z][a-z0-9+.-]*:\/\/[^/])/i.test(url))
      problems.error('malformed', `"${shown(url)}" in line ${i + 1} of ${file} is not a URL.`, place)
    if (fetches.length >= maxSums) {
      problems.error('too-large', `${file} has more than ${maxSums.toLocaleString('en')} lines; the others were not read.`, place)
      break
    }
    fetches.push({ url, bytes: length === '-' ? null : Number(length), name: plainName(written, file, i + 1, problems), line: i + 1 })
  }
  return fetches
}
