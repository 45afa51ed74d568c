import { AssayError, type FailureExit, type Place } from '../contracts/errors.ts'

export type ReviewErrorCode =
  | 'not-a-run'
  | 'bad-decisions'
  | 'bad-request'
  | 'other-report'
  | 'changed-input'
  | 'no-statement'
  | 'nothing-to-do'
  | 'occupied'

/** What a person decided cannot be shown, kept or carried out: exit 4 unless said otherwise. */
export class ReviewError extends AssayError<ReviewErrorCode> {
  constructor(code: ReviewErrorCode, message: string, hint?: string, place: Place = {}, exit: FailureExit = 4) {
    super(code, message, exit, place, hint)
  }
}
