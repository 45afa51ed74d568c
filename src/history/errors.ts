import { AssayError, type Place } from '../contracts/errors.ts'

export type HistoryErrorCode = 'history-unreadable' | 'history-locked' | 'history-unreachable' | 'history-version' | 'history-unset'

/** The store of past audits. Exit 2: an audit without its history says so, and keeps its own result. */
export class HistoryError extends AssayError<HistoryErrorCode> {
  constructor(code: HistoryErrorCode, message: string, place: Place = {}, hint?: string) {
    super(code, message, code === 'history-unset' ? 4 : 2, place, hint)
  }
}
