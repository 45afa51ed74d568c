import { escapeTerminal } from '../report/escape.ts'
import { formatCount } from '../report/format.ts'
import { gradeWords } from '../report/provenance-words.ts'
import type { Report } from '../report/schema.ts'

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
