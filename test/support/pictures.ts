import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { keyed } from '../../src/math/rng.ts'
import type { Pictures } from './attacks.ts'

/** Classes of smooth pictures: waves whose direction is the class, of random phase and strength, in some noise. */
export function waves(name: string, rows: number, classes: number, side: number, channels: 1 | 3 = 1): Pictures {
  const random = keyed(new Uint8Array(16), name)
  const labels = Int32Array.from({ length: rows }, () => random.below(classes))
  const pixels = new Uint8Array(rows * side * side * channels)
  for (let r = 0; r < rows; r++) {
    const angle = (Math.PI * (labels[r] as number)) / classes + 0.2 * random.normal()
    const [phase, strength, length] = [2 * Math.PI * random.uniform(), 30 + 40 * random.uniform(), side * (0.4 + 0.4 * random.uniform())]
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const wave = Math.sin(phase + (2 * Math.PI * (x * Math.cos(angle) + y * Math.sin(angle))) / length)
        for (let c = 0; c < channels; c++) {
          const value = 128 + strength * wave * (1 - 0.2 * c) + 6 * random.normal()
          pixels[((r * side + y) * side + x) * channels + c] = Math.min(255, Math.max(0, Math.round(value)))
        }
      }
  }
  return { pixels, labels, height: side, width: side, channels }
}

/** Pictures of two classes, dark and bright, each of the same twelve textures in amounts of its own, which share every frequency. */
export function textures(name: string, rows: number, side: number): Pictures {
  const random = keyed(new Uint8Array(16), name)
  const size = side * side
  const parts = Array.from({ length: 12 }, () => Float64Array.from({ length: size }, () => random.normal()))
  const labels = Int32Array.from({ length: rows }, () => random.below(2))
  const pixels = new Uint8Array(rows * size)
  for (let r = 0; r < rows; r++) {
    const amounts = parts.map(() => 8 * random.normal())
    for (let i = 0; i < size; i++) {
      const texture = parts.reduce((sum, part, k) => sum + (amounts[k] as number) * (part[i] as number), 0)
      pixels[r * size + i] = Math.min(255, Math.max(0, Math.round(100 + 50 * (labels[r] as number) + texture + 2 * random.normal())))
    }
  }
  return { pixels, labels, height: side, width: side, channels: 1 }
}

export function pictureBatches({ pixels, labels, height, width, channels }: Pictures, labelled = true, size = 500): Batch[] {
  const each = height * width * channels
  const values = Array.from({ length: Math.max(...labels) + 1 }, (_, c) => `class ${c}`)
  const out: Batch[] = []
  for (let from = 0; from < labels.length; from += size) {
    const rows = Math.min(size, labels.length - from)
    out.push(
      makeBatch({
        row: Uint32Array.from({ length: rows }, (_, i) => from + i),
        id: Array.from({ length: rows }, (_, i) => `image ${from + i}`),
        ...(labelled ? { label: { codes: labels.slice(from, from + rows), values } } : {}),
        pixels: { data: pixels.slice(from * each, (from + rows) * each), rows, height, width, channels },
      }),
    )
  }
  return out
}
