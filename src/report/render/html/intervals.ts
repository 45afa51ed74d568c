import type { EChartsOption } from 'echarts'
import { clip } from '../../escape.ts'
import { formatCount, formatPercent } from '../../format.ts'
import { axisText, type Chart, chartWidth, colors, draw, label, type Of, type RenderItem } from './chart.ts'

const { ink, muted, line, mark, plain } = colors
const maxBars = 15

/** Estimates as dots on their intervals; marked ones in the colour of the finding. */
export async function intervalsChart(e: Of<'intervals'>): Promise<Chart> {
  const order = e.items
    .map((item, i) => ({ item, i }))
    .sort((a, b) => Number(b.item.marked) - Number(a.item.marked) || b.item.estimate - a.item.estimate || a.i - b.i)
  const items = (e.items.length <= maxBars ? e.items : order.slice(0, maxBars).map((o) => o.item)).slice()
  const size = { width: chartWidth, height: items.length * 30 + 62 }
  const top = Math.min(1, Math.max(0.01, e.expected ?? 0, ...items.map((i) => i.high)) * 1.04)
  const drawInterval: RenderItem = (params, api) => {
    const item = items[params.dataIndex] as (typeof items)[number]
    const y = (api.coord([0, params.dataIndex]) as number[])[1] as number
    const x = (v: number): number => (api.coord([v, params.dataIndex]) as number[])[0] as number
    const color = item.marked ? mark : plain
    const right = size.width - 4
    return {
      type: 'group',
      children: [
        {
          type: 'line',
          shape: { x1: x(item.low), y1: y, x2: x(item.high), y2: y },
          style: { fill: 'none', stroke: color, lineWidth: item.marked ? 4 : 3, lineCap: 'round' },
        },
        { type: 'circle', shape: { cx: x(item.estimate), cy: y, r: item.marked ? 6 : 4.5 }, style: { fill: color } },
        {
          type: 'text',
          style: {
            text: `${formatCount(item.count)}/${formatCount(item.total)}`,
            x: right,
            y,
            align: 'right',
            verticalAlign: 'middle',
            fill: item.marked ? ink : muted,
            fontSize: 12,
          },
        },
      ],
    }
  }
  const option: EChartsOption = {
    grid: { left: 112, right: 76, top: 26, bottom: 30 },
    xAxis: {
      type: 'value',
      min: 0,
      max: top,
      splitNumber: 4,
      axisLabel: { ...axisText, fontSize: 12, formatter: (v: number) => formatPercent(v).replace(' ', '\u00a0'), showMaxLabel: false },
      splitLine: { lineStyle: { color: line, width: 1 } },
      axisLine: { show: false },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: items.map((i) => label(i.name, 14)),
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { ...axisText, color: ink, interval: 0 },
    },
    series: [
      {
        type: 'custom',
        silent: true,
        renderItem: drawInterval,
        data: items.map((i, at) => [i.estimate, at]),
        ...(e.expected === null
          ? {}
          : {
              markLine: {
                silent: true,
                symbol: 'none',
                lineStyle: { color: muted, type: 'dashed', width: 1 },
                label: { formatter: `expected ${formatPercent(e.expected)}`, color: muted, fontSize: 12, position: 'start' },
                data: [{ xAxis: e.expected }],
              },
            }),
      },
    ],
  }
  const said = items
    .filter((i) => i.marked)
    .map((i) => `${i.name}: ${formatPercent(i.estimate)}, interval ${formatPercent(i.low)} to ${formatPercent(i.high)}`)
  const description = `${e.title}. ${said.length > 0 ? `Standing out: ${said.join('; ')}.` : 'None stands out.'} The numbers are in the table below.`
  const note = items.length < e.items.length ? { note: `The ${items.length} highest of ${formatCount(e.items.length)}.` } : {}
  return { svg: await draw(option, size, clip(description, 600)), wide: false, legend: [], ...note }
}
