import { html, type Safe, trusted } from './tag.ts'

export interface Segment {
  /** Of the style sheet; its colour, and its hatching where colours are alike. */
  readonly className: string
  readonly n: number
}

/** In percent of the width of the bar. */
const gap = 0.3
/** What is there is seen, however little it is. */
const least = 0.8

/** One bar of parts, side by side, over `share` of its column. `description` says in words what it shows. */
export function bar(segments: readonly Segment[], whole: number, description: string, share = 1): Safe {
  const shown = segments.filter((s) => s.n > 0)
  const room = 100 * Math.min(1, Math.max(share, 0.02)) - gap * Math.max(0, shown.length - 1)
  const widths = shown.map((s) => Math.max(least, (whole === 0 ? 0 : s.n / whole) * room))
  const scale =
    room /
    Math.max(
      least,
      widths.reduce((sum, w) => sum + w, 0),
    )
  let x = 0
  const parts = shown.map((s, i) => {
    const w = (widths[i] as number) * scale
    const part = html`<rect class="${s.className}" x="${x.toFixed(2)}%" width="${w.toFixed(2)}%" height="100%"/>`
    x += w + gap
    return part
  })
  return html`<svg class="bar" role="img" aria-label="${description}">${parts}</svg>`
}

const hatch = (id: string): string =>
  `<pattern id="hatch-${id}" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="h-ground-${id}" width="7" height="7"/><rect class="h-line-${id}" width="3" height="7"/></pattern>`

/** Patterns that the bars are filled with, once a page. */
export const hatches: Safe = trusted(
  `<svg class="spoken" aria-hidden="true"><defs>${['red', 'amber', 'grey'].map(hatch).join('')}</defs></svg>`,
)
