import { AssayError, type FailureExit, type Place } from '../contracts/errors.ts'

export type InjectErrorCode =
  | 'unknown-attack'
  | 'bad-option'
  | 'missing-field'
  | 'too-few-records'
  | 'unknown-label'
  | 'occupied'
  | 'unsupported'
  | 'undecodable'
  | 'changed-input'

/** What is asked cannot be done to these data: exit 4 unless said otherwise. */
export class InjectError extends AssayError<InjectErrorCode> {
  constructor(code: InjectErrorCode, message: string, hint?: string, place: Place = {}, exit: FailureExit = 4) {
    super(code, message, exit, place, hint)
  }
}
