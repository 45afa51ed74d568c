import type { ShardSpec } from '../../contracts/data.ts'
import type { Pipeline } from '../../contracts/pipeline.ts'
import { EngineError } from '../errors.ts'
import type { Part } from '../plan.ts'

/**
 * The pipeline as a cluster can run it: there are no manifests to look for, and flags are Parquet. @throws EngineError `bad-option` for what needs the files
 * of a data set, and the workers of a cluster have none
 */
export function remotePipeline(pipeline: Pipeline): Pipeline {
  const { sensitivity, since, baseModel, provenance, sources, report } = pipeline
  const refuse = (what: string, hint: string): never => {
    throw new EngineError('bad-option', `${what} is not done on a cluster`, 4, {}, hint)
  }
  if (sensitivity) refuse('sensitivity', 'take it out, and run it with `assay audit --sensitivity` on a sample')
  if (since !== undefined) refuse('an audit of what is new since a snapshot', 'select the new records with a query')
  if (baseModel) refuse('asking a base model', 'take base-model out, and ask it with `assay audit` on a sample')
  if (provenance?.manifests && provenance.manifests.length > 0)
    refuse('checking files against manifests', 'set provenance.manifests to false, and check the files with `assay verify`')
  if (sources.some((s) => s.multilabel)) refuse('an audit of records with several labels', 'select one label a record with a query')
  return {
    ...pipeline,
    provenance: provenance && { ...provenance, manifests: false },
    report: { ...report, flags: 'parquet', scores: report.scores && 'parquet' },
  }
}

/** The part as one shard that is no file: `listed` is a sample of it. */
export function asFrame(listed: Part, rows: number | null, name: string): Part {
  const [sample] = listed.shards
  if (!sample) throw new EngineError('bad-option', 'the sample of the records is empty', 4)
  const shard: ShardSpec = { ...sample, id: name, bytes: 0, expectedRows: rows, options: { ...sample.options, files: [] } }
  return { ...listed, shards: [shard], files: [], groups: [[0]] }
}
