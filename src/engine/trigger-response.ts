import { basename } from 'node:path'
import { type BaseModelSpec, minCleanPictures } from '../contracts/base-model.ts'
import type { ShardSpec } from '../contracts/data.ts'
import type { Conclusion } from '../contracts/detector.ts'
import type { Evidence } from '../contracts/finding.ts'
import type { RecoveredTrigger } from '../contracts/trigger.ts'
import type { RawImage } from '../features/decode.ts'
import { FeatureError } from '../features/errors.ts'
import type { ModelLimits } from '../features/model-limits.ts'
import { openPictureModel, type PictureModel } from '../features/picture-model.ts'
import { pictureOf } from '../math/picture.ts'
import { boxed, controlsOf, stamped, stampFor } from '../math/trigger-controls.ts'
import { plural } from '../report/format.ts'
import { type CleanPicture, type CleanSample, readPictures } from './clean-sample.ts'
import { sha256File } from './files.ts'
import { answersTo, byClass, byCollapse, byNearestMean, gainingClass, type Reading } from './model-answers.ts'
import type { NamedTrigger } from './plan-base-model.ts'
import { judgeResponse, type Response, type Variant } from './response-finding.ts'

/** More triggers are counted and left out: each costs up to ten runs of the model over all pictures. */
export const maxTriggers = 8
/** Of each label, for the means of an embedding. */
const meanPictures = 40
const maxMeanPictures = 400
const shownPictures = 6

export interface Asked {
  readonly spec: BaseModelSpec
  readonly triggers: readonly NamedTrigger[]
  readonly sample: CleanSample
  readonly shards: readonly ShardSpec[]
  readonly seed: Uint8Array
  readonly limits: ModelLimits
  readonly progress: (done: number, total: number) => void
}

/** Null findings are told as notes; `tested` is how many triggers could be tested. */
export interface ResponseResult extends Conclusion {
  readonly tested: number
}

/**
 * Stamps each trigger on clean pictures of other labels and counts how often the model's answer turns to the trigger's label, against the
 * same pictures without it and with at least five controls on them.
 *
 * @throws FeatureError for a model that is refused, breaks, or goes beyond its limits
 */
export async function askModel(asked: Asked): Promise<ResponseResult> {
  const { spec, sample, limits } = asked
  const model = await openPictureModel(spec, limits)
  try {
    if (spec.classes !== null && spec.classes.length !== model.dims)
      throw new FeatureError(
        'model-options',
        `${basename(spec.model)} gives ${model.dims} values a picture, and base-model.classes names ${spec.classes.length}`,
        { file: spec.model },
        'name all its classes in order, or none where it gives an embedding',
      )
    const judged = { name: basename(spec.model), sha256: await sha256File(spec.model) }
    const triggers = asked.triggers.slice(0, maxTriggers).map(({ trigger, from }) => ({ trigger: boxed(trigger), from }))
    const left = asked.triggers.length - triggers.length
    const notes = left > 0 ? [`${plural(left, 'more trigger')} left out: at most ${maxTriggers} are stamped on.`] : []
    const results: ReturnType<typeof judgeResponse>[] = []
    const known = spec.classes === null ? await readPictures(asked.shards, meansSample(sample)) : []
    const knownAnswers = await answersTo(model, known, (p) => p)
    for (const [i, named] of triggers.entries()) {
      asked.progress(i, triggers.length)
      const reason = await respond(asked, model, named, i + 1, { known, knownAnswers })
      if (typeof reason === 'string') notes.push(`Trigger ${i + 1} (from ${named.from}) was not tested: ${reason}.`)
      else {
        const same = triggers.filter((t) => t.trigger.target === named.trigger.target).length > 1
        results.push(judgeResponse(reason, judged, i + 1, same))
      }
    }
    asked.progress(triggers.length, triggers.length)
    return {
      findings: results.flatMap((r) => (r.finding ? [r.finding] : [])),
      tests: results.map((r) => r.test),
      notes: [`Model ${judged.name}, SHA-256 ${judged.sha256}.`, ...results.map((r) => r.note), ...notes],
      tested: results.length,
    }
  } finally {
    await model.close()
  }
}

const meansSample = (sample: CleanSample) => {
  const names = sample.labels()
  const each = Math.min(meanPictures, Math.max(1, Math.floor(maxMeanPictures / Math.max(1, names.length))))
  return names.flatMap((name) => sample.take(each, (label) => label === name))
}

interface Known {
  readonly known: readonly CleanPicture[]
  readonly knownAnswers: Float32Array
}

