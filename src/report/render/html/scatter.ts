import type { EChartsOption } from 'echarts'
import { clip } from '../../escape.ts'
import { formatCount, formatNumber, plural } from '../../format.ts'
import { axisText, type Chart, colors, draw, label, type Of, type RenderItem } from './chart.ts'
import { table } from './parts.ts'
import { html, type Safe } from './tag.ts'

const { line, mark } = colors
type Series = Of<'scatter'>['series'][number]
type Point = readonly [number, number]

const size = { width: 440, height: 340 }
/** Half the diagonal of a marked point; the others are dots of `dot` pixels. */
const diamond = 5
const dot = 4.5
const maxListed = 20

/** Marked series in the colour of findings, then as the others: a shape of their own tells them without colour. */
function colorsOf(series: readonly Series[]): readonly { readonly fill: string; readonly className: string }[] {
  let plain = 0
  let marked = 0
  return series.map((s) => {
    if (s.marked && marked++ === 0) return { fill: mark, className: 'diamond mark' }
    const at = (s.marked ? 7 - ((marked - 2) % 4) : plain++) % colors.series.length
    return { fill: colors.series[at] as string, className: `swatch${at} ${s.marked ? 'diamond' : 'dot'}` }
  })
}

/** One path a series: thousands of elements would make a page slow. Points that fall on one pixel are drawn once. */
function pathOf(points: readonly Point[], marked: boolean): string {
  const seen = new Set<string>()
  for (const [x, y] of points) {
    const [cx, cy] = [Math.round(x * 2) / 2, Math.round(y * 2) / 2]
    seen.add(
      marked
        ? `M${cx} ${cy - diamond}L${cx + diamond} ${cy}L${cx} ${cy + diamond}L${cx - diamond} ${cy}Z`
        : `M${cx} ${cy}L${cx + 0.01} ${cy}`,
    )
  }
  return [...seen].join('')
}

const bounds = (values: readonly number[]): readonly [number, number] => {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const v of values) {
    low = Math.min(low, v)
    high = Math.max(high, v)
  }
  const margin = (high - low) * 0.04 || Math.abs(low) * 0.1 || 1
  return low <= high ? [low - margin, high + margin] : [0, 1]
}

/** Points in a plane; marked series lie over the others. */
export async function scatterChart(e: Of<'scatter'>): Promise<Chart> {
  const looks = colorsOf(e.series)
  const order = [...e.series.keys()].sort((a, b) => Number(e.series[a]?.marked) - Number(e.series[b]?.marked) || a - b)
  const all = e.series.flatMap((s) => s.points)
  const drawSeries =
    (s: Series, fill: string): RenderItem =>
    (_, api) => {
      const points = s.points.map((p) => api.coord([p[0], p[1]]) as [number, number])
      const pathData = pathOf(points, s.marked)
      return s.marked
        ? { type: 'path', shape: { pathData }, style: { fill, opacity: 0.9 } }
        : { type: 'path', shape: { pathData }, style: { fill: 'none', stroke: fill, lineWidth: dot, lineCap: 'round', opacity: 0.55 } }
    }
  const axis = (title: string, values: readonly number[], nameGap: number): object => {
    const [min, max] = bounds(values)
    return {
      type: 'value',
      min,
      max,
      name: label(title, 48),
      nameLocation: 'middle',
      nameGap,
      nameTextStyle: axisText,
      splitNumber: 4,
      axisLabel: { ...axisText, formatter: (v: number) => formatNumber(v), showMinLabel: false, showMaxLabel: false },
      axisLine: { show: true, lineStyle: { color: line } },
      axisTick: { show: false },
      splitLine: { lineStyle: { color: line } },
    }
  }
  const option = {
    grid: { left: 62, right: 10, top: 10, bottom: 48 },
    xAxis: axis(
      e.xTitle,
      all.map((p) => p[0]),
      28,
    ),
    yAxis: axis(
      e.yTitle,
      all.map((p) => p[1]),
      44,
    ),
    series: order.map((at) => {
      const s = e.series[at] as Series
      return {
        type: 'custom',
        silent: true,
        clip: false,
        renderItem: drawSeries(s, looks[at]?.fill ?? mark),
        data: s.points.length > 0 ? [s.points[0]] : [],
      }
    }),
  } as EChartsOption
  const said = e.series.map((s) => `${s.name}, ${plural(s.points.length, 'point')}${s.marked ? ', marked' : ''}`)
  const description = `${e.title}: ${said.join('; ')}. ${e.xTitle} across, ${e.yTitle} upwards. The numbers are in the table below.`
  return {
    svg: await draw(option, size, clip(description, 600)),
    wide: false,
    legend: e.series.map((s, at) => ({ className: looks[at]?.className ?? '', text: `${s.name} (${formatCount(s.points.length)})` })),
  }
}

const middle = (values: readonly number[]): number | null => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null

/** Where each series lies, and the first of the marked points. */
export function scatterNumbers(e: Of<'scatter'>): Safe {
  const numeric = (title: string) => ({ title, numeric: true })
  const series = e.series.map((s) => {
    const [xs, ys] = [s.points.map((p) => p[0]), s.points.map((p) => p[1])]
    const name = s.marked ? html`<strong><bdi>${s.name}</bdi></strong> (marked)` : s.name
    return [name, s.points.length, middle(xs), middle(ys)] as const
  })
  const marked = e.series.filter((s) => s.marked).flatMap((s) => s.points.map((p) => [s.name, p[0], p[1]] as const))
  const listed = marked.slice(0, maxListed)
  const columns = [{ title: 'series' }, numeric('points'), numeric(`median of ${e.xTitle}`), numeric(`median of ${e.yTitle}`)]
  return html`${table(e.title, columns, series, 'compact', 'spoken')}${
    listed.length > 0 &&
    table(
      listed.length < marked.length ? `The first ${listed.length} of ${formatCount(marked.length)} marked points` : 'Marked points',
      [{ title: 'series' }, numeric(e.xTitle), numeric(e.yTitle)],
      listed,
      'compact',
    )
  }`
}
