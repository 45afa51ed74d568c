export const schemaNames = ['pipeline', 'waivers', 'known-findings', 'report'] as const
export type SchemaName = (typeof schemaNames)[number]
