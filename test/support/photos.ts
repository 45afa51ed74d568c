import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch, Column } from '../../src/contracts/data.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { keyed } from '../../src/math/rng.ts'
import { seed } from './fit-detector.ts'

export interface Shot {
  readonly data: Uint8Array
  readonly label?: string | null
  readonly source?: string | null
}

/** A smooth grey picture with some grain, side x side, like a photograph's: other numbers give other pictures. */
export function photo(number: number, side = 24, grain = 4, detail = 10): Uint8Array {
  const random = keyed(seed, `photo ${number}`)
  const waves = Array.from({ length: detail }, (_, k) => ({
    a: random.normal() * (2 + k / 2),
    b: random.normal() * (2 + k / 2),
    phase: 6.3 * random.uniform(),
    height: (30 * random.normal()) / (1 + k / 4),
  }))
  const base = 90 + 70 * random.uniform()
  const out = new Uint8ClampedArray(side * side)
  for (let i = 0; i < out.length; i++) {
    const [x, y] = [(i % side) / side, Math.floor(i / side) / side]
    out[i] = base + waves.reduce((sum, w) => sum + w.height * Math.cos(6.3 * (w.a * x + w.b * y) + w.phase), 0) + grain * random.normal()
  }
  return new Uint8Array(out.buffer)
}

/** The picture with uniform noise of at most `eps` a pixel. */
export function varied(data: Uint8Array, eps: number, name: string): Uint8Array {
  const random = keyed(seed, `varied ${name}`)
  const out = new Uint8ClampedArray(data.length)
  for (let i = 0; i < out.length; i++) out[i] = (data[i] as number) + Math.round((2 * random.uniform() - 1) * eps)
  return new Uint8Array(out.buffer)
}

const codesFor = (values: readonly (string | null | undefined)[]) => {
  const names = [...new Set(values.filter((v) => typeof v === 'string'))].sort()
  return { codes: Int32Array.from(values, (v) => names.indexOf(v ?? '')), values: names }
}

/** Batches of so many records as the engine hands them to detectors. */
export function batchesOf(shots: readonly Shot[], size = 100): Batch[] {
  const side = Math.sqrt(shots[0]?.data.length ?? 0)
  const batches: Batch[] = []
  for (let first = 0; first < shots.length; first += size) {
    const part = shots.slice(first, first + size)
    const data = new Uint8Array(part.length * side * side)
    part.forEach((s, i) => {
      data.set(s.data, i * side * side)
    })
    batches.push(
      makeBatch({
        row: Uint32Array.from(part, (_, i) => first + i),
        id: part.map((_, i) => `r${first + i}`),
        ...(shots.some((s) => s.label !== undefined) ? { label: codesFor(part.map((s) => s.label)) } : {}),
        ...(shots.some((s) => s.source !== undefined) ? { source: codesFor(part.map((s) => s.source)) } : {}),
        pixels: { data, rows: part.length, height: side, width: side, channels: 1 },
      }),
    )
  }
  return batches
}

export const setupFor = (columns: readonly Column[], rows: number, side = 24): Setup => ({
  subject: columns,
  reference: null,
  classes: null,
  shape: { rows, dims: 0, classes: 0, sources: 0, pixels: { height: side, width: side, channels: 1 } },
})
