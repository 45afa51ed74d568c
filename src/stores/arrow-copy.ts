import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { type Data, RecordBatchStreamWriter, Schema } from 'apache-arrow'
import { assemble } from '../contracts/batch.ts'
import type { StoredColumn } from './columns.ts'

/** A file in the making: one Arrow IPC stream, which gets its name when it is whole. */
export interface ArrowCopy {
  /** One list of cells a column. */
  write(cells: readonly (readonly (string | null)[])[]): Promise<void>
  close(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}

/** What ends a stream: a mark, and the length 0. */
const endBytes = 8

/** The messages of one batch, or of none, without the end of the stream. */
function encode(columns: readonly StoredColumn[], children: readonly Data[] | null): Uint8Array {
  const fields = columns.map((c) => c.field)
  const writer = new RecordBatchStreamWriter()
  if (children) writer.write(assemble(fields, [...children], children[0]?.length ?? 0))
  else writer.reset(undefined, new Schema(fields))
  writer.finish()
  const bytes = writer.toUint8Array(true)
  return bytes.subarray(0, bytes.length - endBytes)
}

async function append(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

export async function createArrowCopy(target: string, columns: readonly StoredColumn[]): Promise<ArrowCopy> {
  const temporary = `${target}.${process.pid}.tmp`
  const file = await open(temporary, 'w', 0o600)
  const head = encode(columns, null)
  await append(file, head)
  return {
    async write(cells) {
      const children = columns.map((c, i) => c.make(cells[i] as readonly (string | null)[]))
      await append(file, encode(columns, children).subarray(head.length))
    },
    async close() {
      await append(file, Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0))
      await file.sync()
      await file.close()
      await rename(temporary, target)
    },
    async abandon() {
      await file.close().catch(() => {})
      await rm(temporary, { force: true })
    },
  }
}
