import { realpathSync, statSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import { escapeTerminal } from '../report/escape.ts'
import { formatCount } from '../report/format.ts'
import { gradeWords } from '../report/provenance-words.ts'
import type { Report } from '../report/schema.ts'
import { UsageError } from './errors.ts'

const maxFiles = 20
const maxPath = 200

/** Every file that is not verified, the gravest first; nothing where there is at most one, which the findings name. */
export function openFiles({ provenance }: Report): string {
  if (!provenance?.coverage) return ''
  const { files, byGrade } = provenance.coverage
  const all = files - byGrade.verified.files
  if (all < 2) return ''
  const shown = provenance.files.filter(({ grade }) => grade !== 'verified').slice(0, maxFiles)
  const width = Math.max(...shown.map(({ grade }) => gradeWords[grade].length))
  const lines = shown.map(({ grade, path }) => `  ${gradeWords[grade].padEnd(width)}  ${escapeTerminal(path.slice(0, maxPath))}`)
  const more = all > shown.length ? [`  and ${formatCount(all - shown.length)} more; --to json lists 1,000, the gravest first`] : []
  return ['', 'Files that are not verified', ...lines, ...more, ''].join('\n')
}

/** A report in the delivery would be a file of it that nobody vouches for. */
export function refuseInside(delivery: string, target: string | undefined, option: string): void {
  if (target === undefined || target === '-') return
  const root = statSync(delivery, { throwIfNoEntry: false })?.isDirectory() ? realpathSync(delivery) : null
  if (root === null) return
  let folder = resolve(target)
  while (!statSync(folder, { throwIfNoEntry: false })) folder = dirname(folder)
  const way = relative(root, realpathSync(folder))
  if (way !== '..' && !way.startsWith(`..${sep}`))
    throw new UsageError(
      `${option} ${target} lies in the delivery, which would then hold a file that nobody vouches for`,
      'write it elsewhere',
    )
}
