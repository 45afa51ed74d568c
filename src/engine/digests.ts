import { join } from 'node:path'
import type { Incomplete, InputFile } from '../contracts/outcome.ts'
import type { FileDigests } from '../contracts/provenance.ts'
import { layout, type Over, readJson, sha256File } from './files.ts'
import type { Run } from './run.ts'
import type { FileDigest } from './tasks.ts'

/** Digests that the run has taken: of the inputs, and of the files that manifests name. Each file was read once. */
export interface Digests {
  readonly inputs: readonly InputFile[]
  readonly delivery: readonly FileDigests[]
  /** By absolute path; of a file that the run has not read, now. */
  sha256Of(path: string): Promise<string>
  readonly incomplete: readonly Incomplete[]
}

/** @throws EngineError `step-missing` */
export async function readDigests(run: Run): Promise<Digests> {
  const { plan } = run
  const groups = plan.delivery?.groups.keys() ?? []
  const delivery = (await Promise.all([...groups].map((g) => readJson<FileDigests[]>(join(run.dir, layout.hashes(g)))))).flat()
  const byPath = new Map(delivery.map((d) => [d.path, d]))
  const known = new Map<string, string>()
  const inputs: InputFile[] = []
  const incomplete: Incomplete[] = []
  const digestOf = async (over: Over, file: number): Promise<string | null> => {
    const delivered = over === 'subject' ? (plan.delivery?.inputs[file] ?? null) : null
    if (delivered === null) return (await readJson<FileDigest>(join(run.dir, layout.digest(over, file)))).sha256
    return byPath.get(delivered)?.digests.find((d) => d.algorithm === 'sha256')?.hex ?? null
  }
  for (const over of plan.reference ? (['subject', 'reference'] as const) : (['subject'] as const)) {
    for (const [i, { id, bytes, path }] of run.part(over).files.entries()) {
      const sha256 = await digestOf(over, i)
      if (sha256 === null) {
        incomplete.push({
          code: 'unreadable',
          message: `${id}: its digest could not be taken`,
          place: { file: id },
          hint: 'make the file readable, then audit again',
        })
        continue
      }
      known.set(path, sha256)
      inputs.push({ id, bytes, sha256, over })
    }
  }
  return { inputs, delivery, incomplete, sha256Of: async (path) => known.get(path) ?? sha256File(path) }
}
