import * as z from 'zod'
import { knownFile, pipelineFile, waiversFile } from './schema.ts'

const render = (schema: z.ZodType, id: string): string => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' })
  return `${JSON.stringify({ $schema, $id: id, ...rest }, null, 2)}\n`
}

/** Text of `reports/schema/pipeline.schema.json`: JSON Schema, draft 7, which editors understand best. */
export const pipelineJsonSchema = (): string => render(pipelineFile, 'urn:assay:schema:pipeline:1')

/** Text of `reports/schema/waivers.schema.json`. */
export const waiversJsonSchema = (): string => render(waiversFile, 'urn:assay:schema:waivers:1')

/** Text of `reports/schema/known-findings.schema.json`. */
export const knownJsonSchema = (): string => render(knownFile, 'urn:assay:schema:known-findings:1')
