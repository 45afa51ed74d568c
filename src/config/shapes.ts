import * as z from 'zod'

// `error` is what the value should be: messages read "expected <error>, found <value>".
export const text = (error: string) => z.string({ error }).min(1, { error })
export const textOrList = (error: string) => z.union([text(error), z.array(text('a text'), { error }).min(1, { error })], { error })
export const fraction = z
  .number({ error: 'a number from 0 to 1' })
  .min(0, { error: 'a number from 0 to 1' })
  .max(1, { error: 'a number from 0 to 1' })
export const whole = (low: number, high: number) => {
  const error = `a whole number from ${low} to ${high}`
  return z.int({ error }).min(low, { error }).max(high, { error })
}
export const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` })
export const map = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, { error: `a map with ${Object.keys(shape).join(', ')}` })
