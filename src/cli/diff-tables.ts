import { clip, escapeTerminal } from '../report/escape.ts'
import { formatCount, formatP } from '../report/format.ts'
import type { Report } from '../report/schema.ts'
import { displayWidth } from '../report/terminal.ts'

type Changes = NonNullable<NonNullable<Report['provenance']>['changes']>
type Kind = keyof Changes['counts']

const maxRows = 12
const maxName = 48
const kinds: readonly Kind[] = ['removed', 'added', 'edited', 'relabelled', 'replaced']

const text = (name: string): string => clip(escapeTerminal(name), maxName)

/** Names to the left, numbers to the right. */
function table(title: string, columns: readonly string[], rows: readonly (readonly string[])[], left: number): string[] {
  if (rows.length === 0) return []
  const shown = [columns, ...rows.slice(0, maxRows)]
  const widths = columns.map((_, c) => Math.max(...shown.map((row) => displayWidth(row[c] ?? ''))))
  const pad = (cell: string, c: number): string => {
    const space = ' '.repeat((widths[c] ?? 0) - displayWidth(cell))
    return c < left ? cell + space : space + cell
  }
  const more = rows.length > maxRows ? [`  and ${formatCount(rows.length - maxRows)} more in the report`] : []
  return ['', title, ...shown.map((row) => `  ${row.map(pad).join('  ').trimEnd()}`), ...more]
}

const counts = (of: Changes['counts'], used: readonly Kind[]): string[] => used.map((kind) => formatCount(of[kind]))

/** What changed by class and by source, from which label to which, and whether it piles up anywhere. */
export function changeTables(changes: Changes): string {
  const used = kinds.filter((kind) => changes.counts[kind] > 0)
  if (used.length === 0) return ''
  const isSplit = changes.classes.some((c) => c.split !== null)
  const changed = (row: { readonly counts: Changes['counts'] }): number => used.reduce((sum, kind) => sum + row.counts[kind], 0)
  const { labels, counts: moved } = changes.transitions
  const transitions = labels.flatMap((from, i) => labels.map((to, j) => ({ from, to, n: moved[i]?.[j] ?? 0 })))
  const byWeight = [...changes.concentrations].sort((a, b) => a.log10P - b.log10P)
  const lines = [
    ...table(
      'Classes',
      [...(isSplit ? ['split'] : []), 'class', 'before', 'after', ...used],
      changes.classes.map((c) => [
        ...(isSplit ? [text(c.split ?? '')] : []),
        text(c.name),
        formatCount(c.before),
        formatCount(c.after),
        ...counts(c.counts, used),
      ]),
      isSplit ? 2 : 1,
    ),
    ...table(
      'Sources',
      ['source', 'before', 'after', ...used],
      changes.sources.length < 2
        ? []
        : [...changes.sources]
            .sort((a, b) => changed(b) - changed(a))
            .map((s) => [text(s.name), formatCount(s.before), formatCount(s.after), ...counts(s.counts, used)]),
      1,
    ),
    ...table(
      'Labels',
      ['before', 'after', 'records'],
      transitions
        .filter((t) => t.n > 0)
        .sort((a, b) => b.n - a.n)
        .map((t) => [text(t.from), text(t.to), formatCount(t.n)]),
      2,
    ),
    ...table(
      'Concentrated? (p for changes that fall on records at random, corrected)',
      ['change', 'by', ...(isSplit ? ['split'] : []), 'strongest', 'changed', 'of', 'p', ''],
      byWeight.map((c) => [
        c.kind,
        c.axis,
        ...(isSplit ? [text(c.within ?? '')] : []),
        text(c.cell),
        formatCount(c.changed),
        formatCount(c.cellRecords),
        formatP(c.adjusted),
        c.concentrated ? 'yes' : 'no',
      ]),
      isSplit ? 4 : 3,
    ),
  ]
  return `${lines.join('\n')}\n`
}
