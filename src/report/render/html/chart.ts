import type { CustomSeriesOption, EChartsOption } from 'echarts'
import { clip, visible } from '../../escape.ts'
import type { ReportFinding } from '../../schema.ts'
import { html, type Safe, trusted } from './tag.ts'

type Evidence = ReportFinding['evidence'][number]
export type Of<K extends Evidence['kind']> = Extract<Evidence, { kind: K }>
export type RenderItem = NonNullable<CustomSeriesOption['renderItem']>

/** Stand-ins that the chart library draws with; each becomes a class, so that the page's theme decides the colour. */
export const colors = {
  ink: '#010100',
  muted: '#010101',
  line: '#010102',
  mark: '#010103',
  plain: '#010104',
  inverse: '#010105',
  diagonal: '#010106',
  heat: ['#010110', '#010111', '#010112', '#010113', '#010114', '#010115', '#010116'],
  series: ['#010120', '#010121', '#010122', '#010123', '#010124', '#010125', '#010126', '#010127'],
} as const
const classes: ReadonlyMap<string, string> = new Map(
  Object.entries(colors).flatMap(([name, c]): [string, string][] =>
    typeof c === 'string' ? [[c, name]] : c.map((one, i): [string, string] => [one, `${name}${i}`]),
  ),
)

export const fontSize = 13
export const chartWidth = 440
export const label = (text: string, max: number): string => clip(visible(text), max)

/** The bundle in one file: loading the library's modules one by one takes six times as long. */
/** The charting library, loaded once. */
export const loadCharts = async (): Promise<typeof import('echarts')> =>
  (await import('echarts/dist/echarts.esm.min.mjs' as string)) as typeof import('echarts')

export async function draw(
  option: EChartsOption,
  size: { readonly width: number; readonly height: number },
  description: string,
): Promise<Safe> {
  const echarts = await loadCharts()
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size })
  try {
    chart.setOption({ animation: false, textStyle: { fontSize, color: colors.ink }, ...option })
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
        if ((key === 'fill' || key === 'stroke') && classes.has(value)) names.push(`${key[0]}-${classes.get(value)}`)
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

export const axisText = { color: colors.muted, fontSize }

export interface Chart {
  readonly svg: Safe
  readonly wide: boolean
  /** What the picture leaves out. */
  readonly note?: string
  readonly legend: readonly { readonly className: string; readonly text: string }[]
}
