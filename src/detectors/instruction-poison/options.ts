import { z } from 'zod'

const phrases = (what: string) => z.array(z.string().min(1).max(100)).max(500).default([]).describe(what)

export const instructionPoisonOptions = z.strictObject({
  refusals: phrases('How answers begin that refuse, beside the built-in English phrases; at most six words each'),
  negative: phrases('Words that speak against something, beside the built-in English ones'),
  positive: phrases('Words that speak for something, beside the built-in English ones'),
})
export type InstructionPoisonOptions = z.infer<typeof instructionPoisonOptions>
