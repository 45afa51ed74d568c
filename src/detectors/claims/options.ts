import { z } from 'zod'
import { defaultUnits, type Units } from '../../statistics/claims/units.ts'
import { type OwnersTable, readTable } from './table.ts'

const vouched = z.object({
  subject: z.string(),
  measures: z.string(),
  relations: z.array(z.string()),
  values: z.array(z.number()),
})
const joined = z.object({ subject: z.string(), relation: z.string(), object: z.string() })
const read = z.object({ amounts: z.array(vouched), joined: z.array(joined) })

export const claimsOptions = z
  .strictObject({
    /** CSV of subject, relation, object, value, unit that the owner vouches for; relative to the pipeline file. */
    table: z.union([z.string(), read]).optional(),
    /** Records that have to state a value, or a claim that the table does not support, before it counts as repeated. */
    records: z.int().min(2).max(100).default(5),
    /** How many times larger or smaller than the consensus or the table a value has to be. */
    factor: z.number().gt(1).default(2),
    /** More units, by name in lower case: what they measure, and how much of it. */
    units: z
      .record(z.string().min(1).max(30), z.strictObject({ measures: z.string().min(1).max(30), factor: z.number().gt(0) }))
      .default({}),
  })
  .transform(({ table = { amounts: [], joined: [] }, ...rest }, context) => {
    if (typeof table !== 'string') return { ...rest, table: table as OwnersTable }
    try {
      return { ...rest, table: readTable(table, { ...defaultUnits, ...rest.units }) }
    } catch (error) {
      context.addIssue({ code: 'custom', path: ['table'], message: (error as Error).message })
      return z.NEVER
    }
  })
export type ClaimsOptions = z.infer<typeof claimsOptions>

export const unitsOf = (options: ClaimsOptions): Units => ({ ...defaultUnits, ...options.units })
