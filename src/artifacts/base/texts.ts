import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Located } from '../observation.ts'
import type { ScannedFile } from '../scan.ts'
import { isFloat } from './numbers.ts'
import type { Placed } from './tensors.ts'

export type Tell = (observation: Omit<Located, 'inside' | 'offset'>) => void

const maxBytes = 64 << 20

/** The JSON of a file of the folder's root by its name; null where there is none that can be read. */
function jsonOf(
  files: readonly ScannedFile[],
  name: string,
): { readonly file: string; readonly value: Readonly<Record<string, unknown>> } | null {
  const file = files.find((f) => f.path === name)
  if (!file || file.bytes > maxBytes) return null
  try {
    const value: unknown = JSON.parse(readFileSync(file.location, 'utf8'))
    return value !== null && typeof value === 'object' ? { file: file.path, value: value as Readonly<Record<string, unknown>> } : null
  } catch {
    return null
  }
}

const vocabOf = (value: Readonly<Record<string, unknown>>): ReadonlyMap<string, number> => {
  const vocab = (value.model as { vocab?: unknown } | undefined)?.vocab
  if (Array.isArray(vocab)) return new Map(vocab.map((pair, i) => [String(Array.isArray(pair) ? pair[0] : pair), i]))
  return new Map(Object.entries((vocab as Record<string, number> | undefined) ?? {}))
}

/** Token by token: one that means another number is what an attacker swaps. */
export function diffTokenizer(after: readonly ScannedFile[], before: readonly ScannedFile[], tell: Tell): void {
  const own = jsonOf(after, 'tokenizer.json')
  const base = jsonOf(before, 'tokenizer.json')
  if (!own || !base) return
  const ids = vocabOf(own.value)
  const baseIds = vocabOf(base.value)
  const say = (verdict: Located['verdict'], subject: string, message: string, count: number): void =>
    tell({ rule: 'tokenizer-tampered', verdict, subject, message, file: own.file, count })
  const swapped = [...baseIds].filter(([token, id]) => ids.has(token) && ids.get(token) !== id)
  const gone = [...baseIds.keys()].filter((token) => !ids.has(token))
  const added = [...ids.keys()].filter((token) => !baseIds.has(token)).length
  const shown = (tokens: readonly string[]): string =>
    tokens
      .slice(0, 5)
      .map((t) => JSON.stringify(t))
      .join(', ')
  if (swapped.length > 0)
    say(
      'block',
      'swapped ids',
      `gives other numbers than the base model to ${swapped.length} tokens: ${shown(swapped.map(([token]) => token))}.`,
      swapped.length,
    )
  if (gone.length > 0) say('review', 'removed tokens', `lacks ${gone.length} tokens of the base model: ${shown(gone)}.`, gone.length)
  if (added > 0) say('note', 'added tokens', `has ${added} tokens more than the base model.`, added)
  for (const [key, part] of [
    ['merges', (v: Readonly<Record<string, unknown>>) => (v.model as { merges?: unknown } | undefined)?.merges],
    ['normalizer', (v: Readonly<Record<string, unknown>>) => v.normalizer],
    ['pre_tokenizer', (v: Readonly<Record<string, unknown>>) => v.pre_tokenizer],
  ] as const)
    if (JSON.stringify(part(own.value) ?? null) !== JSON.stringify(part(base.value) ?? null))
      say('review', key, `has other ${key} than the base model.`, 1)
}

function templateOf(files: readonly ScannedFile[]): { readonly file: string; readonly text: string } | null {
  const single = files.find((f) => f.path === 'chat_template.jinja')
  if (single && single.bytes <= maxBytes) return { file: single.path, text: readFileSync(single.location, 'utf8') }
  const config = jsonOf(files, 'tokenizer_config.json')
  const template = config?.value.chat_template
  return config && template !== undefined
    ? { file: config.file, text: typeof template === 'string' ? template : JSON.stringify(template) }
    : null
}

const plain = (text: string): string => text.replace(/\s+/g, ' ').trim()

export function diffTemplate(after: readonly ScannedFile[], before: readonly ScannedFile[], tell: Tell): void {
  const own = templateOf(after)
  const base = templateOf(before)
  if (!own || !base || plain(own.text) === plain(base.text)) return
  const [a, b] = [plain(own.text), plain(base.text)]
  let at = 0
  while (a[at] === b[at]) at++
  const message = `has another chat template than the base model, from ${JSON.stringify(a.slice(Math.max(0, at - 20), at + 60))} on.`
  tell({ rule: 'chat-template', verdict: 'review', subject: 'other than the base', message, file: own.file })
}

const lora = /^(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.\w+)?\.weight$/

/** Does the adapter name this base, and do its matrices fit its tensors? */
export function checkAdapter(
  after: readonly ScannedFile[],
  tensors: ReadonlyMap<string, Placed>,
  before: readonly ScannedFile[],
  base: ReadonlyMap<string, Placed>,
  baseName: string,
  tell: Tell,
): void {
  const config = jsonOf(after, 'adapter_config.json')
  if (!config) return
  const say = (subject: string, message: string): void =>
    tell({ rule: 'adapter-mismatch', verdict: 'review', subject, message, file: config.file })
  const named = config.value.base_model_name_or_path
  const own = jsonOf(before, 'config.json')?.value._name_or_path
  const accepted = [baseName, typeof own === 'string' ? own : ''].filter((n) => n !== '').map((n) => basename(n).toLowerCase())
  if (typeof named !== 'string' || named === '') say('base model', 'names no base model.')
  else if (!accepted.includes(basename(named).toLowerCase()))
    say(named.slice(0, 200), `is made for ${named}, and the base model is ${baseName}.`)
  const rank = config.value.r
  for (const [name, { shape }] of tensors) {
    const match = lora.exec(name)
    if (!match) continue
    const [, path = '', which] = match
    const target = base.get(`${path}.weight`) ?? [...base].find(([key]) => key.endsWith(`.${path}.weight`))?.[1]
    const [outer, inner] = which === 'A' ? [shape[1], shape[0]] : [shape[0], shape[1]]
    if (target === undefined) say(path, `changes ${path}, which the base model does not have.`)
    else if (isFloat(target) && target.shape.length === 2 && outer !== target.shape[which === 'A' ? 1 : 0])
      say(path, `has a matrix for ${path} of shape ${shape.join(' x ')}, which does not fit ${target.shape.join(' x ')}.`)
    if (typeof rank === 'number' && inner !== rank && config.value.rank_pattern === undefined)
      say(`rank of ${path}`, `says its rank is ${rank}, and that of ${path} is ${inner}.`)
  }
}
