import type { RecoveredTrigger } from '../contracts/trigger.ts'
import { keyed } from './rng.ts'

/** What a trigger does to pictures of one size: height x width opacities, height x width x 3 colours already times their opacity. */
export interface Stamp {
  readonly height: number
  readonly width: number
  readonly alpha: Float32Array
  readonly paint: Float32Array
}

/** `place`: the same pattern somewhere else. `pattern`: another pattern at the same place. */
export interface Control {
  /** Short enough to stand beside a chart. */
  readonly name: string
  readonly kind: 'place' | 'pattern'
  readonly trigger: RecoveredTrigger
}

const minControls = 5
/** A control whose effect differs from the trigger's by less than this part of its energy is no control. */
const minDifference = 0.3
const changed = 0.02

const colour = (t: RecoveredTrigger, cell: number, c: number): number => t.pattern[t.channels === 3 ? cell * 3 + c : cell] as number

/** Scaled bilinearly from cell centre to cell centre; unchanged where the size is the trigger's own. */
export function stampFor(t: RecoveredTrigger, height: number, width: number): Stamp {
  const alpha = new Float32Array(height * width)
  const paint = new Float32Array(height * width * 3)
  const axis = (i: number, to: number, from: number): readonly [number, number, number] => {
    const at = Math.max(0, Math.min(from - 1, ((i + 0.5) * from) / to - 0.5))
    const low = Math.floor(at)
    return [low, Math.min(from - 1, low + 1), at - low]
  }
  for (let y = 0; y < height; y++) {
    const [y0, y1, fy] = axis(y, height, t.height)
    for (let x = 0; x < width; x++) {
      const [x0, x1, fx] = axis(x, width, t.width)
      const corners = [
        [y0 * t.width + x0, (1 - fy) * (1 - fx)],
        [y0 * t.width + x1, (1 - fy) * fx],
        [y1 * t.width + x0, fy * (1 - fx)],
        [y1 * t.width + x1, fy * fx],
      ] as const
      const cell = y * width + x
      for (const [from, weight] of corners) {
        if (weight === 0) continue
        const a = (t.alpha[from] as number) * weight
        alpha[cell] = (alpha[cell] as number) + a
        for (let c = 0; c < 3; c++) paint[cell * 3 + c] = (paint[cell * 3 + c] as number) + a * colour(t, from, c)
      }
    }
  }
  return { height, width, alpha, paint }
}

/** (1 - alpha) x picture + alpha x pattern, rounded to 8 bits. @param rgb height x width x 3, 0..255 */
export function stamped(rgb: Uint8Array, { alpha, paint }: Stamp): Uint8Array {
  const out = new Uint8Array(rgb.length)
  for (let cell = 0; cell < alpha.length; cell++) {
    const keep = 1 - (alpha[cell] as number)
    for (let i = cell * 3; i < cell * 3 + 3; i++)
      out[i] = Math.max(0, Math.min(255, Math.round(keep * (rgb[i] as number) + (paint[i] as number))))
  }
  return out
}

/** Without what little is left of other pictures outside the box. */
export function boxed(t: RecoveredTrigger): RecoveredTrigger {
  const [left, top, width, height] = t.box
  const inside = (cell: number): boolean => {
    const [y, x] = [Math.floor(cell / t.width), cell % t.width]
    return x >= left && x < left + width && y >= top && y < top + height
  }
  return { ...t, alpha: t.alpha.map((a, cell) => (inside(cell) ? a : 0)) }
}

const modulo = (a: number, n: number): number => ((a % n) + n) % n

/** Every cell of the result is the cell `from(y, x)` of the trigger. */
function moved(t: RecoveredTrigger, from: (y: number, x: number) => readonly [number, number]): RecoveredTrigger {
  const alpha = new Float32Array(t.alpha.length)
  const pattern = new Float32Array(t.pattern.length)
  for (let y = 0; y < t.height; y++)
    for (let x = 0; x < t.width; x++) {
      const [fy, fx] = from(y, x)
      const [to, source] = [y * t.width + x, fy * t.width + fx]
      alpha[to] = t.alpha[source] as number
      for (let c = 0; c < t.channels; c++) pattern[to * t.channels + c] = t.pattern[source * t.channels + c] as number
    }
  return { ...t, alpha, pattern }
}

const rolled = (t: RecoveredTrigger, dy: number, dx: number): RecoveredTrigger =>
  moved(t, (y, x) => [modulo(y - dy, t.height), modulo(x - dx, t.width)])

