import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { States } from '../accumulate.ts'
import { excerptsFrom } from '../excerpts.ts'
import { layout, type Over, readJson, readTree } from '../files.ts'
import { fitGroup, type ShardFacts } from '../fit.ts'
import { writeFlags } from '../flags.ts'
import { rowsOfShard } from '../rows.ts'
import type { Run } from '../run.ts'
import { scoreGroup } from '../score.ts'
import { readDecisions } from './decisions.ts'
import { sentPieces } from './exchange.ts'
import { type Facts, factsName, factsOf, factsTree } from './facts.ts'
import { flagsName, flagsTree, numbersOf } from './flag-state.ts'
import { openPartition, receiveFiles, receiveRecords } from './partition.ts'
import { cut, type Piece, type PieceKind, pieceBytes } from './pieces.ts'
import { type Answered, packState } from './state-bytes.ts'
import type { Step } from './step.ts'

interface Stamp {
  readonly part: number
  readonly rowsIn: number
  readonly digest: string
}

const state = (run: Run, name: string, answered: Answered, stamp: Stamp): Generator<Piece> =>
  cut(packState(run, name, answered), { ...stamp, kind: 'state', name })

function* statesOf(run: Run, { states, failures }: States, stamp: Stamp): Generator<Piece> {
  for (const [name, failure] of Object.entries(failures)) yield* state(run, name, { failure }, stamp)
  for (const [name, of] of Object.entries(states)) yield* state(run, name, { state: of }, stamp)
}

async function* fileOf(run: Run, name: string, kind: PieceKind, stamp: Stamp): AsyncGenerator<Piece> {
  let seq = 0
  for await (const bytes of createReadStream(run.path(name), { highWaterMark: pieceBytes }))
    yield { ...stamp, kind, name, seq: seq++, bytes: bytes as Buffer }
  if (seq === 0) yield { ...stamp, kind, name, seq, bytes: new Uint8Array(0) }
}

async function* folderOf(run: Run, folder: string, kind: PieceKind, stamp: Stamp, wanted = (_: string) => true): AsyncGenerator<Piece> {
  const names = await readdir(run.path(folder)).catch(() => [])
  for (const name of names.sort()) if (wanted(name)) yield* fileOf(run, join(folder, name), kind, stamp)
}

const spoolOf =
  (over: Over) =>
  (name: string): boolean =>
    name.startsWith(`${over}-0.arrow`)

/**
 * Answers one step for one partition: pieces of its states first, then of the files that later steps need, and an `end` that counts
 * the pieces before it. `input` is what `step` reads: for fit level 0 the records as an Arrow IPC stream, else the files of the
 * partition that the step before left.
 * @throws EngineError, SourceError
 */
export async function* answer(modelDir: string, step: Step, number: number, input: Readable): AsyncGenerator<Piece> {
  const over = step.kind === 'fit' ? step.over : 'subject'
  const partition = await openPartition(modelDir, number, over)
  try {
    let count = 0
    let last: Stamp = { part: number, rowsIn: 0, digest: '' }
    for await (const piece of step.kind === 'fit' && step.level === 0
      ? firstRead(partition, over, input)
      : laterRead(partition, step, input)) {
      last = piece
      count++
      yield piece
    }
    yield { part: number, rowsIn: last.rowsIn, digest: last.digest, kind: 'end', name: '', seq: count, bytes: new Uint8Array(0) }
  } finally {
    await partition.remove()
  }
}

type Open = Awaited<ReturnType<typeof openPartition>>

async function* firstRead(partition: Open, over: Over, input: Readable): AsyncGenerator<Piece> {
  const { run, digest } = await receiveRecords(partition, over, input)
  await fitGroup(run, 0, over, 0, () => {})
  const [facts] = (await readJson<ShardFacts[]>(run.path(layout.facts(over, 0)))) as [ShardFacts]
  const stamp = { part: partition.number, rowsIn: facts.rows + facts.rejected, digest }
  yield* state(run, factsName, { state: factsTree(factsOf(facts)) }, stamp)
  yield* statesOf(run, (await readTree(run.path(layout.state(0, over, 0)), {})) as States, stamp)
  if (over === 'subject') yield* folderOf(run, join(layout.snapshot, 'segments'), 'segment', stamp)
  // Later steps count what is in the spool.
  yield* folderOf(run, 'spool', 'file', { ...stamp, rowsIn: facts.rows }, spoolOf(over))
}

async function* laterRead(partition: Open, step: Step, input: Readable): AsyncGenerator<Piece> {
  const { run, number } = partition
  const rowsIn = await receiveFiles(partition, input)
  const stamp = { part: number, rowsIn, digest: '' }
  let rows = 0
  const tick = (n: number) => {
    rows += n
  }
  const counted = (): Facts => ({ parts: 1, rows, rejected: 0, issues: [], incomplete: [] })
  if (step.kind === 'route') {
    yield* sentPieces(run, stamp)
    return
  }
  if (step.kind === 'fit') {
    await fitGroup(run, step.level, step.over, 0, tick)
    yield* statesOf(run, (await readTree(run.path(layout.state(step.level, step.over, 0)), {})) as States, stamp)
  } else if (step.kind === 'score') {
    await scoreGroup(run, 0, tick)
    yield* statesOf(run, (await readTree(run.path(layout.tally(0)), {})) as States, stamp)
    yield* folderOf(run, 'scores', 'file', stamp)
    if (readsRows(run)) yield* folderOf(run, 'spool', 'file', stamp, spoolOf('subject'))
  } else yield* flag(run, stamp, tick)
  yield* state(run, factsName, { state: factsTree(counted()) }, stamp)
}

/** Do flags need more of a row than its name and scores? */
const readsRows = (run: Run): boolean =>
  run.plan.pipeline.report.excerpts || run.active().some(({ detector }) => (detector.evidenceReads?.length ?? 0) > 0)

async function* flag(run: Run, stamp: Stamp, tick: (rows: number) => void): AsyncGenerator<Piece> {
  await run.load(run.levels.length)
  const decisions = await readDecisions(run)
  const deciding = run.active().filter((a) => decisions.has(a.detector.id))
  const { flags, scores, excerpts } = run.plan.pipeline.report
  const result = await writeFlags(run, deciding, decisions, { flags, scores }, tick)
  const byDetector = new Map(result.byDetector)
  const read = () => rowsOfShard(run, 'subject', 0)
  if (excerpts)
    for (const [id, of] of byDetector) byDetector.set(id, { ...of, top: await excerptsFrom(run.plan.subject.shards, read, of.top) })
  yield* state(run, flagsName, { state: flagsTree(numbersOf({ ...result, byDetector })) }, stamp)
  yield* statesOf(run, result.evidence, stamp)
  yield* fileOf(run, 'flags.parquet', 'file', stamp)
  if (scores) yield* fileOf(run, 'scores.parquet', 'file', stamp)
}
