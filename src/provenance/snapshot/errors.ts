import { AssayError, type FailureExit, type Place } from '../../contracts/errors.ts'

export type SnapshotErrorCode =
  | 'snapshot-exists'
  | 'not-a-snapshot'
  | 'snapshot-damaged'
  | 'snapshots-differ'
  | 'chain-broken'
  | 'invalid-schema'
  | 'too-many-names'
  | 'unusable-key'
  | 'nothing-read'

const usage: ReadonlySet<SnapshotErrorCode> = new Set([
  'snapshot-exists',
  'not-a-snapshot',
  'snapshots-differ',
  'invalid-schema',
  'unusable-key',
])

/** Exit 4 where the request cannot be met as it is written, 2 where a snapshot cannot be relied on. */
export class SnapshotError extends AssayError<SnapshotErrorCode> {
  constructor(code: SnapshotErrorCode, message: string, place: Place = {}, hint?: string, exit?: FailureExit) {
    super(code, message, exit ?? (usage.has(code) ? 4 : 2), place, hint)
  }
}

export const damaged = (file: string, what: string): SnapshotError =>
  new SnapshotError('snapshot-damaged', `${file}: ${what}`, { file }, 'take it from a backup, or make the snapshot again from the data')
