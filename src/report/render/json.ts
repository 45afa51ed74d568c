import type { Report } from '../schema.ts'

/** `report.json`: keys in the order of the schema, two spaces, a new line at the end. */
export const renderJson = (report: Report): string => `${JSON.stringify(report, null, 2)}\n`
