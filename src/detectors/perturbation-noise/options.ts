import { z } from 'zod'

export const perturbationNoiseOptions = z.strictObject({
  /** Share of the flagged records of a group that may be expected there without any poison. */
  fdr: z.number().gt(0).lt(1).default(0.1),
})
export type PerturbationNoiseOptions = z.infer<typeof perturbationNoiseOptions>
