/** Keeps a measurement under its key in results.json, and writes docs/measured.md anew. */
export function record(key: string, value: unknown): void
