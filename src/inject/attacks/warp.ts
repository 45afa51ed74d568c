import { z } from 'zod'
import { defineAttack, type Raster } from '../attack.ts'
import { checkTargeting, newLabel, number, targetEligible, targeting, targetNeeds, whole } from '../options.ts'
import { bilinear, mapPixels } from '../pixels.ts'

const options = z.object({
  ...targeting,
  grid: whole(2, 32).default(4).describe('control points a side of the smooth field'),
  strength: number(0.05, 8).default(0.5).describe("WaNet's s: the mean shift in pixels of a picture 32 wide is about half of it"),
})
type Options = z.infer<typeof options>

interface Plan extends Options {
  /** Shifts in shares of the width and height, grid x grid each. */
  readonly across: Raster
  readonly down: Raster
}

/** WaNet (Nguyen and Tran 2021): the picture is warped by one smooth random field, the same in every record. */
export const warp = defineAttack<Options, Plan>({
  id: 'warp',
  title: 'image: a smooth warp, the same in every record',
  family: 'image',
  options,
  needs: (o) => ['pixels', ...targetNeeds(o)],
  sample: 0,
  eligible: targetEligible,
  prepare(o, facts, random) {
    checkTargeting(o, facts)
    const field = (): Raster => {
      const raw = Float64Array.from({ length: o.grid * o.grid }, () => 2 * random.uniform() - 1)
      const mean = raw.reduce((sum, v) => sum + Math.abs(v), 0) / raw.length
      // as 16-bit levels around the middle: one kind of picture for everything that is looked up
      const data = Uint16Array.from(raw, (v) => Math.round(32_768 + Math.max(-1, Math.min(1, v / mean / 4)) * 32_000))
      return { data, height: o.grid, width: o.grid, channels: 1, max: 65_535 }
    }
    return { ...o, across: field(), down: field() }
  },
  apply(plan, { pixels }) {
    const image = pixels as Raster
    const { width, height } = image
    // WaNet's grid runs from -1 to 1: a shift of s / width is half a pixel for s = 1
    const shift = (field: Raster, x: number, y: number): number => {
      const u = (x / Math.max(1, width - 1)) * (plan.grid - 1)
      const v = (y / Math.max(1, height - 1)) * (plan.grid - 1)
      return ((bilinear(field, u, v, 0) - 32_768) / 32_000) * 4 * plan.strength * 0.5
    }
    const scale = [Math.max(1, width / 32), Math.max(1, height / 32)] as const
    const warped = mapPixels(image, (_, x, y, c) =>
      bilinear(image, x + scale[0] * shift(plan.across, x, y), y + scale[1] * shift(plan.down, x, y), c),
    )
    return { fields: { pixels: warped, ...newLabel(plan) } }
  },
})
