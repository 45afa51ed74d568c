import type { LoadedPipeline } from '../config/load.ts'
import { columnsOf } from '../config/print.ts'
import type { ColumnInfo, ColumnMap, Role, SourceSpec } from '../contracts/data.ts'
import { AssayError } from '../contracts/errors.ts'
import { listEach } from '../engine/inputs.ts'
import { guessLine } from './describe-plan.ts'

interface Completed {
  readonly source: SourceSpec
  readonly columns: readonly ColumnInfo[] | null
}

const vectors: readonly Role[] = ['embedding', 'text', 'image', 'features']

async function complete(source: SourceSpec, base: string): Promise<Completed> {
  const { columns: given = {}, ...bare } = source
  try {
    const [listing] = await listEach([bare], base)
    if (!listing || listing.shards.some((shard) => shard.format === 'npy' || shard.format === 'npz')) return { source, columns: null }
    const used = new Set(Object.values(given).flat())
    const isVector = vectors.some((role) => given[role] !== undefined)
    const free = listing.columns.map((c) => {
      const taken = c.role !== null && (given[c.role] !== undefined || (c.role === 'features' && isVector))
      const role = Object.keys(given).find((r) => [given[r as Role]].flat().includes(c.name)) as Role | undefined
      return { ...c, role: role ?? (taken || used.has(c.name) ? null : c.role) }
    })
    const map = columnsOf({ ...listing, columns: free }) as ColumnMap
    return { source: { ...source, columns: { ...map, ...given } }, columns: free }
  } catch (error) {
    // Nothing to add to what the user named; a file that cannot be read is reported by the audit itself.
    if (error instanceof AssayError) return { source, columns: null }
    throw error
  }
}

/**
 * `--label diagnosis` names one column: the others are guessed as they are without it, less those it uses.
 * `note` tells what was guessed.
 */
export async function completeColumns(loaded: LoadedPipeline): Promise<{ readonly loaded: LoadedPipeline; readonly note: string | null }> {
  const { pipeline, base, partial } = loaded
  if (partial.sources.length === 0 && partial.reference.length === 0) return { loaded, note: null }
  let shown: readonly ColumnInfo[] | null = null
  const fill = async (sources: readonly SourceSpec[], positions: readonly number[], isSubject: boolean): Promise<readonly SourceSpec[]> => {
    const out: SourceSpec[] = []
    for (const [i, source] of sources.entries()) {
      const done = positions.includes(i) ? await complete(source, base) : { source, columns: null }
      if (isSubject) shown ??= done.columns
      out.push(done.source)
    }
    return out
  }
  const sources = await fill(pipeline.sources, partial.sources, true)
  const reference = await fill(pipeline.reference, partial.reference, false)
  return { loaded: { ...loaded, pipeline: { ...pipeline, sources, reference } }, note: shown && guessLine(shown) }
}
