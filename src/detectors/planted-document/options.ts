import { z } from 'zod'

export const plantedDocumentOptions = z.strictObject({
  /** Nats by which random neighbours must explain those of a phrase better than habits do, on both sides. The clean maximum was 5. */
  insertion: z.number().min(4).default(8),
  /** The same of a whole sentence, by how much better texts read on without it than sentences of the language let them. */
  sentence: z.number().min(4).default(10),
})
export type PlantedDocumentOptions = z.infer<typeof plantedDocumentOptions>
