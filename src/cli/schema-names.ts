export const schemaNames = ['pipeline', 'waivers', 'report'] as const
export type SchemaName = (typeof schemaNames)[number]
