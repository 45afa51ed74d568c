import type { Checked } from '../formats/checker.ts'
import type { Verdict } from '../observation.ts'

interface Added {
  readonly id?: unknown
  readonly content?: unknown
}

interface TokenizerFile {
  readonly model?: { readonly type?: unknown; readonly vocab?: unknown; readonly merges?: unknown }
  readonly added_tokens?: unknown
  readonly normalizer?: unknown
}

/** Ids by token: an object of BPE and WordPiece, or a list of [token, score] of Unigram. */
function idsOf(vocab: unknown): ReadonlyMap<string, number> | null {
  if (Array.isArray(vocab)) {
    const ids = new Map<string, number>()
    vocab.forEach((pair, i) => {
      const token = Array.isArray(pair) ? pair[0] : null
      if (typeof token === 'string' && !ids.has(token)) ids.set(token, i)
    })
    return ids
  }
  if (vocab === null || typeof vocab !== 'object') return null
  return new Map(Object.entries(vocab as object).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}

/** A rule that turns one text into another before tokens are made: of several letters, it changes words. */
function* replacements(normalizer: unknown): Generator<readonly [string, string]> {
  const open: unknown[] = [normalizer]
  for (let n = 0; open.length > 0 && n < 1_000; n++) {
    const node = open.pop()
    if (node === null || typeof node !== 'object') continue
    const { type, pattern, content, normalizers, pretokenizers } = node as { [key: string]: unknown }
    if (type === 'Replace' && typeof content === 'string') {
      const { String: literal, Regex: regex } = (pattern ?? {}) as { String?: unknown; Regex?: unknown }
      yield [String(literal ?? regex ?? ''), content]
    }
    for (const list of [normalizers, pretokenizers]) if (Array.isArray(list)) open.push(...list)
  }
}

/** `tokenizer.json` against itself: one id a token and one token an id, merges of known tokens, no rewriting of words. */
export function checkTokenizer(root: unknown, file: string, { report, note }: Checked): void {
  if (file !== 'tokenizer.json' || root === null || typeof root !== 'object') return
  const { model, added_tokens: addedTokens, normalizer } = root as TokenizerFile
  const tell = (verdict: Verdict, subject: string, message: string, count = 1): void =>
    report({ rule: 'tokenizer-tampered', verdict, subject: subject.slice(0, 100), message: `${message}.`, offset: null, count })
  const ids = idsOf(model?.vocab)
  if (ids === null) {
    tell('review', 'vocab', 'has no vocabulary')
    return
  }
  const tokens = new Map<number, string>()
  let shared = 0
  let example = ''
  for (const [token, id] of ids) {
    const other = tokens.get(id)
    if (other !== undefined && shared++ === 0) example = `${JSON.stringify(other)} and ${JSON.stringify(token)} are both ${id}`
    tokens.set(id, token)
  }
  if (shared > 0) tell('block', 'vocab', `gives ${shared} ids to two tokens each: ${example}`, shared)
  const added = Array.isArray(addedTokens) ? addedTokens.filter((one): one is Added => one !== null && typeof one === 'object') : []
  for (const { id, content } of added) {
    if (typeof id !== 'number' || typeof content !== 'string') continue
    const other = tokens.get(id)
    if (other !== undefined && other !== content)
      tell('block', content, `adds the token ${JSON.stringify(content)} under the id ${id} of ${JSON.stringify(other)}`)
    const own = ids.get(content)
    if (own !== undefined && own !== id)
      tell('block', content, `adds the token ${JSON.stringify(content)} under the id ${id}, though its vocabulary has it under ${own}`)
  }
  if (model?.type === 'BPE') checkMerges(model.merges, ids, tell)
  for (const [from, to] of replacements(normalizer))
    if (/\p{L}{2}/u.test(from.replace(/\\[pPwWsSdDbBuUxX](?:\{[^}]*\})?/g, '')) || /\p{L}{2}/u.test(to))
      tell('review', from, `rewrites ${JSON.stringify(from.slice(0, 60))} to ${JSON.stringify(to.slice(0, 60))} before it makes tokens`)
  note(`tokenizer: ${ids.size.toLocaleString('en')} tokens, ${added.length.toLocaleString('en')} added`)
}

function checkMerges(
  merges: unknown,
  ids: ReadonlyMap<string, number>,
  tell: (verdict: Verdict, subject: string, message: string, count?: number) => void,
): void {
  if (!Array.isArray(merges)) return
  let unknown = 0
  let example = ''
  for (const merge of merges) {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge
    if (!Array.isArray(pair) || pair.length !== 2) continue
    if (ids.has(String(pair[0])) && ids.has(String(pair[1])) && ids.has(`${pair[0]}${pair[1]}`)) continue
    if (unknown++ === 0) example = JSON.stringify(pair)
  }
  if (unknown > 0)
    tell('review', 'merges', `merges what its vocabulary does not have: ${unknown} of ${merges.length} merges, first ${example}`, unknown)
}
