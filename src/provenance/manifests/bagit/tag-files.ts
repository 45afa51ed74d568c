import type { ProblemList } from '../problem-list.ts'
import { shown } from '../problem-list.ts'

/** What bagit.txt says. */
export interface Declaration {
  /** "1.0"; null where it cannot be read. */
  readonly version: string | null
  /** Rules of RFC 8493; false for the drafts 0.93 to 0.97. Where no version can be read the stricter ones apply. */
  readonly final: boolean
  readonly encoding: string
}

const drafts: readonly string[] = ['0.93', '0.94', '0.95', '0.96', '0.97']

/** Text of a tag file as lines, without their ends. */
export const linesOf = (text: string): string[] => text.split(/\r\n|\n|\r/)

const byteOrderMark = '\ufeff'

/** `bagit.txt` (RFC 8493, 2.1.1): two lines in UTF-8, no byte order mark. */
export function readDeclaration(bytes: Uint8Array, file: string, problems: ProblemList): Declaration {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  if (text.startsWith(byteOrderMark)) problems.error('malformed', `${file} begins with a byte order mark.`, { file, line: 1 })
  const lines = linesOf(withoutMark(text))
  const version = /^BagIt-Version: (\d{1,4}\.\d{1,4})$/.exec(lines[0] ?? '')?.[1] ?? null
  if (version === null)
    problems.error('malformed', `${file} does not begin with "BagIt-Version: M.N" but with "${shown(lines[0] ?? '')}".`, { file, line: 1 })
  else if (version !== '1.0' && !drafts.includes(version)) {
    problems.error('unsupported', `${file} names BagIt ${version}; 1.0 and the drafts 0.93 to 0.97 can be read.`, { file, line: 1 })
  }
  const encoding = /^Tag-File-Character-Encoding: (\S+)$/.exec(lines[1] ?? '')?.[1] ?? null
  if (encoding === null) {
    problems.error(
      'malformed',
      `The second line of ${file} is not "Tag-File-Character-Encoding: ENCODING" but "${shown(lines[1] ?? '')}".`,
      { file, line: 2 },
    )
  }
  if (lines.slice(2).some((line) => line !== '')) problems.error('malformed', `${file} has more than its two lines.`, { file, line: 3 })
  else if (lines.length > 3) problems.warn('malformed', `${file} ends in empty lines.`, { file, line: 3 })
  return { version, final: version === null || !drafts.includes(version), encoding: encoding ?? 'UTF-8' }
}

/** Decodes the other tag files; null for an encoding that no runtime knows. The result is null for bytes that are not in it. */
export function decoderOf(encoding: string): ((bytes: Uint8Array) => string | null) | null {
  const name = encoding.toLowerCase()
  if (name === 'iso-8859-1' || name === 'latin1')
    return (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  try {
    new TextDecoder(name)
  } catch {
    return null
  }
  return (bytes) => {
    try {
      return new TextDecoder(name === 'utf-16' ? endianness(bytes) : name, { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      return null
    }
  }
}

/** Big-endian where no byte order mark says otherwise (RFC 2781, 4.3); the runtime would take the other. */
const endianness = (bytes: Uint8Array): string => (bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-16be')

export const withoutMark = (text: string): string => (text.startsWith(byteOrderMark) ? text.slice(1) : text)

export interface Oxum {
  readonly bytes: number
  readonly files: number
}

/** `bag-info.txt` (RFC 8493, 2.2.2; `package-info.txt` before 0.96): checks its form and returns the first Payload-Oxum. */
export function readInfo(text: string, file: string, final: boolean, problems: ProblemList): Oxum | null {
  const report = final ? problems.error : problems.warn
  const found: { readonly value: string; readonly line: number }[] = []
  let open = false
  for (const [i, line] of linesOf(withoutMark(text)).entries()) {
    const place = { file, line: i + 1 }
    if (/^[ \t]*$/.test(line)) continue
    if (/^[ \t]/.test(line)) {
      if (!open) report('malformed', `Line ${i + 1} of ${file} continues a value, but there is none before it.`, place)
      continue
    }
    const colon = line.indexOf(':')
    open = colon > 0
    if (!open) {
      report('malformed', `Line ${i + 1} of ${file} is not "Label: value": "${shown(line)}".`, place)
      continue
    }
    const label = line.slice(0, colon)
    if (/[ \t]$/.test(label)) report('malformed', `The label in line ${i + 1} of ${file} ends in a space.`, place)
    if (!/^[ \t]/.test(line.slice(colon + 1)) && line.length > colon + 1)
      problems.warn('malformed', `There is no space after the colon in line ${i + 1} of ${file}.`, place)
    if (label.trim().toLowerCase() === 'payload-oxum') found.push({ value: line.slice(colon + 1).trim(), line: i + 1 })
  }
  return oxumOf(found, file, problems)
}

function oxumOf(found: readonly { readonly value: string; readonly line: number }[], file: string, problems: ProblemList): Oxum | null {
  const [first, second] = found
  if (!first) return null
  if (second) problems.warn('inconsistent', `${file} has more than one Payload-Oxum; the first counts.`, { file, line: second.line })
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(first.value)
  if (match) return { bytes: Number(match[1]), files: Number(match[2]) }
  problems.error('malformed', `Payload-Oxum in ${file} is not "BYTES.FILES": "${shown(first.value)}".`, { file, line: first.line })
  return null
}
