import type { Checked } from '../formats/checker.ts'
import { valuesOf } from './values.ts'

/** Letters of other scripts that are drawn like Latin ones, and signs that stand for letters. */
const drawnAlike: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['aаα4@', 'a'],
    ['bЬв8', 'b'],
    ['cсϲ', 'c'],
    ['dԁ', 'd'],
    ['eеє3ε', 'e'],
    ['gɡ9', 'g'],
    ['hһн', 'h'],
    ['iіıɩι1l|!j', 'l'],
    ['kκк', 'k'],
    ['mм', 'm'],
    ['nո', 'n'],
    ['oоοօ0', 'o'],
    ['pрρ', 'p'],
    ['qԛ', 'q'],
    ['sѕ5$', 's'],
    ['tтτ7', 't'],
    ['uυս', 'u'],
    ['vν', 'v'],
    ['wԝ', 'w'],
    ['xхχ', 'x'],
    ['yуγ', 'y'],
    ['z2', 'z'],
  ].flatMap(([from = '', to = '']) => [...from.toLowerCase()].map((letter) => [letter, to])),
)

/** What a name looks like at a glance: case, separators, marks and look-alike letters taken away. */
export function skeletonOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}\s._-]/gu, '')
  return [...plain]
    .map((letter) => drawnAlike[letter] ?? letter)
    .join('')
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w')
}

/** Letters to insert, delete, replace or swap with their neighbour, to get from one name to the other; more than `most` counts as `most + 1`. */
export function editsBetween(a: string, b: string, most = 2): number {
  const [x, y] = [[...a], [...b]]
  if (Math.abs(x.length - y.length) > most) return most + 1
  let before: number[] = []
  let last = Array.from({ length: y.length + 1 }, (_, j) => j)
  for (let i = 1; i <= x.length; i++) {
    const row = [i]
    for (let j = 1; j <= y.length; j++) {
      const cost = x[i - 1] === y[j - 1] ? 0 : 1
      let least = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + cost)
      if (i > 1 && j > 1 && x[i - 1] === y[j - 2] && x[i - 2] === y[j - 1]) least = Math.min(least, (before[j - 2] as number) + 1)
      row.push(least)
    }
    before = last
    last = row
  }
  return Math.min(most + 1, last[y.length] as number)
}

export interface Likeness {
  readonly allowed: string
  readonly verdict: 'block' | 'review'
  readonly how: string
}

/** Shorter names lie near each other by chance. */
const shortestSkeleton = 3
const lengthForOne = 5
const lengthForTwo = 8
const maxName = 100

/** The allowed publisher that a name may be taken for; null where it is on the list, or like none of it. */
export function likenessOf(name: string, publishers: readonly string[]): Likeness | null {
  if (publishers.includes(name) || name.length > maxName) return null
  for (const allowed of publishers)
    if (name.toLowerCase() === allowed.toLowerCase()) return { allowed, verdict: 'review', how: 'by upper and lower case alone' }
  const skeleton = skeletonOf(name)
  for (const allowed of publishers)
    if (skeleton.length >= shortestSkeleton && skeleton === skeletonOf(allowed))
      return { allowed, verdict: 'block', how: 'by letters or signs that look alike' }
  for (const distance of [1, 2])
    for (const allowed of publishers) {
      const shortest = Math.min(name.length, allowed.length)
      if (shortest < (distance === 1 ? lengthForOne : lengthForTwo)) continue
      if (editsBetween(name.toLowerCase(), allowed.toLowerCase()) === distance)
        return { allowed, verdict: distance === 1 ? 'block' : 'review', how: distance === 1 ? 'by one letter' : 'by two letters' }
    }
  return null
}

/** `publisher/name` as hubs write it, also in an address of one; null for what is a path, or names no publisher. */
export function publisherOf(reference: string): string | null {
  const plain = reference.trim().replace(/^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co)\//i, '')
  const match = /^([^\s/\\:~.][^\s/\\:]*)\/[^\s/\\:]+(?:\/(?:tree|blob|resolve)\/.*)?\/?$/u.exec(plain)
  return match?.[1] ?? null
}

const keys = new Set([
  '_name_or_path',
  'name_or_path',
  'base_model_name_or_path',
  'base_model',
  '_attn_implementation',
  'attn_implementation',
])
const maxTold = 50

const texts = (value: unknown): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : value !== null && typeof value === 'object'
      ? Object.values(value).filter((v): v is string => typeof v === 'string')
      : []

/** Where a model says that it, its base or its code comes from. */
function* referencesOf(root: unknown): Generator<readonly [string, string]> {
  for (const { path, value } of valuesOf(root)) {
    const key = path.at(-1)
    if (key === undefined) continue
    if (keys.has(key)) for (const text of texts(value)) yield [key, text]
    else if (path.includes('auto_map') && typeof value === 'string' && value.includes('--'))
      yield ['auto_map', value.split('--')[0] as string]
  }
}

/** Names of publishers held against those that are allowed: one that is like an allowed name and is not it, and others as a note. */
function tellAll(references: Iterable<readonly [string, string]>, { publishers, report }: Checked): void {
  const told = new Set<string>()
  for (const [key, reference] of references) {
    const publisher = publisherOf(reference)
    if (publisher === null || told.has(publisher) || told.size >= maxTold || publishers.includes(publisher)) continue
    told.add(publisher)
    const like = likenessOf(publisher, publishers)
    const name = JSON.stringify(publisher.slice(0, maxName))
    report({
      rule: 'look-alike',
      verdict: like?.verdict ?? 'note',
      subject: publisher.slice(0, maxName),
      message: like
        ? `names by ${key} the publisher ${name}, which differs from the allowed ${JSON.stringify(like.allowed)} ${like.how}.`
        : `names by ${key} the publisher ${name}, which is not on the list of allowed ones.`,
      offset: null,
    })
  }
}

/** Names of publishers in a configuration, an adapter or a tokenizer. */
export function checkPublishers(root: unknown, checked: Checked): void {
  if (checked.publishers.length > 0) tellAll(referencesOf(root), checked)
}

/** `base_model` in the front matter of a model card: one name, or a list. */
export function checkModelCard(text: string, checked: Checked): void {
  if (checked.publishers.length === 0) return
  const front = /^\ufeff?---\r?\n([\s\S]{0,200000}?)\r?\n---/.exec(text)?.[1]
  if (front === undefined) return
  const found: [string, string][] = []
  let inside = false
  for (const line of front.split(/\r?\n/)) {
    const own = /^base_model\s*:\s*(.*)$/.exec(line)
    const item: RegExpExecArray | null = inside ? /^\s*-\s+(.+)$/.exec(line) : null
    inside = own !== null || item !== null
    for (const one of (own?.[1] ?? item?.[1] ?? '').replace(/[[\]]/g, '').split(',')) {
      const name = one
        .replace(/\s#.*$/, '')
        .trim()
        .replace(/^(["'])(.*)\1$/, '$2')
      if (name !== '') found.push(['base_model', name])
    }
  }
  tellAll(found, checked)
}
