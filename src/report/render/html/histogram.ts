import type { EChartsOption } from 'echarts'
import { clip } from '../../escape.ts'
import { formatCount, formatNumber } from '../../format.ts'
import { axisText, type Chart, chartWidth, colors, draw, label, type Of, type RenderItem } from './chart.ts'

const { line, mark, series } = colors

/** Counts by bin, stacked by series; a bin that is not empty is never invisible. */
export async function histogramChart(h: Of<'histogram'>): Promise<Chart> {
  const size = { width: chartWidth, height: 230 }
  const bins = Math.max(0, Math.min(h.edges.length - 1, Math.max(0, ...h.series.map((s) => s.counts.length))))
  const totals = Array.from({ length: bins }, (_, b) => h.series.reduce((sum, s) => sum + (s.counts[b] ?? 0), 0))
  const first = h.edges[0] ?? 0
  const last = h.edges[bins] ?? 1
  const drawBin: RenderItem = (params, api) => {
    const b = params.dataIndex
    const [x1, base] = api.coord([h.edges[b] as number, 0]) as [number, number]
    const x2 = (api.coord([h.edges[b + 1] as number, 0]) as number[])[0] as number
    let y = base
    const rects = h.series.map((s, at) => {
      const n = s.counts[b] ?? 0
      const full = base - ((api.coord([0, n]) as number[])[1] as number)
      const height = n > 0 ? Math.max(full, 1.5) : 0
      y -= height
      return {
        type: 'rect' as const,
        shape: { x: x1 + 0.5, y, width: Math.max(0.5, x2 - x1 - 1), height },
        style: { fill: series[at % series.length] as string },
      }
    })
    return { type: 'group', children: rects.filter((r) => r.shape.height > 0) }
  }
  const option: EChartsOption = {
    grid: { left: 52, right: 14, top: 26, bottom: 48 },
    xAxis: {
      type: 'value',
      min: first,
      max: last,
      name: label(h.xTitle, 50),
      nameLocation: 'middle',
      nameGap: 30,
      nameTextStyle: axisText,
      axisLabel: { ...axisText, formatter: (v: number) => formatNumber(v) },
      splitLine: { show: false },
      axisLine: { show: true, lineStyle: { color: line } },
      axisTick: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      max: Math.max(1, ...totals),
      splitNumber: 3,
      axisLabel: { ...axisText, showMaxLabel: false, formatter: (v: number) => formatNumber(v) },
      splitLine: { lineStyle: { color: line } },
      axisLine: { show: false },
      axisTick: { show: false },
    },
    series: [
      {
        type: 'custom',
        silent: true,
        renderItem: drawBin,
        encode: { x: 0, y: 1 },
        data: totals.map((n, b) => [((h.edges[b] as number) + (h.edges[b + 1] as number)) / 2, n]),
        ...(h.threshold === null
          ? {}
          : {
              markLine: {
                silent: true,
                symbol: 'none',
                lineStyle: { color: mark, type: 'dashed', width: 1.5 },
                label: { formatter: `threshold ${formatNumber(h.threshold)}`, color: mark, fontSize: 12, position: 'end' },
                data: [{ xAxis: h.threshold }],
              },
            }),
      },
    ],
  }
  const description = `${h.title}: ${h.series.map((s) => `${s.name}, ${formatCount(s.counts.reduce((a, b) => a + b, 0))}`).join('; ')}${h.threshold === null ? '' : `; threshold ${formatNumber(h.threshold)}`}. The numbers are in the table below.`
  return {
    svg: await draw(option, size, clip(description, 600)),
    wide: false,
    legend: h.series.map((s, at) => ({ className: `swatch${at % series.length}`, text: s.name })),
  }
}
