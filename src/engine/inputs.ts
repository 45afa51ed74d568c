import type { Readable } from 'node:stream'
import type { SourceListing, SourceSpec } from '../contracts/data.ts'
import { detectors } from '../detectors/registry.ts'

/** What a pipeline file may name under `detectors` and `gate.require`. */
export const detectorIds = (): readonly string[] => detectors.map((d) => d.id)

/** One listing a source: each has columns of its own. @throws SourceError */
export async function listEach(sources: readonly SourceSpec[], base: string): Promise<readonly SourceListing[]> {
  const { listSources } = await import('../sources/list.ts')
  const listings: SourceListing[] = []
  for (const source of sources) listings.push(await listSources([source], base))
  return listings
}

/** Standard input as a file in `folder`; its path. @throws SourceError */
export async function spoolInput(input: Readable, folder: string): Promise<string> {
  const { spoolStdin } = await import('../sources/stdin.ts')
  return spoolStdin(input, folder)
}
