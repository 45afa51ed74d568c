import type { EChartsOption } from 'echarts'
import { clip } from '../../escape.ts'
import { formatCount } from '../../format.ts'
import { type Chart, chartWidth, colors, draw, fontSize, label, type Of, type RenderItem } from './chart.ts'

const { ink, muted, mark, inverse, diagonal, heat } = colors
const width = chartWidth
/** Of digits and small letters at the font size of charts, on average. */
const charWidth = 7.5

/** Given by suggested label: shades compare the cells off the diagonal; marked cells have a border. */
export async function matrixChart(m: Of<'matrix'>): Promise<Chart> {
  const columns = m.columns.length
  const widest = (texts: readonly string[], max: number): number => Math.max(...texts.map((text) => label(text, max).length), 1) * charWidth
  const left = Math.max(widest(m.rows, 13), widest([`${m.rowTitle} >`], 30) * 0.92) + 16
  const cellWidth = Math.max(columns > 12 ? 24 : 28, Math.floor((width - left - 8) / Math.max(1, columns)))
  const cellHeight = columns > 12 ? 24 : Math.min(52, Math.max(30, Math.floor(cellWidth * 0.6)))
  const rotated = widest(m.columns, 12) > cellWidth - 4
  const top = rotated ? 40 + Math.ceil(widest(m.columns, 12) * 0.72) : 50
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
    const color = across ? muted : shade >= 5 ? inverse : ink
    return {
      type: 'group',
      children: [
        { type: 'rect', shape: { ...shape, r: 3 }, style: { fill: across ? diagonal : (heat[shade] as string) } },
        {
          type: 'text',
          style: {
            text,
            x: shape.x + shape.width / 2,
            y: shape.y + shape.height / 2,
            align: 'center',
            verticalAlign: 'middle',
            fill: color,
            fontSize: cellWidth < 30 ? 10 : fontSize,
          },
        },
      ],
    }
  }
  const drawMark: RenderItem = (_, api) =>
    isMarked(api)
      ? { type: 'rect', shape: { ...box(api), r: 3 }, style: { fill: 'none', stroke: mark, lineWidth: 3 } }
      : { type: 'group', children: [] }
  const axis = (values: readonly string[], max: number, rotate = 0): object => ({
    type: 'category',
    data: values.map((v) => label(v, max)),
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: ink, fontSize, interval: 0, rotate },
  })
  const title = (text: string, x: number, y: number, textAlign: 'left' | 'right'): object => ({
    type: 'text',
    silent: true,
    style: { text: label(text, 30), x, y, fill: muted, fontSize: 12, textAlign },
  })
  const option: EChartsOption = {
    graphic: [title(`${m.columnTitle} \u2192`, left, 4, 'left'), title(`${m.rowTitle} \u2193`, left - 8, top - 17, 'right')] as NonNullable<
      EChartsOption['graphic']
    >,
    grid: { left, right: 8, top, bottom: 8, width: columns * cellWidth },
    xAxis: {
      ...axis(m.columns, rotated ? 12 : Math.max(4, Math.floor(cellWidth / charWidth)), rotated ? 50 : 0),
      position: 'top',
    } as NonNullable<EChartsOption['xAxis']>,
    yAxis: { ...axis(m.rows, 13), inverse: true } as NonNullable<EChartsOption['yAxis']>,
    series: [
      { type: 'custom', silent: true, renderItem: drawCell, data: cells },
      { type: 'custom', silent: true, renderItem: drawMark, data: cells, z: 5 },
    ],
  }
  const said = m.marked.map(
    ([i, j]) => `${m.rowTitle} ${m.rows[i]}, ${m.columnTitle} ${m.columns[j]}: ${formatCount(m.counts[i]?.[j] ?? 0)}`,
  )
  const description = `${m.title}. ${said.length > 0 ? `In excess: ${said.join('; ')}.` : 'No cell is in excess.'} The numbers are in the table below.`
  return {
    svg: await draw(option, size, clip(description, 600)),
    wide: size.width > width,
    legend: m.marked.length > 0 ? [{ className: 'outline', text: 'more than expected' }] : [],
  }
}
