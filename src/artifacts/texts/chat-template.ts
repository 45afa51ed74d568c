import { parse, tokenize } from '@huggingface/jinja'
import type { Report, Verdict } from '../observation.ts'

interface Node {
  readonly type: string
  readonly value?: unknown
  readonly [key: string]: unknown
}

/** Names that no chat template is given, and that lead to what a web application or Python itself has. */
const foreign = new Set(
  'config request self cycler joiner lipsum url_for get_flashed_messages application g session __import__ open eval exec os sys subprocess import_module popen'.split(
    ' ',
  ),
)
/** Filters that reach attributes by a name that is made while the template runs. */
const reaching = new Set(['attr'])
/** Keys of parts of a message, which templates look for in it. */
const partKeys =
  /^(?:text|image|images|image_url|video|audio|type|tool\w*|function\w*|json|document\w*|thinking|reasoning\w*|content\w*|role|name|url|system|user|assistant|arguments|parameters|output|query|answer)$/
const hidden = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u{e0000}-\u{e007f}]/u
const maxTemplate = 4 << 20
const maxNodes = 200_000

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** Every node, depth first, without recursion: templates are hostile. */
function* nodes(root: unknown): Generator<Node> {
  const open: unknown[] = [root]
  let left = maxNodes
  while (open.length > 0 && left-- > 0) {
    const value = open.pop()
    if (isNode(value)) yield value
    if (Array.isArray(value)) open.push(...value)
    else if (value instanceof Map) for (const [k, v] of value) open.push(k, v)
    else if (typeof value === 'object' && value !== null) open.push(...Object.values(value))
  }
}

const textOf = (node: unknown): string | null =>
  isNode(node) && (node.type === 'StringLiteral' || node.type === 'Identifier') && typeof node.value === 'string' ? node.value : null

/** Does the expression read the content of a message? */
function readsContent(node: unknown): boolean {
  for (const n of nodes(node)) {
    if (n.type === 'Identifier' && n.value === 'content') return true
    if (n.type === 'StringLiteral' && n.value === 'content') return true
  }
  return false
}

const isWords = (text: string): boolean => /\p{L}{2}/u.test(text) && !/^[\s<[{|/#@*`_\\(]/.test(text) && !partKeys.test(text.trim())

type Tell = (verdict: Verdict, subject: string, message: string) => void

function checkMember(node: Node, tell: Tell): void {
  const name = textOf(node.property)
  if (name?.startsWith('_')) tell('block', name, `reaches ${name}, which leads from data to Python itself`)
}

/** `'word' in message.content`, `message.content == 'word'`, `content.startswith('word')`. */
function checkCondition(node: Node, tell: Tell): void {
  const operator = (node.operator as { value?: unknown } | undefined)?.value
  const sides: readonly [unknown, unknown][] =
    node.type === 'BinaryExpression' && ['in', 'not in', '==', '!='].includes(String(operator))
      ? [
          [node.left, node.right],
          [node.right, node.left],
        ]
      : node.type === 'CallExpression' &&
          isNode(node.callee) &&
          ['startswith', 'endswith', 'find', 'count'].includes(textOf(node.callee.property) ?? '')
        ? [[(node.args as readonly unknown[] | undefined)?.[0], node.callee.object]]
        : []
  for (const [literal, other] of sides) {
    if (!isNode(literal) || literal.type !== 'StringLiteral') continue
    const text = String(literal.value)
    if (isWords(text) && readsContent(other))
      tell('review', text.slice(0, 80), `answers differently where a message holds ${JSON.stringify(text.slice(0, 80))}`)
  }
}

function checkNode(node: Node, tell: Tell): void {
  if (node.type === 'MemberExpression') checkMember(node, tell)
  else if (node.type === 'Identifier' && foreign.has(String(node.value)))
    tell('block', String(node.value), `uses ${String(node.value)}, which no chat template is given`)
  else if (node.type === 'StringLiteral' && /__\w+__|\\x5f|\\u005f/.test(String(node.value)))
    tell(
      'block',
      String(node.value).slice(0, 40),
      `holds the name ${JSON.stringify(String(node.value).slice(0, 40))}, which leads from data to Python itself`,
    )
  else if (node.type === 'FilterExpression') {
    const filter = node.filter as Node | undefined
    const name = textOf(filter) ?? textOf(filter?.callee)
    if (name !== null && reaching.has(name))
      tell('block', `filter ${name}`, `uses the filter ${name}, which reaches attributes by a name made on the way`)
  }
  checkCondition(node, tell)
}

/** What a damaged template would reach if another parser read it. */
const dunder = /\{[{%][^}]*?(?:__\w+__|\|\s*attr\s*\()/

/**
 * A chat template formats a conversation: it reads messages, and nothing else of the process. The template is parsed, never rendered.
 * `block` for what reaches Python, `review` for answers that depend on words in a message and for invisible characters.
 */
export function checkTemplate(template: string, where: string, report: Report): void {
  const told = new Set<string>()
  const tell: Tell = (verdict, subject, message) => {
    if (told.size >= 50 || told.has(subject)) return
    told.add(subject)
    report({
      rule: 'chat-template',
      verdict,
      runs: verdict === 'block',
      subject,
      message: `has a template in ${where} that ${message}.`,
      offset: null,
    })
  }
  if (template.length > maxTemplate) {
    tell('review', 'size', `has ${template.length.toLocaleString('en')} characters: it was not read`)
    return
  }
  if (hidden.test(template)) tell('review', 'invisible characters', 'holds invisible characters')
  let program: unknown
  try {
    program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }))
  } catch {
    if (dunder.test(template)) tell('block', 'dunder', 'reaches for what leads from data to Python itself')
    else tell('review', 'syntax', 'cannot be parsed')
    return
  }
  for (const node of nodes(program)) checkNode(node, tell)
}

/** Text that is written for Jinja. */
export const isTemplate = (text: string): boolean => /\{%-?\s*\w|\{\{/.test(text)
