import { createHash } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ShardSpec } from '../../contracts/data.ts'
import { formatNamed } from '../../sources/registry.ts'
import { EngineError } from '../errors.ts'
import { layout, type Over } from '../files.ts'
import { type Plan, readPlan } from '../plan.ts'
import { Run } from '../run.ts'
import { Answers } from './exchange.ts'
import { type Piece, readPieces } from './pieces.ts'

/** A partition of a distributed run as a run of its own: a folder on the local disk, removed when the work is done. */
export interface Partition {
  readonly run: Run
  readonly number: number
  remove(): Promise<void>
}

/** Name of a partition in flags and findings. */
export const partitionName = (number: number): string => `partition-${String(number).padStart(5, '0')}`

const stateFiles = (plan: Plan): readonly string[] => [...plan.levels.map((_, level) => layout.summary(level)), layout.decisions]

/**
 * A folder with the plan's summaries, in which this partition is the only shard. `modelDir`: the plan and the summaries that are
 * finished so far, as the coordinator sent them.
 */
export async function openPartition(modelDir: string, number: number, over: Over): Promise<Partition> {
  const plan = await readPlan(modelDir)
  const dir = await mkdtemp(join(tmpdir(), 'assay-partition-'))
  await mkdir(join(dir, 'state'), { recursive: true })
  for (const file of stateFiles(plan)) {
    const from = resolve(modelDir, file)
    if (existsSync(from)) await symlink(from, join(dir, file))
  }
  const own = over === 'subject' ? plan.subject : plan.reference
  if (!own) throw new EngineError('bad-option', 'this run has no reference', 4)
  const [planned] = own.shards as readonly [ShardSpec]
  const shard: ShardSpec = { ...planned, id: partitionName(number), path: join(dir, 'input.arrow'), expectedRows: null }
  const part = { ...own, shards: [shard], groups: [[0]] }
  const run = await Run.open(dir, { ...plan, ...(over === 'subject' ? { subject: part } : { reference: part }) })
  return { run, number, remove: () => rm(dir, { recursive: true, force: true }) }
}

const hashing = (digest: ReturnType<typeof createHash>): Transform =>
  new Transform({
    transform(chunk, _encoding, done) {
      digest.update(chunk as Buffer)
      done(null, chunk)
    },
  })

/** The Arrow IPC stream of the partition's records, onto the disk: it is read more than once. Returns the run that reads them. */
export async function receiveRecords(
  { run }: Partition,
  over: Over,
  input: Readable,
): Promise<{ readonly run: Run; readonly digest: string }> {
  const [shard] = run.part(over).shards as readonly [ShardSpec]
  const digest = createHash('sha256')
  await pipeline(input, hashing(digest), createWriteStream(shard.path))
  const listed = (await formatNamed('arrow')?.shards(shard.path, shard.id, {}, {})) ?? []
  const batches = listed.reduce((most, s) => Math.max(most, s.options.to as number), 0)
  const rows = listed.reduce((sum, s) => sum + (s.expectedRows ?? 0), 0)
  const whole = { ...shard, expectedRows: rows, options: { ...shard.options, first: 0, rows, from: 0, to: batches } }
  const part = { ...run.part(over), shards: [whole] }
  const plan = { ...run.plan, ...(over === 'subject' ? { subject: part } : { reference: part }) }
  return { digest: digest.digest('hex'), run: await Run.open(run.dir, plan) }
}

const answerName = /^exchange\/answered-\d+\.bin$/
const fileName = /^(spool|scores)\/[a-z0-9-]+\.arrow(\.index\.json)?$/

/** Files that an earlier step left of this partition, from the pieces that carry them. Returns the rows they hold. @throws EngineError */
export async function receiveFiles({ run, number }: Partition, input: Readable): Promise<number> {
  let rows = 0
  const answers = new Answers(run)
  for await (const piece of readPieces(input)) {
    if (piece.kind !== 'file') continue
    if (answerName.test(piece.name) && piece.part === number) {
      await answers.add(piece.bytes)
      continue
    }
    if (!fileName.test(piece.name)) throw new EngineError('state-unreadable', `a file named ${JSON.stringify(piece.name)}`, 2)
    if (piece.part !== number) throw new EngineError('state-mismatch', `files of partition ${piece.part} with those of ${number}`, 2)
    rows = piece.rowsIn
    await addPiece(run.path(piece.name), piece)
  }
  await answers.close(rows)
  return rows
}

/** Pieces of a file come in order: the first makes it. */
export async function addPiece(target: string, { seq, bytes }: Piece): Promise<void> {
  if (seq === 0) {
    if (existsSync(target)) throw new EngineError('state-mismatch', `${target} comes twice`, 2)
    await mkdir(dirname(target), { recursive: true })
  } else if (!existsSync(target)) throw new EngineError('state-unreadable', `${target} begins in the middle`, 2)
  await appendFile(target, bytes)
}
