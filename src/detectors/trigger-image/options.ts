import { z } from 'zod'

export const triggerImageOptions = z.strictObject({
  sample: z.number().int().min(60).max(20_000).default(5000).describe('Records of a class that are searched, at most.'),
})
export type TriggerImageOptions = z.infer<typeof triggerImageOptions>
