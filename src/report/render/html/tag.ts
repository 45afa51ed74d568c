import { escapeHtml } from '../../escape.ts'

/** HTML that is safe to write as it is. Only `html` and `trusted` make it. */
export interface Safe {
  readonly html: string
}
type Value = string | number | Safe | readonly Safe[] | null | false

const write = (value: Value): string => {
  if (value === null || value === false) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escapeHtml(value)
  if ('html' in value) return value.html
  return value.map((one) => one.html).join('')
}

/** A template whose every value is escaped, as text or as a quoted attribute value. */
export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Safe => ({
  html: parts.reduce((text, part, i) => text + write(values[i - 1] as Value) + part),
})

/** For markup of our own making alone: the style sheet, charts after `chart.ts` has cleaned them. */
export const trusted = (markup: string): Safe => ({ html: markup })

export const nothing: Safe = trusted('')
