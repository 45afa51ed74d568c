import type { Delivery } from '../../../contracts/provenance.ts'
import { safePath } from '../../paths.ts'
import { fileAt, inFolder } from '../lookup.ts'
import { spellings } from '../spellings.ts'

export type Located =
  /** `note`: under which other spelling the file is there. */
  { readonly path: string; readonly note: string | null } | { readonly hostile: string }

/** Line ends and, since 1.0, the percent sign are all that may be encoded (RFC 8493, 2.1.3). */
const decoded = (name: string, final: boolean): string =>
  name.replace(final ? /%(0[aA]|0[dD]|25)/g : /%(0[aA]|0[dD])/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

function fullyDecoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/**
 * The delivered file that a manifest of the bag in `base` names, or where it would have to be.
 * Its digest is checked whatever its spelling, so that another spelling found is never a file that nobody named.
 */
export function locate(name: string, base: string, final: boolean, delivery: Delivery): Located {
  const safe = safePath(name, base)
  if ('hostile' in safe) return safe
  const literal = base === '' ? safe.path : safe.path.slice(base.length + 1)
  const expected = inFolder(base, decoded(literal, final))
  if (fileAt(delivery, expected)) return { path: expected, note: null }
  for (const other of [literal, decoded(literal, true), literal.trimEnd()]) {
    const path = inFolder(base, other)
    if (fileAt(delivery, path)) return { path, note: final ? 'with its percent signs or spaces written in another way' : null }
  }
  const [form, ...otherForms] = spellings(delivery).sameForm(expected)
  if (form !== undefined && otherForms.length === 0) return { path: form, note: 'in another Unicode normal form' }
  const [letters, ...otherLetters] = spellings(delivery).sameLetters(expected)
  if (letters !== undefined && otherLetters.length === 0) return { path: letters, note: 'in other upper or lower case' }
  const plain = safePath(fullyDecoded(literal), base)
  if ('path' in plain && fileAt(delivery, plain.path)) return { path: plain.path, note: 'without percent-encoding' }
  return { path: expected, note: null }
}
