import type { Checked, Checker } from '../formats/checker.ts'
import { checkTemplate, isTemplate } from './chat-template.ts'
import { checkModelCard } from './publishers.ts'

/** What code beside weights has no business with, and how bad it is. Words of code, found without running it. */
const patterns: readonly (readonly ['block' | 'review', string, RegExp])[] = [
  ['block', 'decoded code', /\b(?:exec|eval)\s*\(\s*(?:compile\s*\(\s*)?(?:base64|codecs|zlib|marshal|bytes\.fromhex|binascii|__import__)/],
  ['block', 'fetched code', /\b(?:exec|eval)\s*\([^)\n]{0,120}(?:urlopen|requests\.|httpx\.|urllib)/],
  ['block', 'a shell', /\bos\.(?:system|popen|exec[lv]p?e?|spawn\w+)\s*\(|\bpty\.spawn\s*\(/],
  ['block', 'marshalled code', /\bmarshal\.loads\s*\(/],
  ['block', 'a reverse shell', /socket\.socket[\s\S]{0,400}(?:os\.dup2|\/bin\/(?:ba)?sh)/],
  ['block', 'a hidden import', /\b__import__\s*\(\s*['"](?:os|subprocess|socket|ctypes|pty)['"]/],
  ['review', 'processes', /\bsubprocess\.\w+\s*\(/],
  ['review', 'exec or eval', /(?<![.\w])(?:exec|eval)\s*\(/],
  ['review', 'the network', /\b(?:requests\.(?:get|post)|urllib\.request\.|urlopen\s*\(|socket\.socket\s*\(|http\.client)/],
  ['review', 'pickle', /\bpickle\.loads?\s*\(|\bdill\.loads?\s*\(/],
  ['review', 'native code', /\bctypes\.(?:CDLL|cdll)|\bcffi\b/],
]
/** Operators of TorchScript that read or write files; the rest of the language cannot. */
const torchScript = /\b(?:torch|aten|ops\.\w+)\.(?:save|from_file|load|_load_for_mobile)\s*\(/
const torchScriptFile = /(?:^|\/)code\/.*\.py$/

function lineOf(text: string, at: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) line++
  return line
}

/** Python beside weights, and the TorchScript of an archive: searched as text. */
export const checkPython: Checker = ({ bytes, name, report, limits, note }) => {
  const text = bytes.read(0, Math.min(bytes.size, limits.maxTextBytes)).toString('utf8')
  const inScript = torchScriptFile.test(name)
  for (const [verdict, what, pattern] of patterns) {
    const found = pattern.exec(text)
    if (found === null) continue
    report({
      rule: 'remote-code',
      verdict,
      runs: false,
      subject: what,
      message: `has ${what} in line ${lineOf(text, found.index)}: ${found[0].replace(/\s+/g, ' ').slice(0, 80)}.`,
      offset: Buffer.byteLength(text.slice(0, found.index)),
    })
  }
  const script = inScript ? torchScript.exec(text) : null
  if (script)
    report({
      rule: 'remote-code',
      verdict: 'block',
      runs: true,
      subject: script[0].replace(/\s*\($/, ''),
      message: `has TorchScript that reads or writes files in line ${lineOf(text, script.index)}: ${script[0]}.`,
      offset: Buffer.byteLength(text.slice(0, script.index)),
    })
  note(
    inScript
      ? 'TorchScript, which runs when the model is called'
      : 'Python code, which runs only if somebody loads the model with trust_remote_code or imports it',
  )
}

/** Native code beside weights. */
export const checkExecutable: Checker = ({ report }) =>
  report({ rule: 'remote-code', verdict: 'review', subject: 'native code', message: 'is native code: a library or a program.', offset: 0 })

export const checkTemplateFile: Checker = ({ bytes, report, limits }) =>
  checkTemplate(bytes.read(0, limits.maxTextBytes).toString('utf8'), 'the file', report)

const targets = /(?:^|\n)\s*_target_:\s*["']?([A-Za-z_][\w.]*)/g

/** Other text: YAML with classes to be made, prompts with templates in them. */
export const checkText: Checker = (checked) => {
  const { bytes, name, report, limits } = checked
  if (bytes.size > limits.maxTextBytes) return
  const text = bytes.read(0, bytes.size).toString('utf8')
  if (/\.(?:md|markdown)$/i.test(name)) checkModelCard(text, checked)
  if (/\.ya?ml$/i.test(name)) checkYaml(text, checked)
  const prompt = /template|prompt/i.test(name) && isTemplate(text)
  if (prompt || (isTemplate(text) && /\{[{%][^}]*(?:__\w+__|\|\s*attr\b)/.test(text))) checkTemplate(text, 'the file', report)
}

function checkYaml(text: string, { report }: Checked): void {
  const tag = /!!python\/(?:object(?:\/(?:apply|new))?|module|name):([\w.]+)/.exec(text)
  if (tag)
    report({
      rule: 'remote-code',
      verdict: 'block',
      runs: true,
      subject: tag[1] as string,
      message: `makes ${tag[1]} when YAML is loaded without care: ${tag[0]}.`,
      offset: tag.index,
    })
  for (const [, target = ''] of text.matchAll(targets)) checkYamlTarget(target, report)
}

function checkYamlTarget(target: string, report: Checked['report']): void {
  if (/^(?:os|sys|subprocess|builtins|importlib|shutil|socket|runpy|pickle|marshal|ctypes|pty|code|posix|nt)\./.test(target))
    report({
      rule: 'remote-code',
      verdict: 'block',
      runs: true,
      subject: target,
      message: `asks by _target_ for ${target}, which runs code.`,
      offset: null,
    })
}
