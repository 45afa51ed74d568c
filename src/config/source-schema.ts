import * as z from 'zod'
import { type Role, roles } from '../contracts/data.ts'
import { map, text, textOrList, whole } from './shapes.ts'

/** Roles that may be spread over several columns: a number or a category a column, or the parts of a text. */
const severalRoles: readonly Role[] = ['embedding', 'features', 'categories', 'predictions', 'text']
const perRole = <T>(make: (role: Role) => T): { [R in Role]: T } => Object.fromEntries(roles.map((role) => [role, make(role)])) as never

const columns = map(
  perRole((role) =>
    (severalRoles.includes(role) ? textOrList('the name of a column, or a list of names') : text('the name of a column')).optional(),
  ),
)

const arrays = map(perRole(() => text('a .npy file, or the name of a member of the .npz file in path').optional()))

const variable = 'the name of an environment variable'

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
  images: text('a folder').describe('Folder with the pictures of a COCO file or a Label Studio export.').optional(),
  classes: z
    .array(text('the name of a class'), { error: 'a list of class names' })
    .min(1, { error: 'a list of class names' })
    .describe('Names of the classes, in the order of the prediction columns or of the label codes.')
    .optional(),
  multilabel: z
    .boolean({ error: 'true or false' })
    .describe('Records have several labels: each class of `classes` is audited by itself, present or absent.')
    .optional(),
  sql: text('a query').describe('A query of a PostgreSQL database: one SELECT.').optional(),
  connection: map({
    env: text(variable).describe('Environment variable with the connection string.'),
  })
    .describe('The database of `sql`. Secrets come by environment variable only.')
    .optional(),
  key: text('the name of a column')
    .describe('Column by which the rows of `sql` are read in order: unique, best with an index. Default: the id column.')
    .optional(),
  'statement-timeout': whole(1, 86_400).describe('Seconds that one statement of `sql` may take. Default 600.').optional(),
}).superRefine((value, context) => {
  const complain = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
  if (value.path === undefined && value.arrays === undefined && value.sql === undefined)
    complain([], 'needs path (files), arrays (.npy files) or sql (a query)')
  if (value.sql !== undefined) {
    if (value.connection === undefined)
      complain(['sql'], 'needs connection: { env: NAME }, the environment variable with the connection string')
    for (const other of ['path', 'arrays', 'format', 'labels', 'images'] as const)
      if (value[other] !== undefined) complain([other], 'does not go with sql: a source is either files or a query')
  }
  if (value.multilabel && value.classes === undefined) complain(['multilabel'], 'needs classes: a list of the classes to audit, one by one')
  // a connection string in its place is not shown again
  if (value.connection !== undefined && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(value.connection.env))
    complain(['connection', 'env'], `has to be ${variable}, such as DATABASE_URL: secrets are kept out of files`)
  for (const part of ['connection', 'key', 'statement-timeout'] as const)
    if (value[part] !== undefined && value.sql === undefined) complain([part], 'goes with sql, which is not there')
  if (value.features !== undefined && value.columns?.features !== undefined)
    context.addIssue({ code: 'custom', path: ['features'], message: 'is given twice: keep either features or columns.features' })
  if (value.columns !== undefined && value.arrays !== undefined)
    context.addIssue({ code: 'custom', path: ['columns'], message: 'does not go with arrays: name every role under arrays' })
})
