import { z } from 'zod'

export const perturbationNoiseOptions = z.strictObject({
  /** Share of the flagged records of a group that an upper bound may expect there without any poison. */
  fdr: z.number().gt(0).lt(1).default(0.35),
})
export type PerturbationNoiseOptions = z.infer<typeof perturbationNoiseOptions>
