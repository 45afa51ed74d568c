/**
 * One escaper a sink. Everything that a report shows may have been chosen by an attacker: labels, ids, file names,
 * messages of parsers, record text. No renderer writes a string that did not go through here.
 */

export const hexOf = (code: number): string => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
const hex = (code: number): string => `\u27e8${hexOf(code)}\u27e9`

/**
 * C0 and C1 controls, bidirectional controls (Trojan Source, CVE-2021-42574), zero-width and invisible characters, line and
 * paragraph separators, variation selectors beyond emoji use, interlinear marks, tag characters, lone surrogates, noncharacters.
 */
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: marks are looked for one by one
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\ud800-\udfff]|\u034f/gu

const joinable = /[\u0250-\uffff]/

/** Zero-width (non-)joiners are spelling in Persian, Indic scripts and emoji: kept between two such characters only. */
function keepsJoiner(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  if (code !== 0x200c && code !== 0x200d) return false
  const before = text.slice(Math.max(0, at - 2), at)
  const after = text.slice(at + 1, at + 3)
  return joinable.test(before.slice(-1)) && joinable.test(after.slice(0, 1))
}

/** Tabs and new lines become spaces, marks stack four high, and whatever cannot be seen becomes its code point in brackets. */
export function visible(text: string): string {
  return text
    .replace(/[\t\n\r]/g, ' ')
    .replace(/(\p{M}{4})\p{M}+/gu, '$1')
    .replace(hidden, (c: string, at: number, whole: string) => (keepsJoiner(whole, at) ? c : hex(c.codePointAt(0) as number)))
}

/** The text in order, cut at its hidden characters; those that follow one another are one run of code points. */
export function hiddenPieces(text: string): readonly ({ readonly text: string } | { readonly codes: readonly number[] })[] {
  const out: ({ text: string } | { codes: number[] })[] = []
  let at = 0
  for (const match of text.matchAll(hidden)) {
    if (/[\t\n\r]/.test(match[0]) || keepsJoiner(text, match.index)) continue
    if (match.index > at) out.push({ text: text.slice(at, match.index) })
    const last = out.at(-1)
    const code = match[0].codePointAt(0) as number
    if (last && 'codes' in last && match.index === at) last.codes.push(code)
    else out.push({ codes: [code] })
    at = match.index + match[0].length
  }
  if (at < text.length) out.push({ text: text.slice(at) })
  return out
}

/** At most `max` UTF-16 units, never half a surrogate pair, with an ellipsis where something is missing. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text
  const end = /[\ud800-\udbff]/.test(text[max - 2] as string) ? max - 2 : max - 1
  return `${text.slice(0, end)}\u2026`
}

const entities: { readonly [c: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' }

/** Text and quoted attribute values of HTML. Never for URLs, style or script. */
export const escapeHtml = (text: string): string => visible(text).replace(/[&<>"'`]/g, (c) => entities[c] as string)

/** Text and quoted attribute values of XML 1.0. */
export const escapeXml = (text: string): string => visible(text).replace(/[&<>"']/g, (c) => entities[c] as string)

/**
 * Inline text of GitHub-flavoured Markdown: no markup, link, autolink, image, HTML, mention, issue reference, emoji or math.
 * Stands on one line, also in a table cell.
 */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/[\\`*_{}[\]()#+!|~$^=]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@/g, '@&#8203;')
    .replace(/:(?=\S)/g, '&#58;')
    .replace(/www\./gi, (w) => `${w.slice(0, 3)}&#46;`)
    .replace(/^(\s*)(-|\d+\.)/, (_, space: string, mark: string) => `${space}${mark.slice(0, -1)}\\${mark.slice(-1)}`)
}

/** A code span of Markdown, also in a table cell: as long a fence as the content needs. */
export function markdownCode(text: string): string {
  const shown = visible(text).replace(/\|/g, '\u2502')
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = /^`|`$|^\s.*\s$/.test(shown) || shown === '' ? ' ' : ''
  return `${fence}${pad}${shown}${pad}${fence}`
}

/**
 * A terminal: no escape sequence, no reordering, no new line, and nothing that a CI log would take for a command
 * (`::error::`, `##[...]`, `##vso[...]`), wherever the line is broken afterwards.
 */
export const escapeTerminal = (text: string): string =>
  visible(text)
    .replace(/(^|[^\p{L}\p{N}])::(?=\p{L})/gu, '$1: :')
    .replace(/##(?=\[|vso\[)/g, '# #')

/**
 * One field of RFC 4180 CSV. Text that a spreadsheet would run as a formula (CWE-1236) gets an apostrophe in front, unless it is
 * a plain number; parquet and JSON Lines carry such text unchanged.
 */
export function escapeCsv(text: string): string {
  const formula = /^[=+\-@\t\r]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
  const field = formula ? `'${text}` : text
  return /[",\r\n]/.test(field) || field !== field.trim() ? `"${field.replace(/"/g, '""')}"` : field
}

/** The message of a workflow command of GitHub Actions (`::error file=...::message`). */
export const escapeCommandMessage = (text: string): string => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')

/** The value of a property of a workflow command. */
export const escapeCommandProperty = (text: string): string => escapeCommandMessage(text).replace(/:/g, '%3A').replace(/,/g, '%2C')
