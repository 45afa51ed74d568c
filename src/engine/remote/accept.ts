import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { ShardSpec } from '../../contracts/data.ts'
import type { Incomplete } from '../../contracts/outcome.ts'
import type { Tree } from '../../contracts/statistic.ts'
import { Accumulator, type Monoid } from '../accumulate.ts'
import { decideAll } from '../decide.ts'
import { EngineError } from '../errors.ts'
import { layout, type Over, readJson, writeJson, writeTree } from '../files.ts'
import type { ShardFacts } from '../fit.ts'
import { Run } from '../run.ts'
import { writeDecisions } from './decisions.ts'
import { type Facts, factsFrom, factsName, noFacts } from './facts.ts'
import { flagsFrom, flagsName, noFlags } from './flag-state.ts'
import { mergeStates } from './merge.ts'
import { addPiece } from './partition.ts'
import { readPieces } from './pieces.ts'
import { monoidsOf, type Step } from './step.ts'

/** Merges everything that comes, ordered by name and part, and leaves it in the run directory as the state of the only group. */
export async function accept(dir: string, step: Step, input: Readable): Promise<void> {
  const run = await Run.open(dir)
  const monoids = await monoidsOf(run, step)
  // What no partition had a row for is the identity.
  const none = await new Accumulator(monoids as unknown as Monoid<readonly never[]>[]).sealed()
  const states: Record<string, Tree> = { ...none.states }
  const failures: Record<string, Tree> = { ...none.failures }
  let facts = noFacts
  let flags = noFlags
  for await (const { name, answered } of mergeStates(dir, step, Number.MAX_SAFE_INTEGER, input)) {
    if ('failure' in answered) {
      failures[name] = answered.failure
      delete states[name]
    } else if (name === factsName) facts = factsFrom(answered.state)
    else if (name === flagsName) flags = flagsFrom(answered.state)
    else states[name] = answered.state
  }
  if (step.kind === 'fit' && step.level === 0) await writeFacts(run, step.over, facts)
  else await checkRows(run, step, facts)
  if (step.kind === 'fit') {
    const target = layout.state(step.level, step.over, 0)
    await writeTree(run.path(target), { states, failures }, run.mark(`fit ${step.level} ${step.over} 0`))
  } else if (step.kind === 'score') {
    await writeTree(run.path(layout.tally(0)), { states, failures }, run.mark('tally 0'))
    await writeDecisions(run, (await decideAll(run)).decisions)
  } else await writeTree(run.path(layout.flagged), { numbers: JSON.stringify(flags), states, failures }, run.mark('flagged'))
}

/** The rows that the workers read against those that the coordinator counted. */
async function writeFacts(run: Run, over: Over, facts: Facts): Promise<void> {
  const [shard] = run.part(over).shards as readonly [ShardSpec]
  const read = facts.rows + facts.rejected
  const incomplete: Incomplete[] = [...facts.incomplete]
  if (read !== shard.expectedRows)
    incomplete.push({
      code: 'row-count',
      message: `${shard.id}: the workers read ${read} rows of the ${shard.expectedRows} that were counted`,
      place: { file: shard.id },
      hint: 'audit data that nobody is writing to, from a query that gives the same rows each time',
    })
  const issues = facts.issues.map((i) => ({ ...i, shard: shard.id }))
  const { parts: _, ...rest } = facts
  await writeJson(run.path(layout.facts(over, 0)), [{ ...rest, shard: 0, issues, incomplete } satisfies ShardFacts])
}

/** @throws EngineError `input-changed` where a later read saw other rows than the first */
async function checkRows(run: Run, step: Step, facts: Facts): Promise<void> {
  const over = step.kind === 'fit' ? step.over : 'subject'
  const [first] = (await readJson<ShardFacts[]>(run.path(layout.facts(over, 0)))) as [ShardFacts]
  if (facts.rows === first.rows) return
  throw new EngineError(
    'input-changed',
    `${step.kind}: the workers read ${facts.rows} rows, ${first.rows} in the first read`,
    2,
    {},
    'audit data that nobody is writing to, from a query that gives the same rows each time',
  )
}

const segmentName = /^[a-z0-9]+-[a-z0-9.-]+$/

/** Segments of the snapshot, in pieces, into the run directory. @throws EngineError for any other name */
export async function acceptSegments(dir: string, input: Readable): Promise<void> {
  const begun = new Set<string>()
  for await (const piece of readPieces(input)) {
    if (piece.kind !== 'segment') continue
    const name = basename(piece.name)
    if (!segmentName.test(name)) throw new EngineError('state-unreadable', `a segment named ${JSON.stringify(piece.name)}`, 2)
    const target = join(dir, layout.snapshot, 'segments', name)
    // An attempt that was cut off begins again.
    if (piece.seq === 0 && !begun.has(name) && existsSync(target)) await rm(target)
    begun.add(name)
    await addPiece(target, piece)
  }
}
