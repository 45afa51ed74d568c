/** How the parts of a report for people are arranged. */
export const templates = ['standard', 'medical-device'] as const
export type Template = (typeof templates)[number]
