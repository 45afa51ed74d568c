export const progressModes = ['auto', 'plain', 'none'] as const
export type ProgressMode = (typeof progressModes)[number]
