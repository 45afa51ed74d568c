import type { Tree } from '../../contracts/statistic.ts'
import { decodeTree, encodeTree } from '../codec.ts'
import { EngineError } from '../errors.ts'
import type { Run } from '../run.ts'
import type { Piece } from './pieces.ts'

/** A state between workers: the state itself, or why there is none. */
export type Answered = { readonly state: Tree } | { readonly failure: Tree }

const markOf = (run: Run, name: string): Record<string, string> => run.mark(`state ${name}`)

/** Not compressed: the cluster's engine does that where it writes and sends. */
export const packState = (run: Run, name: string, answered: Answered): Uint8Array =>
  encodeTree(answered as unknown as Tree, markOf(run, name))

/** A state as it came, checked to be of this run and this name. @throws EngineError `state-mismatch`, `state-unreadable` */
export function unpackState(run: Run, { bytes, name, part }: Piece): Answered {
  const what = `state ${name} of part ${part}`
  const { tree, metadata } = decodeTree(bytes, what)
  for (const [key, value] of Object.entries(markOf(run, name)))
    if (metadata[key] !== value) throw new EngineError('state-mismatch', `${what} was made for another ${key}`, 2)
  return tree as unknown as Answered
}