/** The response, or why there is none. */
async function respond(asked: Asked, model: PictureModel, named: NamedTrigger, ordinal: number, k: Known): Promise<Response | string> {
  const { spec, sample, shards, seed } = asked
  const { trigger, from } = named
  if (spec.classes !== null && trigger.target !== null && !spec.classes.includes(trigger.target))
    return `the model has no class ${trigger.target}`
  const used = new Set(k.known.map((p) => `${p.shard} ${p.row}`))
  const rows = sample.take(spec.samples + used.size, (label) => label !== trigger.target || trigger.target === null)
  const fresh = rows.filter((c) => !used.has(`${c.shard} ${c.row}`)).slice(0, spec.samples)
  const pictures = await readPictures(shards, fresh)
  if (pictures.length < minCleanPictures)
    return `there are ${plural(pictures.length, 'clean picture')}${trigger.target === null ? '' : ' of other labels'}, and ${minCleanPictures} are needed`
  const stamps = [{ name: 'the trigger', kind: 'trigger' as const, trigger }, ...controlsOf(trigger, meanColour(pictures), seed)]
  const before = await answersTo(model, pictures, (p) => p)
  const after: Float32Array[] = []
  for (const s of stamps) after.push(await answersTo(model, pictures, stamper(s.trigger)))
  const read = readingOf(spec, model.dims, named, k, before, after)
  const counted = (i: number): boolean => !read.held || i % 2 === 1
  const hits = (answers: Float32Array): number => read.reading.judge(answers).filter((hit, i) => hit && counted(i)).length
  const variants: Variant[] = [
    { name: 'nothing', kind: 'none', hits: hits(before) },
    ...stamps.map(({ name, kind }, i) => ({ name, kind, hits: hits(after[i] as Float32Array) })),
  ]
  return {
    trigger,
    from,
    measure: read.reading.measure,
    target: read.reading.target,
    pictures: pictures.filter((_, i) => counted(i)).length,
    variants,
    shown: beforeAndAfter(pictures, trigger, ordinal),
  }
}

/** `held`: something was chosen on the pictures of even position, and only the others count. */
function readingOf(
  spec: BaseModelSpec,
  dims: number,
  { trigger }: NamedTrigger,
  { known, knownAnswers }: Known,
  before: Float32Array,
  after: readonly Float32Array[],
): { readonly reading: Reading; readonly held: boolean } {
  const [own, ...others] = after as [Float32Array, ...Float32Array[]]
  if (spec.classes !== null)
    return trigger.target === null
      ? { reading: byClass(spec.classes, gainingClass(spec.classes, before, own)), held: true }
      : { reading: byClass(spec.classes, trigger.target), held: false }
  const labels = known.map((p) => p.label)
  const nearest = trigger.target === null ? null : byNearestMean(knownAnswers, dims, labels, trigger.target)
  return nearest ? { reading: nearest, held: false } : { reading: byCollapse(before, others, dims), held: true }
}

/** Stamps for the sizes of picture that come by, each made once. */
function stamper(trigger: RecoveredTrigger): (picture: RawImage) => RawImage {
  const made = new Map<string, ReturnType<typeof stampFor>>()
  return (picture) => {
    const key = `${picture.height} ${picture.width}`
    let stamp = made.get(key)
    if (!stamp) {
      if (made.size >= 16) made.clear()
      stamp = stampFor(trigger, picture.height, picture.width)
      made.set(key, stamp)
    }
    return { ...picture, data: stamped(picture.data, stamp) }
  }
}

/** Red, green and blue of all pictures on average, each picture weighing the same. */
function meanColour(pictures: readonly CleanPicture[]): readonly [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0]
  for (const { picture } of pictures) {
    const { data } = picture
    const own: [number, number, number] = [0, 0, 0]
    for (let i = 0; i < data.length; i += 3) for (let c = 0; c < 3; c++) own[c] = (own[c] as number) + (data[i + c] as number)
    for (let c = 0; c < 3; c++) sums[c] = (sums[c] as number) + ((own[c] as number) * 3) / data.length
  }
  return sums.map((s) => s / pictures.length) as [number, number, number]
}

function beforeAndAfter(pictures: readonly CleanPicture[], trigger: RecoveredTrigger, ordinal: number): Evidence {
  const stamp = stamper(trigger)
  const shown = pictures.slice(0, shownPictures)
  const name = (p: CleanPicture): string => (p.label === null ? `row ${p.row}` : `row ${p.row}, ${p.label}`)
  const picture = (caption: string, { data, height, width }: RawImage, outline: RecoveredTrigger['box'] | null) =>
    pictureOf({ caption, data, height, width, channels: 3, outline })
  return {
    kind: 'pictures',
    title: `Clean pictures before and after trigger ${ordinal} was stamped on`,
    ofRecords: true,
    items: shown.flatMap((p) => [
      picture(name(p), p.picture, null),
      picture(`${name(p)}, stamped`, stamp(p.picture), scaled(trigger, p.picture)),
    ]),
  }
}

function scaled(t: RecoveredTrigger, { height, width }: RawImage): RecoveredTrigger['box'] {
  const [left, top, w, h] = t.box
  const [across, down] = [width / t.width, height / t.height]
  return [Math.floor(left * across), Math.floor(top * down), Math.max(1, Math.round(w * across)), Math.max(1, Math.round(h * down))]
}
