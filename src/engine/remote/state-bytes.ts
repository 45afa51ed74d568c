import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Tree } from '../../contracts/statistic.ts'
import { decodeTree, encodeTree } from '../codec.ts'
import { EngineError } from '../errors.ts'
import type { Run } from '../run.ts'
import type { Piece } from './pieces.ts'

/** A state between workers: the state itself, or why there is none. */
export type Answered = { readonly state: Tree } | { readonly failure: Tree }

/** Unpacked. A state is declared in the plan, and none of them comes near. */
const maxBytes = 2 ** 31 - 1

const markOf = (run: Run, name: string): Record<string, string> => run.mark(`state ${name}`)

/** A tree of counts is mostly zeros: packed, it is a small part of itself. */
export const packState = (run: Run, name: string, answered: Answered): Uint8Array =>
  deflateRawSync(encodeTree(answered as unknown as Tree, markOf(run, name)), { level: 1 })

/** A state as it came, checked to be of this run and this name. @throws EngineError `state-mismatch`, `state-unreadable` */
export function unpackState(run: Run, { bytes, name, part }: Piece): Answered {
  const what = `state ${name} of part ${part}`
  let whole: Buffer
  try {
    whole = inflateRawSync(bytes, { maxOutputLength: maxBytes })
  } catch {
    throw new EngineError('state-unreadable', `${what} is damaged`, 2, {}, 'run the step again')
  }
  const { tree, metadata } = decodeTree(whole, what)
  for (const [key, value] of Object.entries(markOf(run, name)))
    if (metadata[key] !== value) throw new EngineError('state-mismatch', `${what} was made for another ${key}`, 2)
  return tree as unknown as Answered
}
