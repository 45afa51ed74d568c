// embedding.ts SETS ATTACKS SEEDS ROWS RATE [PYTHON]: the detectors in embedding space on pixels of poisoned and clean pictures, one JSON line a
// run and a table of means at the end. With PYTHON, activation clustering and spectral signatures of adversarial-robustness-toolbox
// on the same features. `clean` among the attacks plants nothing.
// The toolbox: pip install -r bench/quality/requirements-embedding.txt.
//   ASSAY_DATA=... node --import tsx bench/quality/embedding.ts fashion,pneumonia clean,patch,flood 3 5000 .01 .cache/venv/bin/python
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from '../../src/contracts/data.ts'
import type { Detector } from '../../src/contracts/detector.ts'
import { embeddingCluster } from '../../src/detectors/embedding-cluster.ts'
import { embeddingOutlier } from '../../src/detectors/embedding-outlier.ts'
import { spectral } from '../../src/detectors/spectral.ts'
import { setKernelThreads } from '../../src/math/kernels.ts'
import { fitDetector } from '../../test/support/fit-detector.ts'
import { type Attack, embedded, type Poisoned, poison, subset } from '../../test/support/image-poison.ts'
import { pictureSets } from './embedding-data.ts'

const [sets = '', kinds = '', seeds = '1', rows = '5000', rate = '.01', python = null] = process.argv.slice(2)
setKernelThreads(2)

/** Area under the ROC curve; ties count half. */
function auroc(score: readonly number[], truth: Uint8Array): number {
  const order = score.map((v, i) => [v, truth[i] as number] as const).filter(([v]) => !Number.isNaN(v))
  order.sort((a, b) => a[0] - b[0])
  let ranks = 0
  let positives = 0
  for (let i = 0; i < order.length; ) {
    let j = i
    while (j < order.length && order[j]?.[0] === order[i]?.[0]) j++
    for (let t = i; t < j; t++)
      if (order[t]?.[1]) {
        ranks += (i + 1 + j) / 2
        positives++
      }
    i = j
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (order.length - positives))
}

/** Share of the planted records above the score that .5 % of the others exceed. */
function truePositives(score: readonly number[], truth: Uint8Array): number {
  const others = score.filter((v, i) => !truth[i] && !Number.isNaN(v)).sort((a, b) => b - a)
  const limit = others[Math.floor(0.005 * others.length)] as number
  const planted = score.filter((_, i) => truth[i])
  return planted.filter((v) => v > limit).length / planted.length
}

interface Quality {
  readonly auroc: number | null
  readonly tpr: number | null
  readonly recall: number | null
  readonly flagged: number
  /** Smallest p of a class test after Bonferroni over the classes; null where there is none. */
  readonly p: number | null
}

function quality(score: readonly number[], flags: readonly boolean[], truth: Uint8Array, p: number | null): Quality {
  const planted = truth.reduce((sum, v) => sum + v, 0)
  const clean = flags.filter((f, i) => f && !truth[i]).length / (truth.length - planted)
  if (planted === 0) return { auroc: null, tpr: null, recall: null, flagged: clean, p }
  return {
    auroc: auroc(score, truth),
    tpr: truePositives(score, truth),
    recall: flags.filter((f, i) => f && truth[i]).length / planted,
    flagged: clean,
    p,
  }
}

const detectors: readonly Detector[] = [embeddingCluster, embeddingOutlier, spectral]

async function ours(data: Poisoned): Promise<Record<string, Quality>> {
  const setup = {
    subject: ['label', 'embedding'] as Role[],
    reference: null,
    classes: null,
    shape: { rows: data.labels.length, dims: data.side ** 2, classes: 0, sources: 0 },
  }
  const out: Record<string, Quality> = {}
  const any = new Uint8Array(data.labels.length)
  const summaries = new Map<string, unknown>()
  const batches = embedded(data)
  for (const detector of detectors) {
    const { scores, flagged, conclusion } = await fitDetector(detector, {}, setup, batches, [], summaries)
    flagged.forEach((f, i) => {
      if (f) any[i] = 1
    })
    const p = conclusion.tests.length > 0 ? Math.min(1, Math.min(...conclusion.tests.map((t) => t.p)) * conclusion.tests.length) : null
    out[detector.id] = quality(scores, flagged, data.truth, p)
  }
  out.together = quality([...any], [...any].map(Boolean), data.truth, null)
  return out
}

function peer(data: Poisoned, command: string): Record<string, Quality> {
  const folder = mkdtempSync(join(tmpdir(), 'embedding-'))
  try {
    writeFileSync(join(folder, 'pixels'), data.pixels)
    writeFileSync(join(folder, 'labels'), Uint8Array.from(data.labels))
    execFileSync(command, [new URL('./embedding_peer.py', import.meta.url).pathname, folder, String(data.side), rate], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const found = JSON.parse(readFileSync(join(folder, 'scores.json'), 'utf8')) as Record<string, { score: number[]; flags: number[] }>
    return Object.fromEntries(
      Object.entries(found).map(([name, { score, flags }]) => [name, quality(score, flags.map(Boolean), data.truth, null)]),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const results = new Map<string, Quality[]>()
for (const set of sets.split(',')) {
  const all = pictureSets[set]?.()
  if (!all) throw new Error(`no set ${set}`)
  for (const kind of kinds.split(',')) {
    for (let seed = 0; seed < Number(seeds); seed++) {
      const clean = subset(all, Number(rows), String(seed))
      const data =
        kind === 'clean'
          ? { ...clean, truth: new Uint8Array(clean.labels.length) }
          : poison(clean, kind as Attack, Number(rate), seed % clean.classes, String(seed))
      const found = { ...(await ours(data)), ...(python ? peer(data, python) : {}) }
      console.log(JSON.stringify({ set, kind, seed, found }))
      for (const [name, q] of Object.entries(found)) {
        const key = `${set} | ${kind} | ${name}`
        results.set(key, [...(results.get(key) ?? []), q])
      }
    }
  }
}

const mean = (list: readonly (number | null)[]): string =>
  list.some((v) => v === null) ? '' : (list.reduce<number>((sum, v) => sum + (v as number), 0) / list.length).toFixed(3)
console.log('\n| set | attack | detector | AUROC | TPR at .5 % FPR | recall as shipped | clean records flagged | smallest corrected p |')
console.log('|---|---|---|---|---|---|---|---|')
for (const [key, list] of results) {
  const of = (name: keyof Quality) => mean(list.map((q) => q[name]))
  const flagged = `${((100 * list.reduce((sum, q) => sum + q.flagged, 0)) / list.length).toFixed(2)} %`
  const p = list.some((q) => q.p === null) ? '' : Math.min(...list.map((q) => q.p as number)).toPrecision(2)
  console.log(`| ${key} | ${of('auroc')} | ${of('tpr')} | ${of('recall')} | ${flagged} | ${p} |`)
}
