import { join } from 'node:path'
import type { BaseModelSpec } from '../contracts/base-model.ts'
import type { Conclusion } from '../contracts/detector.ts'
import { baseModelId, type DetectorOutcome, type Incomplete } from '../contracts/outcome.ts'
import type { RecoveredTrigger } from '../contracts/trigger.ts'
import { type ModelLimits, modelLimits } from '../features/model-limits.ts'
import { triggersText } from '../features/trigger-file.ts'
import { plural } from '../report/format.ts'
import { failureOf } from './accumulate.ts'
import { CleanSample } from './clean-sample.ts'
import { EngineError } from './errors.ts'
import { type Over, writeBytes } from './files.ts'
import { givenTriggers, type NamedTrigger } from './plan-base-model.ts'
import type { Hooks } from './request.ts'
import { rowsOfShard } from './rows.ts'
import type { Run } from './run.ts'
import { askModel } from './trigger-response.ts'
import { triggerResponse } from './trigger-response-rule.ts'

/** What an audit found, for the audit of a model elsewhere: `base-model.triggers` reads it. */
export const triggersFile = 'triggers.json'

/** Leaves what the detectors recovered in the run directory. */
export async function leaveTriggers(run: Run, triggers: readonly RecoveredTrigger[]): Promise<readonly string[]> {
  if (triggers.length === 0) return []
  await writeBytes(join(run.dir, triggersFile), triggersText(triggers))
  return [triggersFile]
}

/** Where clean pictures come from. */
const cleanPart = ({ plan }: Run, spec: BaseModelSpec): Over =>
  spec.images ?? (plan.reference?.roles.includes('image') ? 'reference' : 'subject')

/** A sample that the read of the flags fills with rows that nobody flagged; null where it is not needed. */
export function subjectSample(run: Run): CleanSample | null {
  const spec = run.plan.pipeline.baseModel
  return spec && cleanPart(run, spec) === 'subject' ? new CleanSample(run.seed, run.plan.subject.shards, sampleSize(spec)) : null
}

/** Some are for the means of an embedding, and some cannot be decoded. */
const sampleSize = (spec: BaseModelSpec): number => spec.samples + 450

async function referenceSample(run: Run, spec: BaseModelSpec): Promise<CleanSample> {
  const { shards } = run.part('reference')
  const sample = new CleanSample(run.seed, shards, sampleSize(spec))
  for (const shard of shards.keys()) for await (const batch of rowsOfShard(run, 'reference', shard)) sample.add(shard, batch, null)
  return sample
}

export interface BaseModelResult {
  readonly detector: DetectorOutcome
  readonly incomplete: readonly Incomplete[]
}

/** Asks the model about every trigger that was found or given; null where the pipeline names no model. */
export async function concludeBaseModel(
  run: Run,
  found: readonly NamedTrigger[],
  subject: CleanSample | null,
  hooks: Hooks,
  limits: ModelLimits = modelLimits,
): Promise<BaseModelResult | null> {
  const { pipeline, base } = run.plan
  const spec = pipeline.baseModel
  if (!spec) return null
  const required = pipeline.gate.require.includes(baseModelId)
  const outcome = (
    status: DetectorOutcome['status'],
    reason: string,
    c: Conclusion = { findings: [], tests: [], notes: [] },
  ): DetectorOutcome => ({ ...empty, required, status, reason, findings: c.findings, tests: c.tests, notes: c.notes })
  const over = cleanPart(run, spec)
  const part = over === 'reference' ? run.plan.reference : run.plan.subject
  if (!part)
    return { detector: outcome('not-applicable', 'clean pictures are to come from the reference, and there is none'), incomplete: [] }
  if (!part.roles.includes('image'))
    return { detector: outcome('not-applicable', `no column of the ${over} has the role image`), incomplete: [] }
  try {
    const triggers = [...found, ...(await givenTriggers(spec, base))]
    if (triggers.length === 0)
      return {
        detector: outcome('ran', 'no trigger was found in the data and none was given: there was nothing to ask the model'),
        incomplete: [],
      }
    const sample = subject ?? (await referenceSample(run, spec))
    const result = await askModel({
      spec,
      triggers,
      sample,
      shards: part.shards,
      seed: run.seed,
      limits,
      progress: (done, total) => {
        if (hooks.signal?.aborted)
          throw new EngineError('interrupted', 'interrupted', 2, { file: run.dir }, 'the same command with --resume goes on from here')
        hooks.progress({ phase: 'base model', done: done * spec.samples, total: total * spec.samples, unit: 'rows' })
      },
    })
    const how = `${plural(result.tested, 'trigger')} stamped on clean pictures of the ${over}, ${spec.classes === null ? 'embeddings compared' : 'classes compared'}`
    if (result.tested > 0) return { detector: outcome('ran', how, result), incomplete: [] }
    return { detector: outcome('not-applicable', result.notes.at(-1) ?? 'no trigger could be tested', result), incomplete: [] }
  } catch (error) {
    if (error instanceof EngineError && error.code === 'interrupted') throw error
    const failure = failureOf(error, baseModelId)
    return {
      detector: outcome('failed', failure.message),
      incomplete: [{ ...failure, message: `the base model could not be asked: ${failure.message}` }],
    }
  }
}

const empty = {
  id: baseModelId,
  version: 1,
  title: 'Base model',
  rules: [triggerResponse],
  options: null,
  rowsScored: 0,
  rowsFlagged: 0,
  thresholds: [],
}
