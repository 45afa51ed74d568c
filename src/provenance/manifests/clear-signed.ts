import type { ProblemList } from './problem-list.ts'
import type { TextLine } from './text-lines.ts'

const begin = '-----BEGIN PGP SIGNED MESSAGE-----'
const signature = '-----BEGIN PGP SIGNATURE-----'
const end = '-----END PGP SIGNATURE-----'

/** Whether a file is clear signed, by its first bytes. */
export const isClearSigned = (bytes: Buffer): boolean =>
  bytes
    .subarray(0, 200)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .startsWith(begin)

/**
 * Lines of a text without the armour of a cleartext signature (RFC 9580, section 7), dashes unescaped. A text that is not
 * signed passes as it is. Lines with content outside of the signed part are passed on and told: no signature covers them.
 */
export function* signedText(lines: Iterable<TextLine>, file: string, problems: ProblemList): Generator<TextLine> {
  let part: 'outside' | 'headers' | 'text' | 'signature' = 'outside'
  let blocks = 0
  let last = 1
  for (const { line, text } of lines) {
    last = line
    const mark = text?.trimEnd()
    if (part === 'outside' && mark === begin) {
      part = 'headers'
      blocks += 1
    } else if (part === 'headers') {
      if (mark === '') part = 'text'
      else if (!/^Hash: /.test(text ?? '')) {
        problems.error('malformed', `${file}, line ${line}: a header of the signed message that should not be there.`, { file, line })
      }
    } else if (part === 'text' && mark === signature) part = 'signature'
    else if (part === 'signature') {
      if (mark === end) part = 'outside'
    } else if (part === 'text') yield { line, text: text?.startsWith('- ') ? text.slice(2) : text }
    else {
      if (blocks > 0 && mark !== '') {
        problems.error('inconsistent', `${file}, line ${line}: stands outside of the signed part.`, { file, line })
      }
      yield { line, text }
    }
  }
  if (part !== 'outside') problems.error('malformed', `${file}: the signed message that it begins never ends.`, { file, line: last })
}
