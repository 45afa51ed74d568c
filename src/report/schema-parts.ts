import { z } from 'zod'

export const count = z.int().min(0)
export const fraction = z.number().min(0).max(1)
export const text = z.string()
export const digest = z.string().regex(/^[0-9a-f]{64}$/)

export const place = z.strictObject({
  file: text.nullable(),
  line: count.nullable(),
  column: text.nullable(),
  row: count.nullable(),
  offset: count.nullable(),
})

export const maxPngLength = 400_000
export const png = z
  .string()
  .regex(/^data:image\/png;base64,[A-Za-z0-9+/]+={0,2}$/)
  .max(maxPngLength)
