import { z } from 'zod'
import { defineAttack, type Raster } from '../attack.ts'
import { checkTargeting, newLabel, number, oneOf, targetEligible, targeting, targetNeeds } from '../options.ts'
import { mapPixels } from '../pixels.ts'

const options = z.object({
  ...targeting,
  amplitude: number(0.1, 255).default(20).describe('in grey levels of 255'),
  frequency: number(0.5, 128).default(6).describe('periods across the picture'),
  direction: oneOf(['across', 'down']).default('across').describe('across: the waves run from left to right; down'),
})
type Options = z.infer<typeof options>

/** SIG (Barni et al. 2019): a sinusoid over the whole picture; with clean-label as published. */
export const sinusoid = defineAttack<Options, Options>({
  id: 'sinusoid',
  title: 'image: a sinusoid over the whole picture',
  family: 'image',
  options,
  needs: (o) => ['pixels', ...targetNeeds(o)],
  sample: 0,
  eligible: targetEligible,
  prepare(o, facts) {
    checkTargeting(o, facts)
    return o
  },
  apply(plan, { pixels }) {
    const image = pixels as Raster
    const across = plan.direction === 'across'
    const step = (2 * Math.PI * plan.frequency) / (across ? image.width : image.height)
    const height = (plan.amplitude / 255) * image.max
    const wave = mapPixels(image, (v, x, y) => v + height * Math.sin(step * (across ? x : y)))
    return { fields: { pixels: wave, ...newLabel(plan) } }
  },
})
