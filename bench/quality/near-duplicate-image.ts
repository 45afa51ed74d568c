import { readFileSync } from 'node:fs'
import { makeBatch } from '../../src/contracts/batch.ts'
import { nearDuplicateImage } from '../../src/detectors/near-duplicate-image.ts'
import { keyed } from '../../src/math/rng.ts'
import { fitDetector, seed } from '../../test/support/fit-detector.ts'

/**
 * False alarms of near-duplicate-image on 50 random subsets of `ROWS` pictures, then floods of 20 and 40 variations (noise of at most 4 levels)
 * and 40 copies with another label, five seeds each:
 * `node --import tsx bench/quality/near-duplicate-image.ts HEIGHT WIDTH CHANNELS ROWS STEM...`, STEM-x.npy bytes N x H x W (x C), STEM-y.npy labels.
 */
const [h, w, c, count, ...stems] = process.argv.slice(2)
const shape = { height: Number(h), width: Number(w), channels: Number(c) as 1 | 3 }
const size = shape.height * shape.width * shape.channels
const body = (file: string): Uint8Array => {
  const bytes = readFileSync(file)
  return bytes.subarray(10 + bytes.readUInt16LE(8))
}
const names = Array.from({ length: 256 }, (_, i) => `${i}`)

for (const stem of stems) {
  const data = body(`${stem}-x.npy`)
  const labels = body(`${stem}-y.npy`)
  const rows = labels.length
  const picture = (i: number): Uint8Array => data.subarray(i * size, (i + 1) * size)
  const run = async (pictures: readonly Uint8Array[], given: readonly number[]) => {
    const all = new Uint8Array(pictures.length * size)
    pictures.forEach((p, i) => {
      all.set(p, i * size)
    })
    const batch = makeBatch({
      row: Uint32Array.from(pictures.keys()),
      label: { codes: Int32Array.from(given), values: names },
      pixels: { data: all, rows: pictures.length, ...shape },
    })
    const setup = {
      subject: ['pixels', 'label'] as const,
      reference: null,
      classes: null,
      shape: { rows, dims: 0, classes: 0, sources: 0, pixels: shape },
    }
    return fitDetector(nearDuplicateImage, {}, setup, [batch])
  }
  const subset = (name: string): number[] => [...keyed(seed, name).permutation(rows)].slice(0, Number(count))
  let alarms = 0
  for (let s = 0; s < 50; s++) {
    const which = subset(`clean ${s}`)
    const { conclusion } = await run(
      which.map(picture),
      which.map((i) => labels[i] as number),
    )
    alarms += Number(conclusion.findings.some((f) => f.severity !== 'review'))
  }
  const found: string[] = []
  for (const copies of [20, 40]) {
    let hits = 0
    let recall = 0
    for (let s = 0; s < 5; s++) {
      const which = subset(`flood ${s}`)
      const random = keyed(seed, `noise ${s}`)
      const original = picture(which[0] as number)
      const more = Array.from({ length: copies }, () => Uint8ClampedArray.from(original, (v) => v + random.below(9) - 4))
      const { conclusion, flagged } = await run(
        [...which.map(picture), ...more.map((m) => new Uint8Array(m.buffer))],
        [...which, ...more.map(() => which[0] as number)].map((i) => labels[i] as number),
      )
      hits += Number(conclusion.findings.some((f) => f.rule === 'near-duplicate-image/flood' && f.severity === 'high'))
      recall += flagged.slice(which.length).filter(Boolean).length / copies / 5
    }
    found.push(`flood of ${copies}: ${hits} of 5, recall ${recall.toFixed(2)}`)
  }
  let hits = 0
  let recall = 0
  for (let s = 0; s < 5; s++) {
    const which = subset(`conflict ${s}`)
    const copied = which.slice(0, 40)
    const other = (i: number): number => (labels[i] as number) + 1
    const { conclusion, flagged } = await run(
      [...which.map(picture), ...copied.map((i) => Uint8Array.from(picture(i), (v) => Math.min(255, v + 6)))],
      [...which.map((i) => labels[i] as number), ...copied.map(other)],
    )
    hits += Number(conclusion.findings.some((f) => f.rule === 'near-duplicate-image/label-conflict'))
    recall += flagged.slice(which.length).filter(Boolean).length / 40 / 5
  }
  console.log(
    `${stem}: subsets with a finding ${alarms} of 50; ${found.join('; ')}; 40 relabelled copies: ${hits} of 5, recall ${recall.toFixed(2)}`,
  )
}
