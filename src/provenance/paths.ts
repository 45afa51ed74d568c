const maxPathBytes = 4096
const maxPartBytes = 255
/** Folders below each other; deeper ones are neither read nor named. */
export const maxDepth = 128

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
const control = /[\u0000-\u001f\u007f-\u009f]/
/** Overrides and isolates that show a name in another order than it has. */
const reordering = /[\u202a-\u202e\u2066-\u2069]/
const loneSurrogate = /\p{Surrogate}/u

/** Why a name of a file or folder is refused wherever it stands, also on the disk; null where it is fine. */
export function hostileName(name: string): string | null {
  if (name.includes('\u0000')) return 'it holds a NUL character'
  if (control.test(name)) return 'it holds a control character'
  if (reordering.test(name)) return 'it holds a character that shows text in another order'
  if (loneSurrogate.test(name)) return 'it is not Unicode text'
  if (name.includes('\\')) return 'it holds a backslash'
  return null
}

/**
 * Two names that are equal here may be one file on another disk: case is folded (ß as ss), and composed and
 * decomposed letters are one.
 */
export const foldName = (name: string): string => name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC')

/**
 * A path from a manifest, made safe and relative to the root: no empty or `.` parts, `/` between parts. Percent signs
 * are not decoded: who reads a format that encodes names decodes them first.
 *
 * @param base folder of the manifest relative to the root, '' for the root itself; already safe.
 * @returns `hostile`, why it is refused: the end of the sentence "the path ... is refused: ".
 */
export function safePath(raw: string, base: string): { readonly path: string } | { readonly hostile: string } {
  if (raw === '') return { hostile: 'it is empty' }
  if (raw.length > maxPathBytes) return { hostile: `it is longer than ${maxPathBytes} bytes` }
  const name = hostileName(raw)
  if (name !== null) return { hostile: name }
  if (raw.startsWith('//')) return { hostile: 'it names a share of the network' }
  if (raw.startsWith('/')) return { hostile: 'it is absolute' }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(raw)) return { hostile: 'it is an address and not a path' }
  if (raw.endsWith('/')) return { hostile: 'it names a folder' }
  const own = raw.split('/').filter((part) => part !== '' && part !== '.')
  const [first = ''] = own
  if (first.startsWith('~')) return { hostile: 'it begins with ~, the home folder of a user' }
  if (/^[a-z]:/i.test(first)) return { hostile: 'it begins with the letter of a drive' }
  if (own.includes('..')) return { hostile: 'it climbs out of its folder with ..' }
  if (own.length === 0 || raw.endsWith('/.')) return { hostile: 'it names a folder' }
  const parts = [...base.split('/').filter((part) => part !== ''), ...own]
  if (parts.length > maxDepth) return { hostile: `it lies more than ${maxDepth} folders deep` }
  if (own.some((part) => Buffer.byteLength(part) > maxPartBytes))
    return { hostile: `one of its names is longer than ${maxPartBytes} bytes` }
  const path = parts.join('/')
  return Buffer.byteLength(path) > maxPathBytes ? { hostile: `it is longer than ${maxPathBytes} bytes` } : { path }
}
