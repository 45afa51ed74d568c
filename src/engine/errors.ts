import { AssayError } from '../contracts/errors.ts'

export type EngineErrorCode =
  | 'run-directory-used'
  | 'run-directory-other-plan'
  | 'run-directory-missing'
  | 'input-changed'
  | 'step-missing'
  | 'state-mismatch'
  | 'state-unreadable'
  | 'bad-option'
  | 'unknown-detector'
  | 'interrupted'
  | 'row-count'

export class EngineError extends AssayError<EngineErrorCode> {}
