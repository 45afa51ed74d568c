import { statSync } from 'node:fs'
import { relative, sep } from 'node:path'
import type { BaseModelSpec } from '../contracts/base-model.ts'
import type { RecoveredTrigger } from '../contracts/trigger.ts'
import { FeatureError } from '../features/errors.ts'
import { loadTriggers } from '../features/trigger-file.ts'

export interface NamedTrigger {
  readonly trigger: RecoveredTrigger
  /** "trigger-image", or the file that it came from. */
  readonly from: string
}

/** Triggers that the pipeline names, in its order. @throws FeatureError `model-missing`, `model-options` */
export async function givenTriggers(spec: BaseModelSpec, base: string): Promise<readonly NamedTrigger[]> {
  const out: NamedTrigger[] = []
  for (const source of spec.triggers) {
    const from = relative(base, source.file).split(sep).join('/')
    for (const trigger of await loadTriggers(source)) out.push({ trigger, from })
  }
  return out
}

/** Are its files there, and can the triggers be read? The model itself is checked where it is asked. @throws FeatureError */
export async function checkBaseModel(spec: BaseModelSpec, base: string): Promise<void> {
  if (!statSync(spec.model, { throwIfNoEntry: false })?.isFile())
    throw new FeatureError(
      'model-missing',
      `there is no file ${spec.model}`,
      { file: spec.model },
      'check base-model.model in the pipeline file',
    )
  await givenTriggers(spec, base)
}
