import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { escapePath, isDynamicPattern } from 'tinyglobby'
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { ConfigError, type ConfigErrorCode, type ConfigIssue, fileError } from './errors.ts'

/** Bounds on a file that a person writes by hand. */
const maxBytes = 1 << 20
const maxDepth = 32
const maxAliases = 50

export type KeyPath = readonly (string | number)[]

/** A YAML file as plain data, with the position of everything in it. */
export interface YamlFile {
  /** As shown in messages: relative to the working directory where that is shorter. */
  readonly name: string
  readonly path: string
  readonly value: unknown
  readonly lines: LineCounter
  readonly doc: Document
}

export interface Position {
  readonly line: number
  readonly column: number
}

export const displayName = (path: string): string => {
  const shorter = relative(process.cwd(), path)
  return shorter && !shorter.startsWith('..') && !isAbsolute(shorter) ? shorter : path
}

export const formatKey = (path: KeyPath): string => {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += `${text ? '.' : ''}${/^[\w-]+$/.test(part) ? part : JSON.stringify(part)}`
  }
  return text
}

async function readBounded(path: string, name: string): Promise<string> {
  let bytes: Buffer
  try {
    const handle = await open(path, 'r')
    try {
      const stat = await handle.stat()
      if (stat.isDirectory()) throw fileError('unreadable-config', name, 'is a folder, not a pipeline file')
      const buffer = Buffer.alloc(maxBytes + 1)
      let length = 0
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null)
        length += bytesRead
        if (bytesRead === 0 || length === buffer.length) break
      }
      bytes = buffer.subarray(0, length)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const code = (error as NodeJS.ErrnoException).code
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission denied' : `cannot be read (${code ?? 'unknown error'})`
    throw fileError('unreadable-config', name, why)
  }
  if (bytes.length > maxBytes) throw fileError('config-too-large', name, `is larger than ${maxBytes} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fileError('config-not-utf8', name, 'is not UTF-8 text', 'save the file as UTF-8')
  }
}

const positionAt = (lines: LineCounter, offset: number): Position => {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

/** Explicit tags, keys that JavaScript treats specially, and depth: what plain data cannot hold or should not. */
function* unwanted(doc: Document): Generator<{ offset: number; message: string }> {
  const stack: { node: unknown; depth: number }[] = [{ node: doc.contents, depth: 0 }]
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { node, depth } = top
    if (isPair(node)) {
      if (isScalar(node.key) && node.key.value === '__proto__')
        yield { offset: node.key.range?.[0] ?? 0, message: '"__proto__" cannot be a key' }
      stack.push({ node: node.value, depth }, { node: node.key, depth })
      continue
    }
    const offset = (node as Node | null)?.range?.[0] ?? 0
    if (depth > maxDepth) {
      yield { offset, message: `is nested deeper than ${maxDepth} levels` }
      return
    }
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.tag)
      yield { offset, message: `has the tag ${node.tag}: tags are not used here` }
    if (isMap(node) || isSeq(node)) for (const item of node.items) stack.push({ node: item, depth: depth + 1 })
  }
}

/**
 * Reads a YAML (or JSON) file of at most 1 MiB into plain data.
 * @throws ConfigError unreadable, too large, not UTF-8, or not YAML (every syntax error with its position)
 */
export async function readYaml(path: string): Promise<YamlFile> {
  const name = displayName(path)
  const text = await readBounded(path, name)
  const lines = new LineCounter()
  const at = (offset: number, message: string): ConfigIssue => ({ file: name, ...positionAt(lines, offset), key: '', message, hint: null })
  const fail = (issues: readonly ConfigIssue[]): never => {
    throw new ConfigError('config-syntax', issues)
  }
  try {
    const doc = parseDocument(text, { lineCounter: lines, stringKeys: true, prettyErrors: false, logLevel: 'error' })
    if (doc.errors.length) fail(doc.errors.map((e) => at(e.pos[0], e.message.split('\n')[0] ?? '')))
    if (doc.directives?.yaml.version === '1.1') fail([at(0, 'asks for YAML 1.1: remove the %YAML line, the file is read as YAML 1.2')])
    const found = [...unwanted(doc)].map((u) => at(u.offset, u.message))
    if (found.length) fail(found)
    return { name, path, value: doc.toJS({ maxAliasCount: maxAliases }), lines, doc }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    if (error instanceof RangeError) return fail([at(0, 'is nested too deeply')])
    return fail([at(0, error instanceof Error ? error.message : 'cannot be read as YAML')])
  }
}

/** Where `path` stands in the file: its value, its key (`on: 'key'`), or the nearest ancestor that exists. */
export function locate(yaml: YamlFile, path: KeyPath, on: 'key' | 'value' = 'value'): Position & { readonly exact: boolean } {
  let node: unknown = yaml.doc.contents
  let offset = (node as Node | null)?.range?.[0] ?? 0
  let exact = true
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(yaml.doc)
    if (isMap(node)) {
      const pair = node.items.find((p) => isScalar(p.key) && String(p.key.value) === part)
      if (!pair) {
        exact = false
        break
      }
      const key = pair.key as Node
      const value = pair.value as Node | null
      const last = depth === path.length - 1
      const empty = !value?.range || (isScalar(value) && value.value === null)
      offset = ((last && on === 'key') || empty ? key.range?.[0] : value?.range?.[0]) ?? offset
      node = value
    } else if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
      node = node.items[part]
      offset = (node as Node | null)?.range?.[0] ?? offset
    } else {
      exact = false
      break
    }
  }
  return { ...positionAt(yaml.lines, offset), exact }
}

export const issueAt = (
  yaml: YamlFile,
  path: KeyPath,
  message: string,
  options: { hint?: string | null; on?: 'key' | 'value' } = {},
): ConfigIssue => {
  const { line, column } = locate(yaml, path, options.on)
  return { file: yaml.name, line, column, key: formatKey(path), message, hint: options.hint ?? null }
}

export const failAt = (code: ConfigErrorCode, yaml: YamlFile, path: KeyPath, message: string, hint?: string): ConfigError =>
  new ConfigError(code, [issueAt(yaml, path, message, hint === undefined ? {} : { hint })])

/**
 * A path or glob without its dependence on `folder`. A glob keeps its meaning where the folder's own name has brackets;
 * an address (`s3://...`) stays as it is: whoever reads it says that it cannot be read.
 */
export function absolute(folder: string, path: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return path
  const plain = resolve(folder, path)
  const special = isDynamicPattern(path) && !isAbsolute(path) && escapePath(folder) !== folder && !existsSync(plain)
  return special ? `${escapePath(folder)}/${path}` : plain
}

/** A path in a file is relative to the folder of that file. */
export const resolveFrom = (yaml: YamlFile, path: string): string => absolute(dirname(yaml.path), path)
