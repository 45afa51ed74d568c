import type { DigestRequest, FileDigests } from '../contracts/provenance.ts'
import { ProvenanceError } from './errors.ts'
import { hashFile } from './hash-file.ts'

export interface HashOrder {
  readonly files: readonly { readonly absolute: string; readonly request: DigestRequest }[]
  /** One 64-bit count of bytes that all threads add to. */
  readonly done: SharedArrayBuffer
  readonly signal?: AbortSignal
}

/** Entry of a worker thread: digests of a few files. One that cannot be read says why. */
export async function hashBatch({ files, done, signal }: HashOrder): Promise<FileDigests[]> {
  const count = new BigInt64Array(done)
  const out: FileDigests[] = []
  for (const { absolute, request } of files) {
    let counted = 0
    try {
      const progress = (bytes: number): void => {
        Atomics.add(count, 0, BigInt(bytes))
        counted += bytes
      }
      out.push(await hashFile(absolute, request, { progress, signal }))
    } catch (error) {
      if (!(error instanceof ProvenanceError) || error.code === 'interrupted' || error.code === 'unsupported') throw error
      out.push({ path: request.path, bytes: counted, digests: [], ranges: [], failed: error.message })
    }
  }
  return out
}
