import { knownJsonSchema, pipelineJsonSchema, waiversJsonSchema } from '../config/json-schema.ts'
import { reportJsonSchema } from '../report/schema.ts'
import { type Io, write } from './io.ts'
import type { SchemaName } from './schema-names.ts'

const schemas: { readonly [N in SchemaName]: () => string } = {
  pipeline: pipelineJsonSchema,
  waivers: waiversJsonSchema,
  'known-findings': knownJsonSchema,
  report: reportJsonSchema,
}

export async function runSchema(name: SchemaName, io: Io): Promise<number> {
  await write(io.stdout, schemas[name]())
  return 0
}
