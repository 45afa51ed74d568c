import { Marked } from 'marked'
import { explainRule, ruleIds } from '../../explain.ts'
import type { Report } from '../../schema.ts'
import { code, table } from './parts.ts'
import { html, nothing, type Safe, trusted } from './tag.ts'

const inline = (text: string): Safe => trusted(marked.parseInline(text) as string)
const block = (text: string): Safe => trusted(marked.parse(text, { async: false }))

/** Pages are ours; what links to other pages of ours stays as its text, because a report is one file. */
const marked: Marked = new Marked({
  renderer: {
    link: ({ tokens }) => tokens.map((t) => t.raw).join(''),
    html: () => '',
    table: ({ header, rows }) =>
      table(
        'Part of the method',
        header.map((cell) => ({ title: cell.text })),
        rows.map((row) => row.map((cell) => inline(cell.text))),
        '',
        'spoken',
      ).html,
  },
})

const sectionOf = (page: string, title: string): string | null => {
  const at = page.indexOf(`\n## ${title}\n`)
  if (at < 0) return null
  const from = at + title.length + 5
  const end = page.indexOf('\n## ', from)
  return page.slice(from, end < 0 ? undefined : end).trim()
}

/** One a list item, without its mark. */
const referencesOf = (page: string): readonly string[] =>
  (sectionOf(page, 'References') ?? '').split('\n').flatMap((line) => (line.startsWith('* ') ? [line.slice(2).trim()] : []))

/** How each rule that a finding cites is found, in the words of its page, and the literature behind all rules that were applied. */
export async function method(report: Report): Promise<Safe> {
  const known = new Set(await ruleIds())
  const ran = new Set(report.detectors.filter((d) => d.status === 'ran').map((d) => d.id))
  const applied = report.rules.filter((r) => known.has(r.id) && ran.has(r.detector))
  if (applied.length === 0) return nothing
  const pages = new Map(await Promise.all(applied.map(async (r) => [r.id, await explainRule(r.id)] as const)))
  const cited = new Set([...report.findings, ...report.notSignificant].map((f) => f.rule))
  const found = applied.filter((r) => cited.has(r.id))
  const references = [...new Set([...pages.values()].flatMap(referencesOf))].sort((a, b) => (a < b ? -1 : 1))
  return html`<section class="part method" id="method" aria-labelledby="method-title">
<h2 id="method-title">Method</h2>
<p class="lead">How what was found is found, and what the methods rest on. The pages of all rules come with the tool: ${code('assay explain RULE')}.</p>
${found.length > 0 && html`<details><summary>How the rules of these findings work</summary>${found.map((r) => html`<h3><bdi>${r.title}</bdi> ${code(r.id)}</h3><div class="prose">${block(sectionOf(pages.get(r.id) as string, 'How it is found') ?? '')}</div>`)}</details>`}
${references.length > 0 && html`<details><summary>References</summary><h3>References</h3><ul class="references">${references.map((r) => html`<li>${inline(r)}</li>`)}</ul></details>`}
</section>`
}
