import { AssayError } from '../contracts/errors.ts'

export type MathErrorCode = 'kernel-unavailable' | 'kernel-failed' | 'not-positive-definite' | 'bad-shape' | 'out-of-domain'

/** Exit 2: the audit cannot be completed. Wrong shapes and domains are faults of the caller, not of the data. */
export class MathError extends AssayError<MathErrorCode> {
  constructor(code: MathErrorCode, message: string, hint?: string) {
    super(code, message, 2, {}, hint)
  }
}

export function requireLength(name: string, actual: number, expected: number): void {
  if (actual !== expected) throw new MathError('bad-shape', `${name} holds ${actual} values where ${expected} were expected`)
}
