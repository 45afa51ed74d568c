import { AssayError, type FailureExit, type Place } from '../contracts/errors.ts'

export type ProvenanceErrorCode =
  | 'not-found'
  | 'not-a-folder'
  | 'unreadable'
  | 'too-large'
  | 'changed'
  | 'hostile'
  | 'unknown-manifest'
  | 'malformed'
  | 'bad-key'
  | 'bad-option'
  | 'exists'
  | 'no-manifest'
  | 'unsupported'
  | 'interrupted'

const exits: Partial<Readonly<Record<ProvenanceErrorCode, FailureExit>>> = {
  'not-found': 4,
  'not-a-folder': 4,
  'unknown-manifest': 4,
  'bad-key': 4,
  'bad-option': 4,
  exists: 4,
  'no-manifest': 3,
}

/** Exit 4 where the request cannot be met as it is written, 3 where there is nothing to verify, 2 where content cannot be read. */
export class ProvenanceError extends AssayError<ProvenanceErrorCode> {
  constructor(code: ProvenanceErrorCode, message: string, place: Place = {}, hint?: string, exit?: FailureExit) {
    super(code, message, exit ?? exits[code] ?? 2, place, hint)
  }
}
