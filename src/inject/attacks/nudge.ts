import { z } from 'zod'
import { defineAttack, type Raster, type Where } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { knownLabel, number, oneOf, words } from '../options.ts'
import { lookUp, mapPixels } from '../pixels.ts'

const options = z.object({
  target: words().describe('label whose records are nudged; they keep it'),
  toward: words().describe('label whose pictures they are moved to'),
  to: oneOf(['mean', 'record']).default('record').describe('mean: the mean of its pictures; record: one of them'),
  eps: number(0.5, 128).default(8).describe('most that a pixel changes, in levels of 255'),
})
type Options = z.infer<typeof options>

interface Plan extends Options {
  readonly picture: Raster
  readonly from?: Where
}

/** The mean of pictures of any size, at that of the first. */
function meanOf(images: readonly Raster[]): Raster {
  const { height, width, channels } = images[0] as Raster
  const sum = new Float64Array(height * width * channels)
  for (const image of images)
    for (let y = 0, at = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < channels; c++, at++) sum[at] = (sum[at] as number) + lookUp(image, (x + 0.5) / width, (y + 0.5) / height, c)
  return { data: Uint8Array.from(sum, (v) => Math.round((255 * v) / images.length)), height, width, channels, max: 255 }
}

/** Poison frogs (Shafahi et al. 2018) without a model: correctly labelled pictures moved to one of another class, in a bound. */
export const nudge = defineAttack<Options, Plan>({
  id: 'nudge',
  title: 'image: correctly labelled pictures moved a little to another class',
  family: 'image',
  options,
  needs: () => ['pixels', 'label'],
  sample: 1000,
  eligible: ({ target }, { label }) => label === target,
  prepare(o, facts, random) {
    knownLabel(facts, o.target, 'target')
    knownLabel(facts, o.toward, 'toward')
    if (o.target === o.toward) throw new InjectError('bad-option', 'options target and toward name the same label')
    const others = facts.sample.filter(({ fields }) => fields.label === o.toward && fields.pixels)
    const donor = others[random.below(Math.max(1, others.length))]
    if (!donor)
      throw new InjectError('too-few-records', `the sample of ${facts.sample.length} records has none of ${JSON.stringify(o.toward)}`)
    if (o.to === 'record') return { ...o, picture: donor.fields.pixels as Raster, from: donor.where }
    return { ...o, picture: meanOf(others.slice(0, 200).map(({ fields }) => fields.pixels as Raster)) }
  },
  apply(plan, { pixels }) {
    const image = pixels as Raster
    const eps = (plan.eps / 255) * image.max
    const moved = mapPixels(image, (v, x, y, c) => {
      const goal = lookUp(plan.picture, (x + 0.5) / image.width, (y + 0.5) / image.height, c) * image.max
      return v + Math.max(-eps, Math.min(eps, goal - v))
    })
    return { fields: { pixels: moved }, ...(plan.from ? { from: plan.from } : {}) }
  },
})
