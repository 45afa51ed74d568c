/** Where in the input something is wrong. Lines, rows and offsets are 1-based, 0-based and in bytes. */
export interface Place {
  readonly file?: string
  readonly line?: number
  readonly column?: string
  readonly row?: number
  readonly offset?: number
}

/** 2 audit incomplete, 3 nothing audited, 4 usage or configuration */
export type FailureExit = 2 | 3 | 4

/** Every error that a user may see: what, where, and what to do. One subclass a domain, with a closed union of codes. */
export class AssayError<Code extends string = string> extends Error {
  constructor(
    readonly code: Code,
    message: string,
    readonly exit: FailureExit,
    readonly place: Place = {},
    readonly hint?: string,
  ) {
    super(message)
    this.name = new.target.name
  }
}
