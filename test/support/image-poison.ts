import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { keyed, type Random } from '../../src/math/rng.ts'

/** Grey pictures, [rows, side, side] in 0..255. */
export interface Pictures {
  readonly pixels: Uint8Array
  readonly labels: Int32Array
  readonly side: number
  readonly classes: number
}

export interface Poisoned extends Pictures {
  /** 1 where the record was planted. */
  readonly truth: Uint8Array
}

export const attacks = ['patch', 'blend', 'flip', 'nudge', 'flood'] as const
export type Attack = (typeof attacks)[number]

/** Attacks whose records keep the label that fits the picture they are made from. */
const cleanLabel: ReadonlySet<Attack> = new Set(['nudge', 'flood'])

const random = (name: string): Random => keyed(new Uint8Array(16), name)

export function subset({ pixels, labels, side, classes }: Pictures, rows: number, name: string): Pictures {
  const order = random(`subset ${name}`).permutation(labels.length).slice(0, rows)
  const size = side * side
  const out = new Uint8Array(order.length * size)
  order.forEach((row, i) => {
    out.set(pixels.subarray(row * size, (row + 1) * size), i * size)
  })
  return { pixels: out, labels: Int32Array.from(order, (row) => labels[row] as number), side, classes }
}

const byte = (v: number): number => Math.max(0, Math.min(255, Math.round(v)))

/**
 * Plants `rate` of all records, at most half of those they are made from:
 * - patch: a 3 x 3 checkerboard in a corner of pictures of other classes, which get the label `target`
 * - blend: a fifth of a noise picture over pictures of other classes, which get the label `target`
 * - flip: pictures of other classes with the label `target`
 * - nudge: pictures of `target` moved two fifths of the way to one picture of another class
 * - flood: one picture of `target` again and again, with noise of three grey levels
 */
export function poison(clean: Pictures, attack: Attack, rate: number, target: number, name: string): Poisoned {
  const draw = random(`poison ${attack} ${target} ${name}`)
  const { side, classes } = clean
  const size = side * side
  const pixels = clean.pixels.slice()
  const labels = clean.labels.slice()
  const truth = new Uint8Array(labels.length)
  const rows = [...clean.labels.keys()]
  const own = rows.filter((i) => clean.labels[i] === target)
  const others = rows.filter((i) => clean.labels[i] !== target)
  const pool = cleanLabel.has(attack) ? own : others
  const order = draw.permutation(pool.length)
  const count = Math.min(Math.round(rate * labels.length), pool.length >> 1)
  const victims = attack === 'nudge' ? others : own
  const model = (victims[draw.below(victims.length)] as number) * size
  const noise = Float64Array.from({ length: size }, () => draw.below(256))
  for (let n = 0; n < count; n++) {
    const row = pool[order[n] as number] as number
    for (let p = 0; p < size; p++) {
      const at = row * size + p
      const v = clean.pixels[at] as number
      if (attack === 'blend') pixels[at] = byte(0.8 * v + 0.2 * (noise[p] as number))
      if (attack === 'nudge') pixels[at] = byte(0.6 * v + 0.4 * (clean.pixels[model + p] as number))
      if (attack === 'flood') pixels[at] = byte((clean.pixels[model + p] as number) + 3 * draw.normal())
    }
    if (attack === 'patch')
      for (let y = 0; y < 3; y++)
        for (let x = 0; x < 3; x++) pixels[row * size + (side - 4 + y) * side + side - 4 + x] = (x + y) % 2 === 0 ? 255 : 0
    if (!cleanLabel.has(attack)) labels[row] = target
    truth[row] = 1
  }
  return { pixels, labels, side, classes, truth }
}

/** Batches with the pictures as embeddings in 0..1, as the default features of pictures of this size are. */
export function embedded({ pixels, labels, side, classes }: Pictures, size = 1000): Batch[] {
  const dims = side * side
  const values = Array.from({ length: classes }, (_, c) => `class ${c}`)
  const out: Batch[] = []
  for (let from = 0; from < labels.length; from += size) {
    const rows = Math.min(size, labels.length - from)
    out.push(
      makeBatch({
        row: Uint32Array.from({ length: rows }, (_, i) => from + i),
        label: { codes: labels.slice(from, from + rows), values },
        embedding: { data: Float32Array.from(pixels.subarray(from * dims, (from + rows) * dims), (v) => v / 255), rows, dims },
      }),
    )
  }
  return out
}
