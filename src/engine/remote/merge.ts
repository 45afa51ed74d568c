import type { Readable } from 'node:stream'
import type { Tree } from '../../contracts/statistic.ts'
import { failureOf, type Monoid } from '../accumulate.ts'
import { EngineError } from '../errors.ts'
import { Run } from '../run.ts'
import { factsFrom, factsName, factsTree, mergeFacts } from './facts.ts'
import { flagsFrom, flagsName, flagsTree, mergeFlags } from './flag-state.ts'
import { cut, joined, type Piece, readPieces } from './pieces.ts'
import { type Answered, packState, unpackState } from './state-bytes.ts'
import { monoidsOf, type Step } from './step.ts'

/** How two answers of one name become one. */
export async function merger(
  dir: string,
  step: Step,
): Promise<{ readonly run: Run; merge(name: string, a: Answered, b: Answered): Answered }> {
  const run = await Run.open(dir)
  const monoids = new Map<string, Monoid<never>>((await monoidsOf(run, step)).map((m) => [m.id, m]))
  const merge = (name: string, a: Answered, b: Answered): Answered => {
    if ('failure' in a) return a
    if ('failure' in b) return b
    if (name === factsName) return { state: factsTree(mergeFacts(factsFrom(a.state), factsFrom(b.state))) }
    if (name === flagsName) return { state: flagsTree(mergeFlags(flagsFrom(a.state), flagsFrom(b.state))) }
    const monoid = monoids.get(name)
    if (!monoid) throw new EngineError('state-mismatch', `this step has no state named ${JSON.stringify(name)}`, 2)
    try {
      monoid.merge(a.state as never, b.state as never)
      return a
    } catch (error) {
      return { failure: failureOf(error, name) as unknown as Tree }
    }
  }
  return { run, merge }
}

export interface Merged {
  readonly name: string
  readonly part: number
  readonly rowsIn: number
  readonly answered: Answered
}

/**
 * States that come ordered by name and part, those of `fan` neighbouring parts merged into one: which ones belong together does not
 * depend on who merges them. Two states are in memory at a time. @throws EngineError where a part comes twice or out of order
 */
export async function* mergeStates(dir: string, step: Step, fan: number, input: Readable): AsyncGenerator<Merged> {
  const { run, merge } = await merger(dir, step)
  const open: Merged[] = []
  let last = -1
  const states = async function* () {
    for await (const piece of readPieces(input)) if (piece.kind === 'state') yield piece
  }
  for await (const piece of joined(states())) {
    const part = Math.floor(piece.part / fan)
    const answered = unpackState(run, piece)
    const before = open.pop()
    if (before?.name === piece.name && before.part === part) {
      if (piece.part <= last)
        throw new EngineError('state-mismatch', `state ${piece.name} of part ${piece.part} comes twice or out of order`, 2)
      open.push({ ...before, rowsIn: before.rowsIn + piece.rowsIn, answered: merge(piece.name, before.answered, answered) })
    } else {
      if (before) yield before
      open.push({ name: piece.name, part, rowsIn: piece.rowsIn, answered })
    }
    last = piece.part
  }
  yield* open
}

/** The same as pieces, with the `end` that counts them. */
export async function* mergeAnswer(dir: string, step: Step, fan: number, input: Readable): AsyncGenerator<Piece> {
  const run = await Run.open(dir)
  let count = 0
  for await (const { name, part, rowsIn, answered } of mergeStates(dir, step, fan, input)) {
    for (const piece of cut(packState(run, name, answered), {
      part,
      rowsIn,
      digest: '',
      kind: 'state',
      name,
    })) {
      count++
      yield piece
    }
  }
  yield { part: 0, rowsIn: 0, digest: '', kind: 'end', name: '', seq: count, bytes: new Uint8Array(0) }
}
