import type { Checked } from '../formats/checker.ts'
import { judge } from '../pickle/judge.ts'
import { valuesOf } from './values.ts'

const kerasModules = /^(?:keras|tf_keras|tensorflow|keras_hub|keras_nlp|keras_cv|keras_tuner)(?:\.|$)/

/** An architecture of Keras: layers that hold code, and classes that are imported by a module's name. */
export function checkKeras(root: unknown, { report }: Checked): void {
  const told = new Set<string>()
  const tell = (verdict: 'block' | 'review', subject: string, message: string): void => {
    if (told.has(subject)) return
    told.add(subject)
    report({
      rule: 'remote-code',
      verdict,
      runs: verdict === 'block',
      subject: subject.slice(0, 200),
      message: `${message}.`,
      offset: null,
    })
  }
  for (const { value } of valuesOf(root)) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) continue
    const { class_name: name, module, config } = value as { class_name?: unknown; module?: unknown; config?: unknown }
    if (typeof name !== 'string') continue
    if (name === 'Lambda')
      tell('block', 'Lambda', `has a Lambda layer, whose function is code that runs when the model is loaded or called${nameOf(config)}`)
    else if (name === '__lambda__')
      tell('block', '__lambda__', 'holds the bytecode of a function, which runs when the model is loaded or called')
    else if (typeof module === 'string' && module !== '' && !kerasModules.test(module)) {
      // Functions are named by their module as well: builtins.dict, numpy types.
      const attribute = name === 'function' && typeof config === 'string' ? config : name
      const { level, why } = judge({ module, attribute }, true)
      if (level === 'gadget') tell('block', `${module}.${attribute}`, `imports ${module}.${attribute} when it is loaded: ${why}`)
      else if (level === 'unknown') tell('review', `${module}.${attribute}`, `imports ${module}.${attribute} when it is loaded: ${why}`)
    }
  }
}

const nameOf = (config: unknown): string => {
  const name = (config as { name?: unknown } | null)?.name
  return typeof name === 'string' ? `: ${name.slice(0, 60)}` : ''
}
