import { AssayError } from '../contracts/errors.ts'
import { escapeTerminal } from '../report/escape.ts'

/** The command line itself is wrong. Exit 4. */
export class UsageError extends AssayError<'usage'> {
  constructor(message: string, hint?: string) {
    super('usage', message, 4, {}, hint)
  }
}

/** Ctrl-C, as a shell reports it: 128 + SIGINT. */
export const interruptedExit = 130

function placeOf({ place, message }: AssayError): string {
  const parts = [
    place.file !== undefined && !message.includes(place.file) ? place.file : null,
    place.line !== undefined && !message.includes(`:${place.line}:`) ? `line ${place.line}` : null,
    place.row !== undefined ? `row ${place.row}` : null,
    place.column !== undefined ? `column ${place.column}` : null,
    place.offset !== undefined ? `byte ${place.offset}` : null,
  ].filter((part) => part !== null)
  return parts.join(', ')
}

const systemErrors: { readonly [code: string]: string } = {
  ENOSPC: 'no space left on the disk',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOENT: 'no such file or folder',
  EISDIR: 'is a folder',
  ENOTDIR: 'is not a folder',
  EEXIST: 'exists already',
  EMFILE: 'too many open files',
  EDQUOT: 'the disk quota is used up',
}

interface SystemError extends Error {
  readonly code?: string
  readonly syscall?: string
  readonly path?: string
}

const lines = (text: string): readonly string[] => text.split('\n').map(escapeTerminal)

/** What the user sees, and the exit code. Never a stack trace; `debug` gets it where it is a fault of ours. */
export function explainError(
  error: unknown,
  debug: (message: string, fields: object) => void,
): { readonly text: string; readonly exit: number } {
  if (error instanceof AssayError) {
    const [first = '', ...more] = lines(error.message)
    const place = placeOf(error)
    const out = [`assay: ${first}`, ...more.map((line) => `  ${line}`)]
    if (place) out.push(`  in ${escapeTerminal(place)}`)
    if (error.hint) out.push(...lines(error.hint).map((line) => `  hint: ${line}`))
    return { text: `${out.join('\n')}\n`, exit: error.exit }
  }
  const { code, path, message, syscall } = error as SystemError
  const known = code === undefined ? undefined : (systemErrors[code] ?? (syscall ? `the system says ${code}` : undefined))
  if (known) return { text: `assay: ${path ? `${escapeTerminal(path)}: ` : ''}${known}\n`, exit: 2 }
  debug('internal error', { stack: error instanceof Error ? error.stack : String(error) })
  const text = escapeTerminal(String(message ?? error))
  return { text: `assay: internal error: ${text}\n  hint: --log-level debug shows where; please report it\n`, exit: 2 }
}
