import { visible } from '../../escape.ts'
import { formatNumber, typeset } from '../../format.ts'
import { html, type Safe, trusted } from './tag.ts'

export type CellValue = string | number | null | Safe

export interface Column {
  readonly title: string
  readonly numeric?: boolean
}

const cell = (value: CellValue): Safe | string => {
  if (value === null) return ''
  if (typeof value === 'number') return typeset(formatNumber(value))
  return typeof value === 'string' ? html`<bdi>${value}</bdi>` : value
}

/** A table with header cells, in a region that scrolls by itself and can be reached by keyboard. The first column names the row; a caption that a heading repeats is spoken only. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly CellValue[])[],
  className = '',
  title: 'shown' | 'spoken' = 'shown',
): Safe {
  const numeric = (at: number): Safe => trusted(columns[at]?.numeric ? ' class="n"' : '')
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table class="${className}">
<caption${title === 'spoken' && html` class="spoken"`}>${caption}</caption>
<thead><tr>${columns.map((c, at) => html`<th scope="col"${numeric(at)}>${c.title}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${row.map((value, at) => (at === 0 ? html`<th scope="row"${numeric(at)}>${cell(value)}</th>` : html`<td${numeric(at)}>${cell(value)}</td>`))}</tr>
`,
  )}</tbody>
</table></div>`
}

/** A list of terms; every value may be text, which is escaped, or markup. */
export const pairs = (items: readonly (readonly [string, CellValue])[], className = 'pairs'): Safe =>
  html`<dl class="${className}">${items.map(([term, value]) => html`<div><dt>${term}</dt><dd>${cell(value)}</dd></div>`)}</dl>`

export const code = (text: string): Safe => html`<code>${text}</code>`

export const badge = (className: string, text: string): Safe => html`<span class="badge ${className}">${text}</span>`

/** An anchor that no name of the data can break. */
export const findingId = (index: number): string => `finding-${index + 1}`

/** "2026-11-23 09:30 UTC" where it is a date, else the text. */
export function moment(iso: string): string {
  const parsed = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})/.exec(iso)
  return parsed ? `${parsed[1]} ${parsed[2]} UTC` : visible(iso)
}
