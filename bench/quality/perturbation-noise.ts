import { readFileSync } from 'node:fs'
import { makeBatch } from '../../src/contracts/batch.ts'
import { noiseParts } from '../../src/contracts/noise.ts'
import { perturbationNoise } from '../../src/detectors/perturbation-noise.ts'
import { openFeatures } from '../../src/features/open.ts'
import { keyed } from '../../src/math/rng.ts'
import { fitDetector, seed } from '../../test/support/fit-detector.ts'

/**
 * AUROC, recall at .5 % false alarms, the group test and what is flagged, for arrays that were poisoned elsewhere:
 * `node --import tsx bench/quality/perturbation-noise.ts HEIGHT WIDTH CHANNELS STEM...`, where STEM-x.npy are N x H x W (x C) bytes, STEM-p.npy marks
 * the poisoned ones, STEM-s.npy names their sources (both optional). Clean stems are also cut to 50 random halves, which counts false alarms.
 */
const [height, width, channels, ...stems] = process.argv.slice(2)
const shape = { height: Number(height), width: Number(width), channels: Number(channels) as 1 | 3 }
const body = (file: string): Uint8Array | null => {
  try {
    const bytes = readFileSync(file)
    return bytes.subarray(10 + bytes.readUInt16LE(8))
  } catch {
    return null
  }
}

for (const stem of stems) {
  const data = body(`${stem}-x.npy`) as Uint8Array
  const poisoned = body(`${stem}-p.npy`)
  const sources = body(`${stem}-s.npy`)
  const size = shape.height * shape.width * shape.channels
  const rows = data.length / size
  const pixels = { ...shape, noise: true, description: '' }
  const features = await openFeatures(null, seed, () => {}, undefined, pixels)
  const all = await features.apply(
    makeBatch({ row: Uint32Array.from({ length: rows }, (_, i) => i), image: { data, rows, dims: size, ...shape } }),
  )
  const noise = (all.getChild('noise' as never)?.data[0]?.children[0]?.values ?? new Float32Array()) as Float32Array
  const take = (which: readonly number[]) =>
    makeBatch({
      row: Uint32Array.from(which),
      ...(sources
        ? { source: { codes: Int32Array.from(which, (i) => sources[i] as number), values: Array.from({ length: 256 }, (_, i) => `s${i}`) } }
        : {}),
      noise: {
        data: Float32Array.from(which.flatMap((i) => [...noise.subarray(i * noiseParts.length, (i + 1) * noiseParts.length)])),
        rows: which.length,
        dims: noiseParts.length,
      },
      pixels: { data: Uint8Array.from({ length: which.length * size }), rows: which.length, ...shape },
    })
  const setup = {
    subject: sources ? (['noise', 'pixels', 'source'] as const) : (['noise', 'pixels'] as const),
    reference: null,
    classes: null,
    shape: { rows, dims: 0, classes: 0, sources: 0, pixels: shape },
  }
  const everything = Array.from({ length: rows }, (_, i) => i)
  const { scored, flagged, conclusion } = await fitDetector(perturbationNoise, {}, setup, [take(everything)])
  const z = Array.from((scored[0] as unknown as { z: Float64Array }).z)
  const smallest = Math.min(...conclusion.tests.map((t) => t.p))
  const of = `smallest p ${smallest.toExponential(1)} of ${conclusion.tests.length}, flagged ${flagged.filter(Boolean).length} of ${rows}`
  if (poisoned) {
    const bad = everything.filter((i) => poisoned[i] && !Number.isNaN(z[i]))
    const good = everything.filter((i) => !poisoned[i] && !Number.isNaN(z[i]))
    const sorted = good.map((i) => z[i] as number).sort((a, b) => a - b)
    const below = (v: number): number => sorted.filter((s) => s < v).length + sorted.filter((s) => s === v).length / 2
    const auroc = bad.reduce((sum, i) => sum + below(z[i] as number), 0) / (bad.length * good.length)
    const cut = sorted[Math.ceil(0.995 * sorted.length) - 1] as number
    const recall = bad.filter((i) => (z[i] as number) > cut).length / bad.length
    const found = bad.filter((i) => flagged[i]).length / bad.length
    const wrong = good.filter((i) => flagged[i]).length / good.length
    console.log(
      `${stem}: AUROC ${auroc.toFixed(3)}, recall at .5 % ${recall.toFixed(2)}; ${of}; recall ${found.toFixed(2)}, false ${(100 * wrong).toFixed(2)} %`,
    )
    continue
  }
  let alarms = 0
  let most = 0
  for (let s = 0; s < 50; s++) {
    const half = [...keyed(seed, `half ${s}`).permutation(rows)].slice(0, rows >> 1)
    const part = await fitDetector(perturbationNoise, {}, setup, [take(half)])
    alarms += Number(part.conclusion.findings.length > 0)
    most = Math.max(most, part.flagged.filter(Boolean).length / half.length)
  }
  console.log(`${stem}: clean, ${of}; halves with a finding ${alarms} of 50, flagged at most ${(100 * most).toFixed(2)} %`)
}
