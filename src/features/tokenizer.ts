import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { FeatureError } from './errors.ts'

export interface Tokens {
  readonly ids: readonly number[]
  readonly cut: boolean
}

const maxFileBytes = 128 * 2 ** 20
/** Characters read for each token that the model takes: more would be cut anyway, and a tokenizer's patterns may be slow. */
const charactersPerToken = 32

/** The tokenizer in `folder`, as Hugging Face saves it. Only the folder is read: remote models are switched off. */
export async function openTokenizer(folder: string, maxTokens: number): Promise<(text: string) => Tokens> {
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    const size = statSync(join(folder, file), { throwIfNoEntry: false })?.size
    if (size === undefined)
      throw new FeatureError(
        'model-missing',
        `there is no ${file} in ${folder}`,
        { file: folder },
        'name the folder of the tokenizer as features.text.tokenizer',
      )
    if (size > maxFileBytes)
      throw new FeatureError('model-unsafe', `${file} in ${folder} has ${size} bytes, more than ${maxFileBytes}`, { file: folder })
  }
  const { AutoTokenizer, env } = await import('@huggingface/transformers')
  env.allowRemoteModels = false
  env.allowLocalModels = true
  env.useFSCache = false
  env.useBrowserCache = false
  let tokenizer: Awaited<ReturnType<typeof AutoTokenizer.from_pretrained>>
  try {
    tokenizer = await AutoTokenizer.from_pretrained(resolve(folder), { local_files_only: true })
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.slice(0, 200) : ''
    throw new FeatureError('model-broken', `the tokenizer in ${folder} cannot be read: ${said}`, { file: folder })
  }
  const encode = (text: string, specials: boolean): readonly number[] =>
    (tokenizer(text, { add_special_tokens: specials, return_tensor: false }) as unknown as { input_ids: number[] }).input_ids
  // What the tokenizer puts behind a text stays when the text is cut.
  const [framed, bare] = [encode('a', true), encode('a', false)]
  const before = framed.findIndex((_, i) => bare.every((id, k) => framed[i + k] === id))
  const after = Math.max(0, framed.length - bare.length - Math.max(0, before))
  return (text) => {
    const most = maxTokens * charactersPerToken
    const kept = text.length > most ? text.slice(0, most) : text
    const ids = encode(kept, true)
    if (ids.length <= maxTokens) return { ids, cut: kept !== text }
    const tail = Math.min(after, maxTokens - 1)
    return { ids: [...ids.slice(0, maxTokens - tail), ...ids.slice(ids.length - tail)], cut: true }
  }
}
