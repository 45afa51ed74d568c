import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { RecordBatchReader, RecordBatchStreamWriter } from 'apache-arrow'
import type { Batch } from '../contracts/data.ts'
import { readAll, readJson, temporaryFor, writeAll, writeJson } from './files.ts'

/**
 * Batches on disk: each one a complete Arrow IPC stream, back to back, with an index of their lengths beside them.
 * A batch is then read with one positioned read and used without a copy, and dictionaries may grow from batch to batch.
 */
const indexOf = (path: string): string => `${path}.index.json`

const encode = (batch: Batch): Uint8Array => {
  const writer = new RecordBatchStreamWriter()
  writer.write(batch)
  writer.finish()
  return writer.toUint8Array(true)
}

export interface SpoolWriter {
  write(batch: Batch): Promise<void>
  /** Finishes the file and gives it its name. */
  close(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}

export async function createSpool(target: string): Promise<SpoolWriter> {
  const lengths: number[] = []
  const temporary = await temporaryFor(target)
  const file = await open(temporary, 'w')
  return {
    async write(batch) {
      const bytes = encode(batch)
      lengths.push(bytes.length)
      await writeAll(file, bytes)
    },
    async close() {
      await file.close()
      await writeJson(indexOf(target), lengths)
      await rename(temporary, target)
    },
    async abandon() {
      await file.close()
      await rm(temporary, { force: true })
    },
  }
}

/** Runs `fill` with writers to these files: all get their names when it ends, none when it throws. */
export async function withSpools<T>(targets: readonly string[], fill: (writers: readonly SpoolWriter[]) => Promise<T>): Promise<T> {
  const writers: SpoolWriter[] = []
  try {
    for (const target of targets) writers.push(await createSpool(target))
    const result = await fill(writers)
    for (const writer of writers) await writer.close()
    return result
  } catch (error) {
    for (const writer of writers) await writer.abandon().catch(() => {})
    throw error
  }
}

export async function* readSpool(path: string): AsyncGenerator<Batch> {
  const lengths = await readJson<number[]>(indexOf(path))
  if (lengths.length === 0) return
  const file = await open(path, 'r')
  try {
    let next = readBatch(file, 0, lengths[0] as number)
    let at = 0
    for (let i = 0; i < lengths.length; i++) {
      const batch = await next
      at += lengths[i] as number
      if (i + 1 < lengths.length) next = readBatch(file, at, lengths[i + 1] as number)
      yield batch
    }
  } finally {
    await file.close()
  }
}

const readBatch = async (file: FileHandle, at: number, length: number): Promise<Batch> =>
  RecordBatchReader.from(await readAll(file, at, length)).next().value as Batch
