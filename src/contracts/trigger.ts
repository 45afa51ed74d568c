/**
 * A pattern that was put on pictures, as it is recovered from many of them: a stamped picture is
 * (1 - alpha) x picture + alpha x pattern.
 */
export interface RecoveredTrigger {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** height x width, 0..1. */
  readonly alpha: Float32Array
  /** height x width x channels, 0..255; of no meaning where alpha is near 0. */
  readonly pattern: Float32Array
  /** [left, top, width, height] in pixels: the smallest box around what the trigger changes. */
  readonly box: readonly [number, number, number, number]
  /** Label that carriers have; null where there are no labels. */
  readonly target: string | null
}
