import type { Of } from './chart.ts'
import { html, type Safe } from './tag.ts'

type Picture = Of<'pictures'>['items'][number]

/** Pixels of the page that the longer side of a picture is enlarged to, at most; fewer where many stand side by side. */
const sides = { few: 216, four: 192, several: 144, many: 112 } as const
/** A second copy at native size costs its bytes again. */
const maxNativeLength = 40_000

const sizeFor = (count: number): keyof typeof sides => (count <= 3 ? 'few' : count === 4 ? 'four' : count <= 8 ? 'several' : 'many')

/** By a whole factor, so that every pixel is a square; larger pictures are scaled down. */
function scaleOf({ width, height }: Picture, side: number): number {
  const longest = Math.max(width, height, 1)
  return longest > side ? side / longest : Math.floor(side / longest)
}

/** Around the pixels, not over them; light and dark, because either may be the colour of the picture. */
function outline(p: Picture, scale: number): Safe | false {
  if (!p.outline) return false
  const [left, top, width, height] = p.outline
  const box = (grow: number): Safe =>
    html`x="${left * scale - grow}" y="${top * scale - grow}" width="${width * scale + 2 * grow}" height="${height * scale + 2 * grow}"`
  return html`<svg viewBox="0 0 ${p.width * scale} ${p.height * scale}" aria-hidden="true"><rect class="halo" ${box(2)}/><rect class="s-mark" ${box(2)}/></svg>`
}

function said(p: Picture): string {
  const size = `${p.width} by ${p.height} pixels`
  if (!p.outline) return size
  const [left, top, width, height] = p.outline
  return `${size}; outlined: ${width} by ${height} pixels, ${left} from the left and ${top} from the top`
}

function picture(p: Picture, side: number): Safe {
  const scale = scaleOf(p, side)
  const round = (n: number): number => Math.max(1, Math.round(n * scale))
  const native = scale >= 2 && p.png.length <= maxNativeLength
  return html`<li><span class="shot${scale < 1 && html` reduced`}"><img src="${p.png}" alt="${said(p)}" width="${round(p.width)}" height="${round(p.height)}">${outline(p, scale)}</span>
<span class="caption">${native && html`<img src="${p.png}" alt="" width="${p.width}" height="${p.height}">`}<span><bdi>${p.caption}</bdi></span></span></li>
`
}

/** Side by side, enlarged with crisp pixels, and at native size beside the caption where that is smaller. */
export function pictures(e: Of<'pictures'>): Safe {
  const size = sizeFor(e.items.length)
  if (e.items.length === 0) return html`<figure><figcaption>${e.title}</figcaption><p class="note">No picture could be shown.</p></figure>`
  return html`<figure class="wide"><figcaption>${e.title}</figcaption><ul class="pictures ${size}">
${e.items.map((p) => picture(p, sides[size]))}</ul></figure>`
}
