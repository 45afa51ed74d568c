import type { CustomSeriesOption, EChartsOption } from 'echarts'
import { clip, visible } from '../../escape.ts'
import { formatCount, formatNumber, formatPercent } from '../../format.ts'
import type { ReportFinding } from '../../schema.ts'
import { html, type Safe, trusted } from './tag.ts'

type Evidence = ReportFinding['evidence'][number]
type Of<K extends Evidence['kind']> = Extract<Evidence, { kind: K }>
type RenderItem = NonNullable<CustomSeriesOption['renderItem']>

/** Stand-ins that the chart library draws with; each becomes a class, so that the page's theme decides the colour. */
const ink = '#010100'
const muted = '#010101'
const line = '#010102'
const mark = '#010103'
const plain = '#010104'
const inverse = '#010105'
const diagonal = '#010106'
const heat = ['#010110', '#010111', '#010112', '#010113', '#010114', '#010115', '#010116'] as const
const series = ['#010120', '#010121', '#010122', '#010123', '#010124', '#010125', '#010126', '#010127'] as const
const classes: { readonly [color: string]: string } = {
  [ink]: 'ink',
  [muted]: 'muted',
  [line]: 'line',
  [mark]: 'mark',
  [plain]: 'plain',
  [inverse]: 'inverse',
  [diagonal]: 'diagonal',
  ...Object.fromEntries(heat.map((c, i) => [c, `heat${i}`])),
  ...Object.fromEntries(series.map((c, i) => [c, `series${i}`])),
}

const fontSize = 13
const width = 440
const label = (text: string, max: number): string => clip(visible(text), max)

/** The bundle in one file: loading the library's modules one by one takes six times as long. */
const load = async (): Promise<typeof import('echarts')> => (await import('echarts/dist/echarts.esm.min.mjs' as string)) as typeof import('echarts')

async function draw(option: EChartsOption, size: { readonly width: number; readonly height: number }, description: string): Promise<Safe> {
  const echarts = await load()
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size })
  try {
    chart.setOption({ animation: false, textStyle: { fontSize, color: ink }, ...option })
    return trusted(themed(chart.renderToSVGString(), size, description))
  } finally {
    chart.dispose()
  }
}

/** The library's SVG without style elements and attributes (the page's CSP allows none), with classes for colours. */
export function themed(svg: string, size: { readonly width: number; readonly height: number }, description: string): string {
  const body = svg
    .replace(/<\?xml[^>]*\?>/g, '')
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/^[\s\S]*?<svg[^>]*>/, '')
    .replace(/<\/svg>\s*$/, '')
    .replace(/<(\w+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/g, (_, tag: string, attributes: string, close: string) => {
      const kept: string[] = []
      const names: string[] = []
      for (const [, key, value] of attributes.matchAll(/([\w:-]+)="([^"]*)"/g) as Iterable<[string, string, string]>) {
        if ((key === 'fill' || key === 'stroke') && classes[value]) names.push(`${key[0]}-${classes[value]}`)
        else if (key === 'style') {
          const size = /font-size:([\d.]+)px/.exec(value)?.[1]
          if (size && Number(size) !== fontSize) kept.push(`font-size="${size}"`)
          if (/font-weight:bold/.test(value)) kept.push('font-weight="600"')
        } else if (key !== 'class' && key !== 'pointer-events' && !key.startsWith('ecmeta')) kept.push(`${key}="${value}"`)
      }
      const named = names.length > 0 ? ` class="${names.join(' ')}"` : ''
      return `<${tag}${named}${kept.length > 0 ? ` ${kept.join(' ')}` : ''}${close}>`
    })
    .replace(/\n+/g, '\n')
    .trim()
  const title = html`role="img" aria-label="${description}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" font-size="${fontSize}" ${title.html}>\n${body}\n</svg>`
}

const axisText = { color: muted, fontSize }

export interface Chart {
  readonly svg: Safe
  readonly wide: boolean
  readonly legend: readonly { readonly className: string; readonly text: string }[]
}

