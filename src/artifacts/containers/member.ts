import type { Bytes } from '../bytes.ts'

export interface Member {
  readonly name: string
  /** Its bytes are made when they are asked for, and count in the budget. */
  readonly packed: boolean
  /** As the archive states it; unpacked. */
  readonly size: number
  /** The first bytes, unpacked; fewer where they cannot be. */
  head(length: number): Buffer
  /** All bytes, unpacked. @throws {Unreadable} */
  bytes(): Bytes
  /** Told once the content was read as a whole: a checksum that differs, a flag that is not true. */
  readonly note: (() => void) | null
}

/** Why content cannot be had: named in the report. */
export class Unreadable extends Error {
  constructor(
    message: string,
    /** `opaque`: it could be read by others. `damaged`: by nobody. `large`: it was not tried to the end. */
    readonly reason: 'opaque' | 'damaged' | 'large',
  ) {
    super(message)
  }
}

/** Why a name may lead out of the folder that an archive is unpacked in, or deceive a person; null where it does neither. */
export function unsafeName(name: string): string | null {
  if (name === '') return 'is empty'
  if (name.includes('\0')) return 'holds a NUL'
  if (/^(?:[/\\]|[A-Za-z]:[/\\])/.test(name)) return 'is absolute'
  if (name.split(/[/\\]/).includes('..')) return 'leads upward'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0001-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.test(name)) return 'holds invisible characters'
  return null
}
