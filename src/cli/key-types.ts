/** What `assay keygen` makes; held here, so that the help needs no more. */
export const keyTypeNames = ['p256', 'p384', 'ed25519'] as const
export type KeyTypeName = (typeof keyTypeNames)[number]
