import type { Kind } from '../identify.ts'
import type { Checker } from './checker.ts'
import { checkSafetensors } from './safetensors.ts'

/** Readers of formats that are neither archives nor pickles. */
export const checkers: { readonly [K in Kind]?: Checker } = {
  safetensors: checkSafetensors,
}
