import { createHash, randomBytes } from 'node:crypto'
import { closeSync, createReadStream, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Tree } from '../contracts/statistic.ts'
import { type Decoded, type ReadBytes, readParts, treeParts } from './codec.ts'
import { EngineError } from './errors.ts'

/** Where a run keeps what. The existence of a file is the mark that its step is done: all are written aside and renamed. */
export const layout = {
  plan: 'plan.json',
  /** What was copied from databases and object stores: a folder. */
  copies: 'copies',
  digest: (over: Over, file: number) => join('inputs', `${over}-${file}.json`),
  spool: (over: Over, shard: number) => join('spool', `${over}-${shard}.arrow`),
  ids: (shard: number) => join('spool', `ids-${shard}.bin`),
  facts: (over: Over, group: number) => join('facts', `${over}-${group}.json`),
  state: (level: number, over: Over, group: number) => join('state', `${level}-${over}-${group}.safetensors`),
  summary: (level: number) => join('state', `summary-${level}.safetensors`),
  scores: (detector: string, shard: number) => join('scores', `${detector}-${shard}.arrow`),
  /** What names a row in flags, beside its scores: so that the flags need no further read of the data. */
  named: (shard: number) => join('scores', `rows-${shard}.arrow`),
  tally: (group: number) => join('state', `tally-${group}.safetensors`),
  /** Thresholds of a distributed run, for its workers. */
  decisions: join('state', 'decisions.safetensors'),
  /** What the flags of a distributed run add up to, where its workers wrote them. */
  flagged: join('state', 'flagged.safetensors'),
  /** Duplicate ids of a distributed run, as its engine counted them. */
  duplicates: join('state', 'duplicates.json'),
  /** Digests of one group of the delivery's files, for manifests and inputs. */
  hashes: (group: number) => join('inputs', `delivery-${group}.json`),
  /** Leaves of the subject, then its snapshot: a folder. */
  snapshot: 'snapshot',
  /** Snapshot of a baseline that is given as data: a folder. */
  baseline: 'baseline',
  /** What the comparison found: it names the file of changes, which is there before it. */
  changes: join('provenance', 'changes.json'),
  /** One known attack, tried on the records in memory. */
  trial: (name: string) => join('sensitivity', `${name}.json`),
  /** Copies of the rows of one group on their way to the buckets of the exchange; removed when all have their answers. */
  routed: (group: number) => join('exchange', `routed-${group}.bin`),
  /** Mark that one share of the buckets has been worked. */
  worked: (share: number) => join('exchange', `worked-${share}.json`),
  /** What the exchange gave the rows of one shard. */
  answers: (shard: number) => join('exchange', `answers-${shard}.bin`),
  /** Mark that every row has its answer. */
  exchanged: join('exchange', 'done.json'),
  outcome: 'outcome.json',
} as const
export type Over = 'subject' | 'reference'

export const isDone = (runDir: string, file: string): boolean => existsSync(join(runDir, file))

/** A name beside the target, in a folder that exists. */
export async function temporaryFor(target: string): Promise<string> {
  await mkdir(dirname(target), { recursive: true })
  return `${target}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`
}

/** Runs `write` on a temporary name beside the target, then renames: readers see all of it or nothing. */
export async function writeAside(target: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = await temporaryFor(target)
  try {
    await write(temporary)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

export const writeBytes = (target: string, ...parts: (Uint8Array | string)[]): Promise<void> =>
  writeAside(target, async (temporary) => {
    const file = await open(temporary, 'w')
    try {
      for (const part of parts) await file.writeFile(part)
    } finally {
      await file.close()
    }
  })

export const writeJson = (target: string, value: unknown): Promise<void> => writeBytes(target, `${JSON.stringify(value, null, 1)}\n`)

export async function readJson<T>(file: string): Promise<T> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    throw new EngineError(
      'step-missing',
      'an earlier step of this run has not been done',
      4,
      { file },
      'run the steps in order: fit, merge for each level, then score, then report',
    )
  }
  return JSON.parse(text) as T
}

export const writeTree = (target: string, tree: Tree, metadata: Readonly<Record<string, string>>): Promise<void> =>
  writeBytes(target, ...treeParts(tree, metadata))

/** @throws EngineError `state-mismatch` when the file was written for something else than `expected`. */
export async function readTree(file: string, expected: Readonly<Record<string, string>>): Promise<Tree> {
  if (!existsSync(file))
    throw new EngineError(
      'step-missing',
      'the state of an earlier step is missing',
      4,
      { file },
      'fit every shard group of this level first',
    )
  const { tree, metadata } = readFileParts(file)
  for (const [key, value] of Object.entries(expected)) {
    if (metadata[key] === value) continue
    throw new EngineError(
      'state-mismatch',
      `state file was written for another ${key}: ${metadata[key] ?? 'none'}, not ${value}`,
      4,
      { file },
      'use the state files of one plan only',
    )
  }
  return tree
}

function readFileParts(file: string): Decoded {
  const handle = openSync(file, 'r')
  try {
    const read: ReadBytes = (from, length) => {
      const out = new Uint8Array(length)
      for (let at = 0; at < length; ) {
        const bytes = readSync(handle, out, at, Math.min(length - at, mostRead), from + at)
        if (bytes === 0) throw new EngineError('state-unreadable', 'state file became shorter while it was read', 2, { file })
        at += bytes
      }
      return out
    }
    return readParts(fstatSync(handle).size, read, file)
  } finally {
    closeSync(handle)
  }
}

const mostRead = 2 ** 30

/** All of the bytes at the end of what was written. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** So many bytes from a place of a file. Throws where it is shorter. */
export async function readAll(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done)
    if (bytesRead === 0) throw new Error('a file of the run directory is shorter than it should be')
    done += bytesRead
  }
  return bytes
}

export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
