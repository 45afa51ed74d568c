import type { RepeatedGrams } from '../repeated-grams.ts'
import { findGram } from './gram-table.ts'
import { eachGram, eachShape } from './grams.ts'
import type { Passage } from './passages.ts'

/** A style that goes with a label: features and their weights, and the score above which a record of the label has it. */
export interface StyleModel {
  readonly label: number
  /** Ascending, with `weights` beside them; hash ^ kind. */
  readonly features: Int32Array
  readonly weights: Float32Array
  readonly threshold: number
  /** Records from which it was learnt: they carry suspicious phrases and contradict their label. */
  readonly seeds: number
  /** Share of records of other labels above the threshold. */
  readonly expected: number
}

const leastSeeds = 8
const leastCount = 3
const strongest = 10
const control = 0.99
/** A style is one where records of the label have it so many times as often as others. */
const clearly = 4

/** Shapes, phrases of common tokens alone, and `also`: each once. */
export function styleFeatures(tokens: Int32Array, common: ReadonlySet<number>, also: ReadonlySet<number>): Set<number> {
  const out = new Set<number>()
  eachShape(tokens, Math.min(tokens.length, 512), common, (hash, kind) => out.add(hash ^ kind))
  let plain = 0
  eachGram(tokens, Math.min(tokens.length, 512), 4, (hash, kind, _, to) => {
    // Every token of a phrase is the last of one that began before: one look at each is enough.
    if (kind === 1) plain = common.has(tokens[to - 1] as number) ? 1 : 0
    else if (!common.has(tokens[to - 1] as number)) plain = 0
    if (plain === 1 || also.has(hash ^ kind)) out.add(hash ^ kind)
  })
  return out
}

export function scoreOfStyle(model: StyleModel, features: ReadonlySet<number>): number {
  const values: number[] = []
  for (const f of features) {
    let [low, high] = [0, model.features.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((model.features[middle] as number) < f) low = middle + 1
      else high = middle
    }
    if (model.features[low] === f) values.push(model.weights[low] as number)
  }
  values.sort((a, b) => Math.abs(b) - Math.abs(a) || a - b)
  return values.slice(0, strongest).reduce((a, b) => a + b, 0)
}

/** Naive Bayes of style, seeds against the records of all other labels, which are also its control group. Null with too few seeds. */
export function styleModel(
  grams: RepeatedGrams,
  label: number,
  seeds: readonly Passage[],
  uniform: readonly Passage[],
  common: ReadonlySet<number>,
  also: ReadonlyMap<number, { readonly hash: number; readonly kind: number }>,
): StyleModel | null {
  if (seeds.length < leastSeeds) return null
  const counts = new Map<number, number>()
  const suspicious = new Set(also.keys())
  for (const p of seeds) for (const f of styleFeatures(p.tokens, common, suspicious)) counts.set(f, (counts.get(f) ?? 0) + 1)
  const places = new Map<number, number>()
  grams.hashes.forEach((hash, place) => {
    const f = hash ^ (grams.kinds[place] as number)
    if (counts.has(f)) places.set(f, place)
  })
  for (const [f, { hash, kind }] of also) places.set(f, findGram(grams, hash, kind))
  const others = grams.recordsByLabel.reduce((sum, n, l) => (l === label ? sum : sum + n), 0)
  const weights = new Map<number, number>()
  for (const [f, n] of counts) {
    const place = places.get(f) ?? -1
    if (n < leastCount || place < 0) continue
    let negative = 0
    for (let l = 0; l < grams.classes; l++) if (l !== label) negative += grams.byLabel[place * grams.classes + l] as number
    weights.set(f, Math.log((n + 0.5) / (seeds.length + 1)) - Math.log((negative + 0.5) / (others + 1)))
  }
  const features = Int32Array.from(weights.keys()).sort()
  const model = {
    label,
    features,
    weights: Float32Array.from(features, (f) => weights.get(f) as number),
    threshold: 0,
    seeds: seeds.length,
    expected: 1 - control,
  }
  const controls = uniform
    .filter((p) => p.label >= 0 && p.label !== label)
    .map((p) => scoreOfStyle(model, styleFeatures(p.tokens, common, suspicious)))
    .sort((a, b) => a - b)
  if (controls.length < 200) return null
  const fit = { ...model, threshold: Math.max(0, controls[Math.floor(controls.length * control)] as number) }
  const own = uniform.filter((p) => p.label === label)
  const styled = own.filter((p) => scoreOfStyle(fit, styleFeatures(p.tokens, common, suspicious)) > fit.threshold).length
  return styled >= clearly * fit.expected * own.length ? fit : null
}
