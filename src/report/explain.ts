import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../contracts/package-root.ts'
import { ReportError } from './errors.ts'

const pages = (): string => join(packageRoot, 'docs', 'rules')

/** Ids of all rules that have a page, sorted. */
export async function ruleIds(): Promise<readonly string[]> {
  const ids: string[] = []
  for (const folder of await readdir(pages(), { withFileTypes: true })) {
    if (!folder.isDirectory()) continue
    for (const file of await readdir(join(pages(), folder.name))) if (file.endsWith('.md')) ids.push(`${folder.name}/${file.slice(0, -3)}`)
  }
  return ids.sort()
}

/** Optimal string alignment distance (Damerau-Levenshtein with adjacent swaps). */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min((previous[j] as number) + 1, (row[j - 1] as number) + 1, (previous[j - 1] as number) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] as number) + 1)
      row.push(least)
    }
    before = previous
    previous = row
  }
  return previous[b.length] as number
}

/** At most three ids, nearest first: same rule name, same detector, or few letters apart. */
export function nearestRules(id: string, ids: readonly string[]): readonly string[] {
  const asked = id.slice(0, 100).toLowerCase()
  const score = (candidate: string): number => {
    const [detector, rule] = candidate.split('/')
    if (asked === rule || asked === detector) return 0
    return Math.min(distance(asked, candidate), distance(asked, rule as string) + 1)
  }
  return ids
    .map((candidate) => ({ candidate, score: score(candidate) }))
    .filter(({ candidate, score }) => score <= Math.max(3, candidate.length / 3))
    .sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

/**
 * The page of a rule, as Markdown.
 * @throws {ReportError} `no-rule-page`, with the nearest names
 */
export async function explainRule(ruleId: string): Promise<string> {
  const ids = await ruleIds()
  if (ids.includes(ruleId)) return readFile(join(pages(), `${ruleId}.md`), 'utf8')
  const near = nearestRules(ruleId, ids)
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Rules: ${ids.join(', ')}.`
  throw ReportError.of('no-rule-page', `no rule is called ${ruleId.slice(0, 100)}`, 4, hint)
}
