import { AssayError, type FailureExit, type Place } from '../contracts/errors.ts'

export type ReportErrorCode =
  | 'unknown-test'
  | 'invalid-test'
  | 'unknown-rule'
  | 'invalid-report'
  | 'unsupported-version'
  | 'no-rule-page'
  | 'unwritable'
  | 'no-browser'
  | 'unprintable'

/** A report that cannot be built, read, explained or written. */
export class ReportError extends AssayError<ReportErrorCode> {
  static of(code: ReportErrorCode, message: string, exit: FailureExit, hint?: string, place: Place = {}): ReportError {
    return new ReportError(code, message, exit, place, hint)
  }
}
