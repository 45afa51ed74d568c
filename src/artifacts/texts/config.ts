import type { Checked } from '../formats/checker.ts'
import type { Verdict } from '../observation.ts'
import { judge } from '../pickle/judge.ts'
import { valuesOf } from './values.ts'

type Tell = (verdict: Verdict, subject: string, message: string, runs?: boolean) => void

/** A dotted path of Python as a module and a name. */
export function globalOf(path: string): { readonly module: string; readonly attribute: string } | null {
  const at = path.lastIndexOf('.')
  return at > 0 && /^[A-Za-z_][\w.]*$/.test(path) ? { module: path.slice(0, at), attribute: path.slice(at + 1) } : null
}

/** Libraries whose classes a configuration may name to have them made. */
const vettedTargets =
  /^(?:torch|torchvision|transformers|diffusers|peft|accelerate|sentence_transformers|timm|lightning|pytorch_lightning|torchmetrics|datasets|tokenizers|nemo|hydra\.utils|omegaconf|keras|tensorflow|sklearn|numpy|monai|fairseq2?|xformers)\./

/** A class that a library makes because the configuration says so: Hydra `_target_`, modules of sentence-transformers. */
function checkTarget(path: string, key: string, tell: Tell): void {
  const global = globalOf(path)
  if (global === null) {
    tell('review', path.slice(0, 100), `asks by ${key} for ${JSON.stringify(path.slice(0, 100))}, which is no class`)
    return
  }
  const { level, why } = judge(global, true)
  if (level === 'gadget') tell('block', path, `asks by ${key} for ${path}: ${why}`, true)
  else if (level === 'unknown' && !vettedTargets.test(path)) tell('review', path, `asks by ${key} for ${path}: ${why}`)
}

const references = (value: unknown): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : Array.isArray(value)
      ? value.flatMap(references)
      : value !== null && typeof value === 'object'
        ? Object.values(value).flatMap(references)
        : []

/** Classes that the model brings itself: in files beside the weights, or in another repository. */
function checkAutoMap(value: unknown, tell: Tell): void {
  for (const reference of new Set(references(value))) {
    const [repository, inside] = reference.split('--')
    if (inside !== undefined)
      tell('review', reference, `takes its class from the repository ${repository}, whatever that holds when it is loaded: ${reference}`)
    else tell('review', reference, `takes its class from a file beside the weights, which runs with trust_remote_code: ${reference}`)
  }
}

const diffusersLibraries = new Set(['diffusers', 'transformers', 'stable_diffusion', 'onnxruntime', 'k_diffusion', 'peft'])

function checkModelIndex(root: object, tell: Tell): void {
  for (const [part, value] of Object.entries(root)) {
    if (part.startsWith('_') || !Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string') continue
    if (!diffusersLibraries.has(value[0]))
      tell('review', `${value[0]}.${value[1]}`, `takes ${part} from ${value[0]}, which is none of the libraries that pipelines are made of`)
  }
}

function checkKey(key: string, value: unknown, tell: Tell): void {
  if (key === 'auto_map') checkAutoMap(value, tell)
  else if (key === 'trust_remote_code' && value === true) tell('review', key, 'asks for trust_remote_code itself')
  else if ((key === 'custom_pipelines' || key === 'custom_pipeline') && value !== null)
    tell('review', key, `asks for a pipeline of its own: ${JSON.stringify(value).slice(0, 120)}`)
  else if (key === '_target_' && typeof value === 'string') checkTarget(value, key, tell)
  else if (/^_?attn_implementation(?:_internal|_autoset)?$/.test(key) && typeof value === 'string' && /[/:]/.test(value))
    tell('block', value, `asks for attention from the repository ${value}, whose code would be fetched and run`, true)
  else if (key === 'auto_mapping' && value !== null && typeof value === 'object') {
    const library = (value as { parent_library?: unknown }).parent_library
    if (typeof library === 'string' && !/^(?:transformers|diffusers|peft|torch)(?:\.|$)/.test(library))
      tell('review', library, `takes its base class from ${library}, which is imported by that name`)
  }
}

/** What makes a library run code because the configuration asks for it. */
export function checkConfig(root: unknown, file: string, { report }: Checked): void {
  const tell: Tell = (verdict, subject, message, runs = false) =>
    report({ rule: 'remote-code', verdict, runs, subject: subject.slice(0, 200), message: `${message}.`, offset: null })
  if (file === 'modules.json' && Array.isArray(root))
    for (const module of root) {
      const type = (module as { type?: unknown } | null)?.type
      if (typeof type === 'string') checkTarget(type, 'type', tell)
    }
  if (file === 'model_index.json' && root !== null && typeof root === 'object') checkModelIndex(root, tell)
  for (const { path, value } of valuesOf(root)) {
    const key = path.at(-1)
    if (key !== undefined) checkKey(key, value, tell)
  }
}
