import { AssayError, type FailureExit, type Place } from '../contracts/errors.ts'

export type SourceErrorCode =
  | 'not-found'
  | 'not-a-file'
  | 'unsupported-scheme'
  | 'no-match'
  | 'empty'
  | 'unknown-format'
  | 'unknown-column'
  | 'ambiguous-column'
  | 'no-roles'
  | 'invalid-spec'
  | 'listed-twice'
  | 'mixed-schema'
  | 'unreadable'
  | 'truncated'
  | 'corrupt'
  | 'row-count'
  | 'wrong-type'
  | 'unsupported'
  | 'unsafe'
  | 'too-large'
  | 'expands-too-much'
  | 'no-variable'
  | 'bad-query'
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'changed'

const usage: ReadonlySet<SourceErrorCode> = new Set([
  'not-found',
  'not-a-file',
  'unsupported-scheme',
  'no-match',
  'empty',
  'unknown-column',
  'ambiguous-column',
  'no-roles',
  'invalid-spec',
  'listed-twice',
  'no-variable',
  'bad-query',
  'refused',
])

/** Exit 4 where the request cannot be met as it is written, 2 where the content cannot be read. */
export class SourceError extends AssayError<SourceErrorCode> {
  constructor(code: SourceErrorCode, message: string, place: Place = {}, hint?: string, exit?: FailureExit) {
    super(code, message, exit ?? (usage.has(code) ? 4 : 2), place, hint)
  }
}

/** A SourceError as plain data: what a shard carries whose file could not be listed. */
export interface Failure {
  readonly code: SourceErrorCode
  readonly message: string
  readonly exit: FailureExit
  readonly place: Place
  readonly hint: string | null
}

export const toFailure = (e: SourceError): Failure => ({
  code: e.code,
  message: e.message,
  exit: e.exit,
  place: { ...e.place },
  hint: e.hint ?? null,
})

export const fromFailure = (f: Failure): SourceError => new SourceError(f.code, f.message, f.place, f.hint ?? undefined, f.exit)

/** Only the first line, without paths of our own code, bounded: the message of a library's error. */
export const reasonOf = (cause: unknown): string => {
  if (cause instanceof TypeError || cause instanceof RangeError) return 'its parts contradict each other'
  const text = cause instanceof Error ? cause.message : String(cause)
  const line = text.split('\n', 1)[0]?.trim() ?? ''
  return line.length > 200 ? `${line.slice(0, 200)}...` : line || 'no reason given'
}

/** Node's file errors and everything that a library throws on damaged input, as a SourceError; a SourceError passes. */
export function asSourceError(cause: unknown, file: string, what: string): SourceError {
  if (cause instanceof SourceError) return cause
  const code = (cause as { code?: unknown } | null)?.code
  if (code === 'ENOENT') return new SourceError('not-found', `${file}: no such file or folder`, { file })
  if (code === 'EACCES' || code === 'EPERM') return new SourceError('unreadable', `${file}: permission denied`, { file })
  if (code === 'EMFILE' || code === 'ENFILE') return new SourceError('unreadable', `${file}: too many open files`, { file })
  return new SourceError('corrupt', `${file}: ${what}: ${reasonOf(cause)}`, { file }, 'fetch or write the file again')
}

/** The same error with paths below `root`, which ends in a separator, as they are relative to it: reports name no machine. */
export const relativeTo = (e: SourceError, root: string): SourceError => (root.length < 2 ? e : renamed(e, root, ''))

/** The same error with `name` in the place of `path`, or of its beginning. */
export function renamed(e: SourceError, path: string, name: string): SourceError {
  if (!(e.message.includes(path) || e.place.file?.startsWith(path) || e.hint?.includes(path))) return e
  const { file } = e.place
  const place = file?.startsWith(path) ? { ...e.place, file: name + file.slice(path.length) } : e.place
  return new SourceError(e.code, e.message.replaceAll(path, name), place, e.hint?.replaceAll(path, name), e.exit)
}
