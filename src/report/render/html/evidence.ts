import { formatCount, formatNumber, formatPercent } from '../../format.ts'
import type { ReportFinding } from '../../schema.ts'
import type { Chart } from './chart.ts'
import { histogramChart } from './histogram.ts'
import { intervalsChart } from './intervals.ts'
import { matrixChart } from './matrix.ts'
import { pairs, table } from './parts.ts'
import { passages } from './passages.ts'
import { pictures } from './pictures.ts'
import { scatterChart, scatterNumbers } from './scatter.ts'
import { html, type Safe } from './tag.ts'

type Evidence = ReportFinding['evidence'][number]

const figure = (title: string, chart: Chart, data: Safe): Safe => html`<figure${chart.wide ? html` class="wide"` : ''}>
<figcaption>${title}</figcaption>
<div class="scroll"${chart.wide ? html` role="region" tabindex="0" aria-label="${title}"` : ''}>${chart.svg}</div>
${chart.legend.length > 0 && html`<ul class="legend">${chart.legend.map((l) => html`<li><i class="${l.className}"></i><bdi>${l.text}</bdi></li>`)}</ul>`}
${chart.note !== undefined && html`<p class="note">${chart.note}</p>`}
<details><summary>The numbers</summary>${data}</details>
</figure>`

/** One piece of evidence: a picture with its numbers beneath, or a table. */
export async function evidence(e: Evidence): Promise<Safe> {
  switch (e.kind) {
    case 'numbers':
      return html`<figure><figcaption>${e.title}</figcaption>${pairs(
        e.items.map((i) => [i.name, i.value] as const),
        'pairs numbers',
      )}</figure>`
    case 'table':
      return html`<figure${e.columns.length > 4 ? html` class="wide"` : ''}><figcaption>${e.title}</figcaption>${table(
        e.title,
        e.columns.map((title, at) => ({ title, numeric: e.rows.some((r) => typeof r[at] === 'number') })),
        e.rows,
        'compact',
        'spoken',
      )}</figure>`
    case 'matrix': {
      const marked = new Set(e.marked.map(([i, j]) => `${i},${j}`))
      const columns = [{ title: `${e.rowTitle} \u2193, ${e.columnTitle} \u2192` }, ...e.columns.map((title) => ({ title, numeric: true }))]
      const rows = e.rows.map((row, i) => [
        row,
        ...e.columns.map((_, j) => {
          const n = formatCount(e.counts[i]?.[j] ?? 0)
          return marked.has(`${i},${j}`) ? html`<strong>${n}</strong> (in excess)` : n
        }),
      ])
      return figure(e.title, await matrixChart(e), table(e.title, columns, rows, 'compact', 'spoken'))
    }
    case 'intervals': {
      const level = `${formatPercent(e.level)} interval`
      const columns = [
        { title: 'name' },
        { title: 'count', numeric: true },
        { title: 'of', numeric: true },
        { title: 'fraction', numeric: true },
        { title: level, numeric: true },
      ]
      const rows = e.items.map((i) => [
        i.marked ? html`<strong><bdi>${i.name}</bdi></strong> (stands out)` : i.name,
        i.count,
        i.total,
        formatPercent(i.estimate),
        `${formatPercent(i.low)} to ${formatPercent(i.high)}`,
      ])
      return figure(`${e.title} (${level}s)`, await intervalsChart(e), table(e.title, columns, rows, 'compact', 'spoken'))
    }
    case 'histogram': {
      const columns = [{ title: e.xTitle }, ...e.series.map((s) => ({ title: s.name, numeric: true }))]
      const rows = e.edges
        .slice(0, -1)
        .map((edge, b) => [`${formatNumber(edge)} to ${formatNumber(e.edges[b + 1] as number)}`, ...e.series.map((s) => s.counts[b] ?? 0)])
      return figure(e.title, await histogramChart(e), table(e.title, columns, rows, 'compact', 'spoken'))
    }
    case 'pictures':
      return pictures(e)
    case 'scatter':
      return figure(e.title, await scatterChart(e), scatterNumbers(e))
    case 'passages':
      return passages(e)
  }
}
