import { z } from 'zod'

export const triggerTabularOptions = z.strictObject({
  /** Records of the sample that is searched. */
  sample: z.int().min(200).max(100_000).default(12_000),
  /** A candidate counts where its p-value, corrected for the candidates of its label, is below this. */
  level: z.number().gt(0).max(0.05).default(0.01),
})
export type TriggerTabularOptions = z.infer<typeof triggerTabularOptions>