/** Given by suggested label: shades compare the cells off the diagonal; marked cells have a border. */
export async function matrixChart(m: Of<'matrix'>): Promise<Chart> {
  const columns = m.columns.length
  const cellWidth = Math.max(columns > 12 ? 24 : 34, Math.floor(320 / Math.max(1, columns)))
  const cellHeight = columns > 12 ? 24 : Math.min(52, Math.max(34, Math.floor(cellWidth * 0.6)))
  const left = 112
  const rotated = columns > 4
  const top = rotated ? 104 : 52
  const size = { width: Math.max(width, left + columns * cellWidth + 8), height: top + m.rows.length * cellHeight + 8 }
  const isDiagonal = (i: number, j: number): boolean => m.rows[i] === m.columns[j]
  const most = Math.max(1, ...m.counts.flatMap((row, i) => row.filter((_, j) => !isDiagonal(i, j))))
  const marked = new Set(m.marked.map(([i, j]) => `${i},${j}`))
  const cells = m.counts.flatMap((row, i) => row.map((n, j) => [j, i, n]))
  const level = (n: number): number => (n === 0 ? 0 : 1 + Math.min(5, Math.floor(Math.sqrt(n / most) * 5.999)))
  const isMarked = (api: Parameters<RenderItem>[1]): boolean => marked.has(`${api.value(1)},${api.value(0)}`)
  const box = (api: Parameters<RenderItem>[1]): { x: number; y: number; width: number; height: number } => {
    const [x, y] = api.coord([api.value(0), api.value(1)]) as [number, number]
    const [w, h] = (api.size as (v: number[]) => number[])([1, 1]) as [number, number]
    return { x: x - w / 2 + 1, y: y - h / 2 + 1, width: w - 2, height: h - 2 }
  }
  const drawCell: RenderItem = (_, api) => {
    const n = Number(api.value(2))
    const across = isDiagonal(Number(api.value(1)), Number(api.value(0)))
    const shade = level(n)
    const shape = box(api)
    const text = cellWidth < 30 && n >= 1000 ? `${Math.round(n / 1000)}k` : n === 0 ? '' : formatCount(n)
    const color = across ? muted : shade >= 4 ? inverse : ink
    return {
      type: 'group',
      children: [
        { type: 'rect', shape: { ...shape, r: 3 }, style: { fill: across ? diagonal : (heat[shade] as string) } },
        {
          type: 'text',
          style: { text, x: shape.x + shape.width / 2, y: shape.y + shape.height / 2, align: 'center', verticalAlign: 'middle', fill: color, fontSize: cellWidth < 30 ? 10 : fontSize },
        },
      ],
    }
  }
  const drawMark: RenderItem = (_, api) =>
    isMarked(api) ? { type: 'rect', shape: { ...box(api), r: 3 }, style: { fill: 'none', stroke: mark, lineWidth: 3 } } : { type: 'group', children: [] }
  const axis = (name: string, values: readonly string[], max: number): object => ({
    type: 'category',
    data: values.map((v) => label(v, max)),
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { ...axisText, interval: 0 },
    name: label(name, 30),
    nameTextStyle: { color: muted, fontSize: 12 },
  })
  const option: EChartsOption = {
    grid: { left, right: 8, top, bottom: 8, width: columns * cellWidth },
    xAxis: {
      ...axis(`${m.columnTitle} \u2192`, m.columns, rotated ? 12 : Math.max(4, Math.floor(cellWidth / 7.5))),
      position: 'top',
      nameLocation: 'start',
      nameGap: 10,
      axisLabel: { ...axisText, interval: 0, rotate: rotated ? 50 : 0 },
    } as NonNullable<EChartsOption['xAxis']>,
    yAxis: { ...axis(`${m.rowTitle} \u2193`, m.rows, 13), inverse: true, nameLocation: 'start', nameGap: rotated ? 84 : 32, nameTextStyle: { color: muted, fontSize: 12, align: 'right', padding: [0, 8, 0, 0] } } as NonNullable<EChartsOption['yAxis']>,
    series: [
      { type: 'custom', silent: true, renderItem: drawCell, data: cells },
      { type: 'custom', silent: true, renderItem: drawMark, data: cells, z: 5 },
    ],
  }
  const said = m.marked.map(([i, j]) => `${m.rowTitle} ${m.rows[i]}, ${m.columnTitle} ${m.columns[j]}: ${formatCount(m.counts[i]?.[j] ?? 0)}`)
  const description = `${m.title}. ${said.length > 0 ? `In excess: ${said.join('; ')}.` : 'No cell is in excess.'} The numbers are in the table below.`
  return {
    svg: await draw(option, size, clip(description, 600)),
    wide: size.width > width,
    legend: m.marked.length > 0 ? [{ className: 'outline', text: 'more than expected' }] : [],
  }
}

const maxBars = 25

/** Estimates as dots on their intervals; marked ones in the colour of the finding. */
export async function intervalsChart(e: Of<'intervals'>): Promise<Chart> {
  const order = e.items.map((item, i) => ({ item, i })).sort((a, b) => Number(b.item.marked) - Number(a.item.marked) || b.item.estimate - a.item.estimate || a.i - b.i)
  const items = (e.items.length <= maxBars ? e.items : order.slice(0, maxBars).map((o) => o.item)).slice()
  const size = { width, height: items.length * 30 + 62 }
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
        { type: 'line', shape: { x1: x(item.low), y1: y, x2: x(item.high), y2: y }, style: { stroke: color, lineWidth: item.marked ? 4 : 3, lineCap: 'round' } },
        { type: 'circle', shape: { cx: x(item.estimate), cy: y, r: item.marked ? 6 : 4.5 }, style: { fill: color } },
        { type: 'text', style: { text: `${formatCount(item.count)}/${formatCount(item.total)}`, x: right, y, align: 'right', verticalAlign: 'middle', fill: item.marked ? ink : muted, fontSize: 12 } },
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
                label: { formatter: `expected ${formatPercent(e.expected)}`, color: muted, fontSize: 12, position: 'end' },
                data: [{ xAxis: e.expected }],
              },
            }),
      },
    ],
  }
  const said = items.filter((i) => i.marked).map((i) => `${i.name}: ${formatPercent(i.estimate)}, interval ${formatPercent(i.low)} to ${formatPercent(i.high)}`)
  const description = `${e.title}. ${said.length > 0 ? `Standing out: ${said.join('; ')}.` : 'None stands out.'} The numbers are in the table below.`
  return { svg: await draw(option, size, clip(description, 600)), wide: false, legend: [] }
}

/** Counts by bin, stacked by series; a bin that is not empty is never invisible. */
export async function histogramChart(h: Of<'histogram'>): Promise<Chart> {
  const size = { width, height: 230 }
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
      return { type: 'rect' as const, shape: { x: x1 + 0.5, y, width: Math.max(0.5, x2 - x1 - 1), height }, style: { fill: series[at % series.length] as string } }
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
