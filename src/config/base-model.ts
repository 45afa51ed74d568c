import type { BaseModelSpec, TriggerSource } from '../contracts/base-model.ts'
import type { BaseModelFile } from './base-model-schema.ts'

type To = (path: string) => string

const defaultSamples = 300

/** Paths of the section become absolute. */
export const resolveBaseModel = (file: BaseModelFile, to: To): BaseModelFile => ({
  ...file,
  ...(file.model === undefined ? {} : { model: to(file.model) }),
  ...(file.triggers ? { triggers: file.triggers.map((one) => (typeof one === 'string' ? to(one) : { ...one, file: to(one.file) })) } : {}),
})

const toTrigger = (one: NonNullable<BaseModelFile['triggers']>[number]): TriggerSource => {
  const given = typeof one === 'string' ? { file: one } : one
  return {
    file: given.file,
    target: given.target ?? null,
    at: given.at ?? null,
    frame: given.frame ?? null,
    opacity: given.opacity ?? 1,
  }
}

/** Every setting, with its default; null without a model. */
export const toBaseModel = (file: BaseModelFile): BaseModelSpec | null =>
  file.model === undefined
    ? null
    : {
        model: file.model,
        layer: file.layer ?? null,
        classes: file.classes ?? null,
        size: file.size ?? null,
        channels: file.channels ?? null,
        mean: file.mean ?? null,
        std: file.std ?? null,
        triggers: (file.triggers ?? []).map(toTrigger),
        images: file.images ?? null,
        samples: file.samples ?? defaultSamples,
      }

const present = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== null)) as Partial<T>

/** The section that reads back as `spec`. */
export const printBaseModel = ({ triggers, ...spec }: BaseModelSpec, to: To): object => ({
  ...present({ ...spec, model: to(spec.model) }),
  ...(triggers.length > 0 ? { triggers: triggers.map((t) => present({ ...t, file: to(t.file) })) } : {}),
})
