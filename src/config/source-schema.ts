import * as z from 'zod'
import { type Role, roles } from '../contracts/data.ts'
import { map, text, textOrList } from './shapes.ts'

/** Roles that may be spread over several columns: a number or a category a column, or the parts of a text. */
const severalRoles: readonly Role[] = ['embedding', 'features', 'categories', 'predictions', 'text']
const perRole = <T>(make: (role: Role) => T): { [R in Role]: T } => Object.fromEntries(roles.map((role) => [role, make(role)])) as never

const columns = map(
  perRole((role) =>
    (severalRoles.includes(role) ? textOrList('the name of a column, or a list of names') : text('the name of a column')).optional(),
  ),
)

const arrays = map(perRole(() => text('a .npy file, or the name of a member of the .npz file in path').optional()))

/** One entry of `sources:`, `reference:` or `provenance.baseline`, as it is written. */
export const source = map({
  path: textOrList('a file, a folder or a glob, or a list of them')
    .describe('File, folder or glob, relative to this file. A folder of images has one folder a class.')
    .optional(),
  format: text('the name of a format').describe('Overrides the format that the content shows.').optional(),
  columns: columns.describe('Role: column. Without it the columns are guessed from names and types.').optional(),
  arrays: arrays.describe('Role: .npy file; with path, role: member of the .npz file.').optional(),
  features: z
    .array(text('the name of a column'), { error: 'a list of column names' })
    .min(1, { error: 'a list of column names' })
    .describe('Numeric columns to audit where there is no embedding.')
    .optional(),
  labels: text('a CSV file').describe('CSV file with the labels of a folder of images.').optional(),
  classes: z
    .array(text('the name of a class'), { error: 'a list of class names' })
    .min(1, { error: 'a list of class names' })
    .describe('Names of the classes, in the order of the prediction columns or of the label codes.')
    .optional(),
}).superRefine((value, context) => {
  if (value.path === undefined && value.arrays === undefined)
    context.addIssue({ code: 'custom', path: [], message: 'needs path (files) or arrays (.npy files)' })
  if (value.features !== undefined && value.columns?.features !== undefined)
    context.addIssue({ code: 'custom', path: ['features'], message: 'is given twice: keep either features or columns.features' })
  if (value.columns !== undefined && value.arrays !== undefined)
    context.addIssue({ code: 'custom', path: ['columns'], message: 'does not go with arrays: name every role under arrays' })
})
