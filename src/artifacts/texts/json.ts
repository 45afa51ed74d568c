import { unsafeName } from '../containers/member.ts'
import type { Checked, Checker } from '../formats/checker.ts'
import { duplicateKey } from '../formats/strict-json.ts'
import { checkTemplate, isTemplate } from './chat-template.ts'
import { checkConfig } from './config.ts'
import { checkKeras } from './keras.ts'
import { checkPublishers } from './publishers.ts'
import { checkTokenizer } from './tokenizer.ts'
import { valuesOf } from './values.ts'

/** Files of a model whose damage is worth telling. */
const important = /(?:^|\/)(?:[\w-]*config|tokenizer|vocab|special_tokens_map|added_tokens|model_index|[\w.-]*\.index)\.json$/

const fileName = (name: string): string => name.slice(name.lastIndexOf('/') + 1)

/** Templates by the keys that libraries read them from, and any text that reaches for Python. */
function checkTemplates(root: unknown, { report }: Checked): void {
  for (const { path, value } of valuesOf(root)) {
    if (typeof value !== 'string' || !isTemplate(value)) continue
    const keyed = path.some((key) => /template/i.test(key))
    if (keyed || /__\w+__|\|\s*attr\b/.test(value)) checkTemplate(value, path.join('.') || 'the document', report)
  }
}

/** Shards of an index are files of the folder. */
function checkIndex(root: unknown, { report }: Checked): void {
  const map = (root as { weight_map?: unknown } | null)?.weight_map
  if (map === null || typeof map !== 'object') return
  for (const file of new Set(Object.values(map as object))) {
    const unsafe = typeof file === 'string' ? unsafeName(file) : 'is no text'
    if (unsafe !== null)
      report({
        rule: 'format-violation',
        verdict: 'block',
        subject: String(file).slice(0, 200),
        message: `names a shard whose name ${unsafe}: ${JSON.stringify(file)}.`,
        offset: null,
      })
  }
}

/** Configuration, tokenizers, indices, architectures: what libraries read, and what they would run because of it. */
export const checkJson: Checker = (checked) => {
  const { bytes, name, report, limits } = checked
  if (bytes.size > limits.maxTextBytes) {
    if (important.test(name))
      report({
        rule: 'opaque-container',
        verdict: 'review',
        subject: 'size',
        message: `has ${bytes.size.toLocaleString('en')} bytes of JSON: it was not read.`,
        offset: null,
      })
    return
  }
  const text = bytes.read(0, bytes.size).toString('utf8')
  let root: unknown
  try {
    root = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    if (important.test(name))
      report({
        rule: 'format-violation',
        verdict: 'review',
        subject: 'json',
        message: 'is no JSON, though libraries read it as such.',
        offset: null,
      })
    if (isTemplate(text) && /__\w+__/.test(text)) checkTemplate(text, 'the text', report)
    return
  }
  if (important.test(name) && text.length < 1 << 20) twice(text, report)
  checkTemplates(root, checked)
  checkIndex(root, checked)
  checkConfig(root, fileName(name), checked)
  checkPublishers(root, checked)
  checkKeras(root, checked)
  checkTokenizer(root, fileName(name), checked)
}

function twice(text: string, report: Checked['report']): void {
  try {
    const found = duplicateKey(text)
    if (found)
      report({
        rule: 'format-violation',
        verdict: 'review',
        subject: found.key.slice(0, 100),
        message: `has the key ${JSON.stringify(found.key.slice(0, 100))} twice: readers differ in which they take.`,
        offset: null,
      })
  } catch {
    report({
      rule: 'format-violation',
      verdict: 'review',
      subject: 'depth',
      message: 'nests deeper than any configuration does.',
      offset: null,
    })
  }
}
