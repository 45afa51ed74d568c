import type { ReportFormat } from '../../contracts/pipeline.ts'
import type { Report } from '../schema.ts'
import { renderAnnotations } from './annotations.ts'
import { loadCharts } from './html/chart.ts'
import { renderHtml } from './html.ts'
import { renderJson } from './json.ts'
import { renderJunit } from './junit.ts'
import { renderMarkdown } from './markdown.ts'
import { renderSarif } from './sarif.ts'
import type { Template } from './templates.ts'

export interface Renderer {
  /** Name of the file in the run directory. */
  readonly file: string
  readonly mediaType: string
  readonly render: (report: Report, template?: Template) => string | Promise<string>
  /** Loads what `render` needs, for a caller that has time before it. */
  readonly prepare?: () => Promise<unknown>
}

/** Every format is a function of the report. Adding one is one file here and one line. */
export const renderers: { readonly [F in ReportFormat]: Renderer } = {
  html: { file: 'report.html', mediaType: 'text/html', render: renderHtml, prepare: loadCharts },
  json: { file: 'report.json', mediaType: 'application/json', render: renderJson },
  markdown: { file: 'report.md', mediaType: 'text/markdown', render: renderMarkdown },
  junit: { file: 'report.junit.xml', mediaType: 'application/xml', render: renderJunit },
  annotations: { file: 'annotations.txt', mediaType: 'text/plain', render: renderAnnotations },
  sarif: { file: 'report.sarif', mediaType: 'application/sarif+json', render: renderSarif },
}
