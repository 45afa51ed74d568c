import { constants } from 'node:fs'
import { copyFile, type FileHandle, open, rename } from 'node:fs/promises'
import type { ArrayHeader } from '../../sources/npy-header.ts'
import { editsOf } from './array-items.ts'
import { keptRanges, shorterHeader } from './array-rows.ts'
import type { CopyWriter } from './writer.ts'

interface ArrayFile {
  readonly name: string
  readonly path: string
  readonly header: ArrayHeader
}

const pieceBytes = 1 << 22

/** The file again without the rows that go. */
async function compact(path: string, header: ArrayHeader, dropped: readonly number[]): Promise<void> {
  const [from, to] = [await open(path, 'r'), await open(`${path}.rows`, 'wx')]
  try {
    const head = Buffer.alloc(header.offset)
    await from.read(head, 0, head.length, 0)
    await to.write(shorterHeader(head, header.rows - dropped.length))
    for (const [offset, length] of keptRanges(header, dropped)) {
      for (let done = 0; done < length; done += pieceBytes) {
        const piece = Buffer.alloc(Math.min(pieceBytes, length - done))
        await from.read(piece, 0, piece.length, header.offset + offset + done)
        await to.write(piece)
      }
    }
  } finally {
    await from.close()
    await to.close()
  }
  await rename(`${path}.rows`, path)
}

/** Copies the files and writes over what changes: every other byte is that of the input. */
export const writeNpy: CopyWriter = async (job) => {
  const files = (job.shards[0]?.options.files ?? []) as unknown as readonly ArrayFile[]
  const handles = new Map<string, FileHandle>()
  try {
    for (const { name, path } of files) {
      await copyFile(path, job.out(path), constants.COPYFILE_EXCL)
      handles.set(name, await open(job.out(path), 'r+'))
    }
    const headers = new Map(files.map(({ name, header }) => [name, header]))
    const dropped: number[] = []
    for (const shard of job.shards) {
      for await (const change of job.changes(shard)) {
        if (change.drop) dropped.push(change.row)
        for (const { array, offset, bytes } of editsOf(shard, headers, change))
          await handles.get(array)?.write(bytes, 0, bytes.length, (headers.get(array)?.offset ?? 0) + offset)
      }
    }
    if (dropped.length > 0) for (const { path, header } of files) await compact(job.out(path), header, dropped)
  } finally {
    for (const handle of handles.values()) await handle.close()
  }
  return null
}
