import { z } from 'zod'
import { defineAttack, type Raster, type Where } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { checkTargeting, newLabel, number, oneOf, targetEligible, targeting, targetNeeds } from '../options.ts'
import { lookUp, mapPixels } from '../pixels.ts'

const options = z.object({
  ...targeting,
  alpha: number(0.01, 1).default(0.2).describe('share of the pattern in the mixture'),
  pattern: oneOf(['noise', 'picture']).default('noise').describe('noise: random pixels; picture: that of one record'),
})
type Options = z.infer<typeof options>

interface Plan extends Options {
  readonly picture: Raster
  readonly from?: Where
}

const side = 256

/** Blended injection (Chen et al. 2017): a picture or a noise pattern mixed into the whole image. */
export const blend = defineAttack<Options, Plan>({
  id: 'blend',
  title: 'image: a picture or a noise pattern mixed in',
  family: 'image',
  options,
  needs: (o) => ['pixels', ...targetNeeds(o)],
  sample: 16,
  eligible: targetEligible,
  prepare(o, facts, random) {
    checkTargeting(o, facts)
    if (o.pattern === 'noise') {
      const first = facts.sample[0]?.fields.pixels
      const [height, width] = [Math.min(side, first?.height ?? side), Math.min(side, first?.width ?? side)]
      const data = Uint8Array.from({ length: height * width * 3 }, () => random.below(256))
      return { ...o, picture: { data, height, width, channels: 3, max: 255 } }
    }
    const donor = facts.sample[random.below(Math.max(1, facts.sample.length))]
    if (!donor?.fields.pixels) throw new InjectError('missing-field', 'there is no picture to mix in')
    return { ...o, picture: donor.fields.pixels, from: donor.where }
  },
  apply(plan, { pixels }) {
    const image = pixels as Raster
    const mixed = mapPixels(image, (v, x, y, c) => {
      const mark = lookUp(plan.picture, (x + 0.5) / image.width, (y + 0.5) / image.height, c) * image.max
      return v + plan.alpha * (mark - v)
    })
    return { fields: { pixels: mixed, ...newLabel(plan) }, ...(plan.from ? { from: plan.from } : {}) }
  },
})
