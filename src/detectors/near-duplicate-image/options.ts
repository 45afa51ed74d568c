import { z } from 'zod'

export const nearDuplicateOptions = z.strictObject({
  /** Distinct pictures that are compared; those whose hash occurs more than once come first. */
  pictures: z.int().min(1000).max(1_000_000).default(65_536),
  /** Records from which on copies of one picture can be a flood. */
  flood: z.int().min(3).default(8),
  /** Share of copies with another label that is taken for ordinary noise of labelling. */
  conflicts: z.number().gt(0).lt(1).default(0.1),
})
export type NearDuplicateOptions = z.infer<typeof nearDuplicateOptions>
