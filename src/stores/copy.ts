import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Copied, SourceSpec } from '../contracts/data.ts'
import { AssayError } from '../contracts/errors.ts'
import { SourceError } from '../sources/errors.ts'
import { limits } from '../sources/limits.ts'
import { addressesOf } from './addresses.ts'

export interface CopyOptions {
  /** Where copies are kept. */
  readonly folder: string
  /** Whole copies that are there already are used; else they are made anew. */
  readonly resume: boolean
  /** Only as much as a plan needs. */
  readonly sample: boolean
  readonly progress: (what: string, done: number, total: number | null, unit: 'rows' | 'bytes') => unknown
  readonly signal?: AbortSignal | undefined
}

export const isStored = (spec: SourceSpec): boolean => spec.copied === undefined && (spec.sql !== undefined || addressesOf(spec).length > 0)

/**
 * The same sources, with a file in the place of everything that lies in a database, an object store or behind an address: each is
 * copied once, as it is at one moment, so that every read of a run sees the same records. A copy gets its name when it is whole.
 * @throws SourceError exit 4 where the request cannot be met as it is written, exit 2 where the store cannot be read
 */
export async function copyStores(specs: readonly SourceSpec[], options: CopyOptions): Promise<readonly SourceSpec[]> {
  if (!specs.some(isStored)) return specs
  if (!options.resume) await rm(options.folder, { recursive: true, force: true })
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  // what a run left that was killed
  for (const name of await readdir(options.folder)) if (name.endsWith('.tmp')) await rm(join(options.folder, name), { force: true })
  const out: SourceSpec[] = []
  for (const spec of specs) out.push(isStored(spec) ? await copyOne(spec, options) : spec)
  return out
}

async function copyOne(spec: SourceSpec, options: CopyOptions): Promise<SourceSpec> {
  try {
    if (spec.sql !== undefined) return await copyResult(spec, options)
    const { copyObjects } = await import('./objects.ts')
    return await copyObjects(spec, options)
  } catch (e) {
    if ((e as { code?: unknown }).code !== 'ENOSPC') throw e
    throw new SourceError(
      'too-large',
      'no room is left for the copy of a source',
      { file: options.folder },
      'name a --run-dir with more room',
    )
  }
}

async function copyResult(spec: SourceSpec, { folder, sample, progress, signal }: CopyOptions): Promise<SourceSpec> {
  const { copyQuery, queryName } = await import('./query.ts')
  const name = queryName(spec)
  const path = join(folder, `${name}.arrow`)
  const { sql: _, connection: __, key: ___, 'statement-timeout': ____, ...rest } = spec
  const whole = await (async (): Promise<Copied['whole']> => {
    if (existsSync(path)) return undefined
    try {
      const most = sample ? limits.sampleRows : null
      const copy = await copyQuery(spec, path, { progress: (rows) => progress(`read ${name}`, rows, null, 'rows'), signal, most })
      if (copy.whole === copy.rows) return undefined
      const { size } = await stat(path)
      return { rows: copy.whole, bytes: Math.round((size / Math.max(copy.rows, 1)) * copy.whole) }
    } catch (e) {
      if (!(e instanceof AssayError)) throw e
      throw new SourceError(e.code as SourceError['code'], `${name}: ${e.message}`, { file: name, ...e.place }, e.hint, e.exit)
    }
  })()
  const note = `rows counted, bytes estimated from the first ${limits.sampleRows}`
  return { ...rest, path, format: 'arrow', copied: { names: { [path]: name }, ...(whole ? { whole, note } : {}) } }
}