/** Inside the box alone. */
const within = (t: RecoveredTrigger, from: (v: number, u: number) => readonly [number, number]): RecoveredTrigger => {
  const [left, top, width, height] = t.box
  return moved(t, (y, x) => {
    const [v, u] = [y - top, x - left]
    if (v < 0 || u < 0 || v >= height || u >= width) return [y, x]
    const [fv, fu] = from(v, u)
    return [top + fv, left + fu]
  })
}

const recoloured = (t: RecoveredTrigger, value: (cell: number, c: number) => number): RecoveredTrigger => ({
  ...t,
  pattern: t.pattern.map((_, i) => Math.max(0, Math.min(255, value(Math.floor(i / t.channels), i % t.channels)))),
})

/** Of the effect on a picture that is `neutral` everywhere: the squared difference over the squared effect of the trigger. */
export function differenceOf(t: RecoveredTrigger, other: RecoveredTrigger, neutral: readonly number[]): number {
  let energy = 0
  let difference = 0
  for (let cell = 0; cell < t.alpha.length; cell++)
    for (let c = 0; c < 3; c++) {
      const own = (t.alpha[cell] as number) * (colour(t, cell, c) - (neutral[c] as number))
      const its = (other.alpha[cell] as number) * (colour(other, cell, c) - (neutral[c] as number))
      energy += own * own
      difference += (own - its) ** 2
    }
  return energy > 0 ? difference / energy : 0
}

/**
 * At least five stamps that a model which has learned the trigger, and not merely disturbed pictures, answers less to: the trigger at two
 * other places, and other patterns of the same energy at its place. Left out is what equals the trigger, as a symmetric one mirrored does.
 *
 * @param neutral red, green and blue of the mean clean picture, 0..255: what contrast is measured against
 */
export function controlsOf(t: RecoveredTrigger, neutral: readonly number[], seed: Uint8Array): readonly Control[] {
  const random = keyed(seed, 'trigger-controls')
  const [left, top, width, height] = t.box
  const against = (c: number): number => (t.channels === 3 ? (neutral[c] as number) : neutral.reduce((a, b) => a + b, 0) / neutral.length)
  const value = (cell: number, c: number): number => t.pattern[cell * t.channels + c] as number
  const inked = Uint32Array.from(t.alpha.keys()).filter((cell) => (t.alpha[cell] as number) > changed)
  const order = random.permutation(inked.length)
  const swap = new Map([...inked].map((cell, i) => [cell, inked[order[i] as number] as number]))
  const shuffled = recoloured(t, (cell, c) => value(swap.get(cell) ?? cell, c))
  const noise = (): RecoveredTrigger => {
    const signs = Float32Array.from({ length: t.pattern.length }, () => (random.below(2) === 0 ? -1 : 1))
    return recoloured(t, (cell, c) => against(c) + (signs[cell * t.channels + c] as number) * Math.abs(value(cell, c) - against(c)))
  }
  const across = t.width - 2 * left - width
  const down = t.height - 2 * top - height
  const candidates: Control[] = [
    { name: 'shifted', kind: 'place', trigger: rolled(t, t.height >> 1, t.width >> 1) },
    {
      name: 'other place',
      kind: 'place',
      trigger:
        Math.abs(across) >= width
          ? rolled(t, 0, across)
          : Math.abs(down) >= height
            ? rolled(t, down, 0)
            : rolled(t, 0, Math.ceil(t.width / 3)),
    },
    { name: 'inverted', kind: 'pattern', trigger: recoloured(t, (cell, c) => 2 * against(c) - value(cell, c)) },
    { name: 'mirrored', kind: 'pattern', trigger: within(t, (v, u) => [v, width - 1 - u]) },
    { name: 'upside down', kind: 'pattern', trigger: within(t, (v, u) => [height - 1 - v, u]) },
    ...(t.channels === 3
      ? [{ name: 'other colours', kind: 'pattern' as const, trigger: recoloured(t, (cell, c) => value(cell, (c + 1) % 3)) }]
      : []),
    { name: 'shuffled', kind: 'pattern', trigger: shuffled },
    { name: 'random patch', kind: 'pattern', trigger: noise() },
  ]
  const kept = candidates.filter((control) => differenceOf(t, control.trigger, neutral) >= minDifference)
  for (let i = 2; kept.length < minControls; i++) kept.push({ name: `random patch ${i}`, kind: 'pattern', trigger: noise() })
  return kept
}
