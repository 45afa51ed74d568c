import { join } from 'node:path'
import type { Pipeline } from '../contracts/pipeline.ts'
import { EngineError } from './errors.ts'
import { isDone, layout } from './files.ts'
import type { Hooks } from './request.ts'

interface Copying {
  readonly hooks: Hooks
  readonly resume: boolean
  /** Only as much as a plan needs. */
  readonly sample?: boolean
}

/**
 * The pipeline with copies in the run directory in the place of what lies in databases, object stores and behind addresses. Nothing is
 * copied over a run that is not resumed: the plan refuses it.
 * @throws SourceError
 */
export async function withCopies(pipeline: Pipeline, runDir: string, { hooks, resume, sample = false }: Copying): Promise<Pipeline> {
  const { copyStores, isStored } = await import('../stores/copy.ts')
  const { sources, reference, provenance } = pipeline
  const original = provenance !== null && typeof provenance.baseline === 'object' ? provenance.baseline : null
  const all = [...sources, ...reference, ...(original ? [original] : [])]
  if (!all.some(isStored)) return pipeline
  const copies = await copyStores(all, {
    folder: join(runDir, layout.copies),
    resume: resume || isDone(runDir, layout.plan),
    sample,
    progress: (phase, done, total, unit) => hooks.progress({ phase, done, total, unit }),
    signal: hooks.signal,
  })
  const known = sources.length + reference.length
  const [baseline] = copies.slice(known)
  return {
    ...pipeline,
    sources: copies.slice(0, sources.length),
    reference: copies.slice(sources.length, known),
    provenance: provenance && baseline ? { ...provenance, baseline } : provenance,
  }
}

/** @throws EngineError `bad-option` where records have several labels and none is chosen */
export function checkOneLabel({ sources }: Pipeline): void {
  if (!sources.some((s) => s.multilabel)) return
  throw new EngineError(
    'bad-option',
    'records with several labels are audited one class at a time',
    4,
    {},
    '`assay audit` does so; a plan by itself needs one label a record',
  )
}
