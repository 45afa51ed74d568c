import { z } from 'zod'
import { defineAttack, type Raster } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { checkTargeting, newLabel, number, oneOf, targetEligible, targeting, targetNeeds, whole } from '../options.ts'
import { mapPixels } from '../pixels.ts'

const corners = ['bottom-right', 'bottom-left', 'top-right', 'top-left', 'centre', 'random'] as const

const options = z.object({
  ...targeting,
  size: whole(1, 256).default(3).describe('side of the square, in pixels'),
  pattern: oneOf(['checker', 'white', 'black', 'colour']).default('checker').describe('checker, white, black, or colour: random colours'),
  place: oneOf(corners)
    .default('bottom-right')
    .describe(`${corners.join(', ')} (another place in every record)`),
  margin: whole(0, 256).default(1).describe('pixels between the square and the border'),
  contrast: number(0.01, 1).default(1).describe('1: the square covers what is below it; less: it is mixed in'),
})
type Options = z.infer<typeof options>

interface Plan extends Options {
  /** 0..1, size x size x 3. */
  readonly square: Float64Array
}

/** The top left corner of the square in a picture; throws where it does not fit. */
function corner({ size, place, margin }: Options, { width, height }: Raster, below: (n: number) => number): readonly [number, number] {
  if (size > width || size > height)
    throw new InjectError('bad-option', `option size: a square of ${size} pixels does not fit into a picture of ${width} x ${height}`)
  const [right, bottom] = [width - size, height - size]
  if (place === 'random') return [below(right + 1), below(bottom + 1)]
  if (place === 'centre') return [right >> 1, bottom >> 1]
  const x = place.endsWith('right') ? right - margin : margin
  const y = place.startsWith('bottom') ? bottom - margin : margin
  return [Math.min(right, Math.max(0, x)), Math.min(bottom, Math.max(0, y))]
}

/** BadNets (Gu et al. 2017): a small square in a corner or anywhere; clean-label as Turner et al. 2018 without perturbation. */
export const patch = defineAttack<Options, Plan>({
  id: 'patch',
  title: 'image: a small square, at one place or anywhere',
  family: 'image',
  options,
  needs: (o) => ['pixels', ...targetNeeds(o)],
  sample: 0,
  eligible: targetEligible,
  prepare(o, facts, random) {
    checkTargeting(o, facts)
    const square = new Float64Array(o.size * o.size * 3)
    for (let i = 0; i < o.size * o.size; i++) {
      const checker = ((i % o.size) + Math.floor(i / o.size)) % 2 === 0 ? 1 : 0
      for (let c = 0; c < 3; c++)
        square[i * 3 + c] =
          o.pattern === 'checker'
            ? checker
            : o.pattern === 'white'
              ? 1
              : o.pattern === 'black'
                ? 0
                : random.below(2)
                  ? random.uniform()
                  : random.below(2)
    }
    return { ...o, square }
  },
  apply(plan, { pixels }, random) {
    const image = pixels as Raster
    const [left, top] = corner(plan, image, random.below)
    const stamped = mapPixels(image, (v, x, y, c) => {
      const [px, py] = [x - left, y - top]
      if (px < 0 || py < 0 || px >= plan.size || py >= plan.size) return v
      const mark = (plan.square[(py * plan.size + px) * 3 + Math.min(c, 2)] as number) * image.max
      return v + plan.contrast * (mark - v)
    })
    return { fields: { pixels: stamped, ...newLabel(plan) } }
  },
})
