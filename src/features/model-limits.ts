import { totalmem } from 'node:os'

/** What a user's model may cost. It runs in a process of its own, which is ended when it goes beyond. */
export interface ModelLimits {
  /** Model file and its external data together. */
  readonly maxModelBytes: number
  readonly maxOperators: number
  /** Resident memory of the model's process. */
  readonly maxMemoryBytes: number
  /** To check, load and optimise the model and run it once. */
  readonly openTimeoutMs: number
  readonly batchTimeoutMs: number
}

export const modelLimits: ModelLimits = {
  maxModelBytes: 2 ** 30,
  maxOperators: 50_000,
  maxMemoryBytes: Math.min(4 * 2 ** 30, totalmem() / 2),
  openTimeoutMs: 120_000,
  batchTimeoutMs: 120_000,
}
