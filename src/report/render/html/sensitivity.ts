import { formatCount, formatPercent, plural } from '../../format.ts'
import type { Report } from '../../schema.ts'
import { type ReportSensitivity, recallWords, smallestWords, triedWords } from '../../sensitivity.ts'
import { code, table } from './parts.ts'
import { html, nothing, type Safe } from './tag.ts'

const barWidth = 84

/** A share as a bar, beside its words. */
const bar = (recall: number): Safe =>
  html`<svg class="recall" viewBox="0 0 ${barWidth} 6" width="${barWidth}" height="6" aria-hidden="true"><rect class="all" width="${barWidth}" height="6" rx="3"/><rect class="${recall >= 0.9 ? 'good' : recall >= 0.5 ? 'part' : 'poor'}" width="${(recall * barWidth).toFixed(1)}" height="6" rx="3"/></svg>`

function cell(found: ReportSensitivity['attacks'][number]['rates'][number] | undefined): Safe | null {
  if (!found) return null
  return html`${bar(found.recall)}<span class="nowrap">${recallWords(found)}</span><br><span class="muted small">${plural(found.carriers, 'record')}; alarm in ${formatCount(found.alarmed)} of ${formatCount(found.trials)}</span>`
}

/** "You found nothing: what would you have found?" */
export function sensitivity({ sensitivity: tried }: Report): Safe {
  if (!tried) return nothing
  const rates = [...new Set(tried.attacks.flatMap((a) => a.rates.map((r) => r.rate)))].sort((a, b) => a - b)
  return html`<section class="part" id="sensitivity" aria-labelledby="sensitivity-title">
<h2 id="sensitivity-title">What this audit would have found</h2>
<p class="lead">Known attacks were tried ${triedWords(tried)}, in memory, and looked for by the same detectors with the same thresholds. A cell says which share of the attacked records was flagged.</p>
${table(
  'Share of attacked records that would have been flagged',
  [{ title: 'Attack' }, ...rates.map((rate) => ({ title: `at ${formatPercent(rate)}` })), { title: 'Found from' }],
  tried.attacks.map((a) => [
    html`<b>${a.title}</b><br>${code(a.attack)}${a.detectors.length > 0 && html` <span class="muted small">by ${a.detectors.join(', ')}</span>`}`,
    ...rates.map((rate) => cell(a.rates.find((r) => r.rate === rate))),
    smallestWords(a),
  ]),
  'sensitivity',
  'spoken',
)}
<p class="muted">\u201cFound from\u201d: the smallest rate tried with at least 90 % flagged there and above. Intervals (95 %) are over the repetitions: records that share a trigger are found or missed together.${tried.rows < tried.of && ' On all records the same rate means more carriers, and they are easier to find.'}${tried.skipped > 0 && ` ${plural(tried.skipped, 'trial')} did not fit into the time.`}</p>
</section>`
}
