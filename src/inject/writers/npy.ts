import { constants } from 'node:fs'
import { copyFile, type FileHandle, open } from 'node:fs/promises'
import type { ArrayHeader } from '../../sources/npy-header.ts'
import { editsOf } from './array-items.ts'
import type { CopyWriter } from './writer.ts'

interface ArrayFile {
  readonly name: string
  readonly path: string
  readonly header: ArrayHeader
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
    for (const shard of job.shards) {
      for await (const change of job.changes(shard)) {
        for (const { array, offset, bytes } of editsOf(shard, headers, change))
          await handles.get(array)?.write(bytes, 0, bytes.length, (headers.get(array)?.offset ?? 0) + offset)
      }
    }
  } finally {
    for (const handle of handles.values()) await handle.close()
  }
  return null
}
