import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ShardSpec } from '../contracts/data.ts'
import { readDigests } from '../engine/digests.ts'
import { sha256File } from '../engine/files.ts'
import type { Run } from '../engine/run.ts'

interface Named {
  readonly id: string
}

/** Files that hold a row of a shard: one picture or text of a folder, every aligned array, else the file. */
function filesOf({ path, options }: ShardSpec, row: number): readonly string[] {
  const { first, pictures, names, files } = options as unknown as {
    first?: number
    pictures?: readonly Named[]
    names?: readonly string[]
    files?: readonly { readonly path: string }[]
  }
  const at = row - (first ?? 0)
  if (pictures) return pictures[at] ? [join(path, (pictures[at] as Named).id)] : []
  if (files) return files.map((f) => f.path)
  return options.flat !== undefined && names?.[at] !== undefined ? [join(path, names[at])] : [path]
}

export interface Unchanged {
  /** The first file behind a row that is no longer what the run audited, by its name; null where all are. */
  changed(shard: ShardSpec, row: number): Promise<string | null>
}

interface Seen {
  readonly modified: number
  readonly bytes: number
  readonly same: Promise<boolean>
}

/** Compares files with the digests that a run took: each once, and again whenever its time or size changes. */
export async function watchInputs(run: Run): Promise<Unchanged> {
  const { inputs } = await readDigests(run)
  const byId = new Map(inputs.filter((i) => i.over === 'subject').map((i) => [i.id, i.sha256]))
  const digests = new Map(run.plan.subject.files.map((f) => [f.path, byId.get(f.id)]))
  const seen = new Map<string, Seen>()
  const same = async (path: string): Promise<boolean> => {
    const found = await stat(path).catch(() => null)
    const digest = digests.get(path)
    if (!found || digest === undefined) return false
    const before = seen.get(path)
    if (before?.modified === found.mtimeMs && before.bytes === found.size) return before.same
    const now = sha256File(path).then(
      (hex) => hex === digest,
      () => false,
    )
    seen.set(path, { modified: found.mtimeMs, bytes: found.size, same: now })
    return now
  }
  return {
    async changed(shard, row) {
      for (const path of filesOf(shard, row)) if (!(await same(path))) return basename(path)
      return null
    },
  }
}
