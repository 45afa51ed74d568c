import { plainEntities } from './encoded.ts'
import { type Hit, hitAt } from './kinds.ts'
import { type Concealment, instructs } from './phrases.ts'

const voids = new Set(['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'track', 'wbr'])
const longestTag = 4096
const longestHidden = 20_000
const deepest = 200

interface Tag {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly closing: boolean
  readonly attributes: string
}

const tagName = /<(\/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})/y
const [doubleQuote, singleQuote, opening, closing] = [34, 39, 60, 62]

/** The tag at `<`, quotes respected; null where there is none. */
function tagAt(text: string, start: number): Tag | null {
  tagName.lastIndex = start
  const name = tagName.exec(text)
  if (!name) return null
  let quote = 0
  const from = start + name[0].length
  const to = Math.min(text.length, start + longestTag)
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i)
    if (quote) {
      if (c === quote) quote = 0
    } else if (c === doubleQuote || c === singleQuote) quote = c
    else if (c === opening) return null
    else if (c === closing)
      return { start, end: i + 1, name: (name[2] as string).toLowerCase(), closing: name[1] === '/', attributes: text.slice(from, i) }
  }
  return null
}

const white = /^(?:#?f[c-f]f[c-f]f[c-f]|#?fff|white|rgba?\(25[0-5],25[0-5],25[0-5](?:,1(?:\.0*)?)?\)|snow|ghostwhite)$/

/** Declarations of a style as `name:value`, lower case, without blanks, comments and entities. */
const declarations = (style: string): ReadonlyMap<string, string> =>
  new Map(
    plainEntities(style)
      .replace(/\/\*.{0,200}?\*\//g, '')
      .toLowerCase()
      .split(';')
      .map((d) => d.replace(/\s+|!important/g, ''))
      .map((d) => [d.slice(0, d.indexOf(':')), d.slice(d.indexOf(':') + 1)] as const),
  )

const unseen = /display|visib|font|opacity|indent|position|margin|overflow|clip|transform|color/i

function hiddenStyle(style: string): Concealment | null {
  if (!unseen.test(style) && !style.includes('&')) return null
  const d = declarations(style)
  const get = (name: string): string => d.get(name) ?? ''
  const background = get('background-color') || get('background')
  const color = get('color')
  const hidden =
    get('display') === 'none' ||
    /^(?:hidden|collapse)$/.test(get('visibility')) ||
    /^0*(?:\.0+)?(?:px|em|rem|pt|%|vw)?$|^(?:0?\.\d+|1)(?:px|pt)$/.test(get('font-size') || '16px') ||
    /(?:^|\D)0(?:px|pt|em)?\//.test(get('font')) ||
    /^0?(?:\.0\d*)?%?$/.test(get('opacity') || '1') ||
    /^-\d{3,}/.test(get('text-indent')) ||
    (/^(?:absolute|fixed)$/.test(get('position')) && ['left', 'top', 'right', 'bottom'].some((side) => /^-\d{3,}/.test(get(side)))) ||
    ['margin-left', 'margin-top'].some((side) => /^-\d{4,}/.test(get(side))) ||
    (/hidden/.test(get('overflow')) && ['height', 'max-height', 'width', 'max-width'].some((side) => /^[01](?:px)?$/.test(get(side)))) ||
    /^rect\((?:[01](?:px)?,?){4}\)/.test(get('clip')) ||
    /^(?:inset\((?:100|50)%|circle\(0)/.test(get('clip-path')) ||
    /^scale\(0/.test(get('transform')) ||
    color === 'transparent' ||
    /^(?:rgba|hsla)\(.{0,40},0?(?:\.0\d*)?\)$/.test(color) ||
    (color !== '' && (color === background || (white.test(color) && white.test(background))))
  return hidden ? 'deliberate' : white.test(color) ? 'ordinary' : null
}

const attributePatterns = new Map(
  ['style', 'class', 'id', 'color', 'size'].map((name) => [
    name,
    new RegExp(`(?:^|[\\s"'/])${name}\\s{0,5}=\\s{0,5}(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i'),
  ]),
)
const attribute = (attributes: string, name: string): string => {
  const m = attributePatterns.get(name)?.exec(attributes)
  return m ? (m[1] ?? m[2] ?? m[3] ?? '') : ''
}

const mayHide = /style|hidden|color|size|class|id\s*=/i

/** White text is ordinary where some part of the page has another ground. */
const otherGround =
  /bgcolor\s{0,5}=\s{0,5}["']?(?!#?f{3,6}\b|white)[#\w]|background(?:-color|-image)?\s{0,5}[:=]\s{0,5}["']?(?!#f{3,6}\b|white|transparent|none|inherit)[#\w]/i

/** How a tag hides what is in it; null where it does not. */
function hides(tag: Tag, hiddenNames: ReadonlySet<string>, onColour: () => boolean): Concealment | null {
  if (tag.name === 'template') return 'aside'
  const { attributes } = tag
  if (attributes === '' || !mayHide.test(attributes)) return null
  if (/hidden/i.test(attributes) && /(?:^|\s)hidden(?:[\s=/]|$)/i.test(attributes.replace(/"[^"]*"|'[^']*'/g, '""'))) return 'deliberate'
  const style = attribute(attributes, 'style')
  const how = style ? hiddenStyle(style) : null
  if (how) return how === 'ordinary' && !onColour() ? 'deliberate' : how
  if (hiddenNames.size > 0) {
    const names = `${attribute(attributes, 'class').replace(/(\S+)/g, '.$1')} #${attribute(attributes, 'id')}`
    if (names.split(/\s+/).some((n) => hiddenNames.has(n))) return 'deliberate'
  }
  if (tag.name !== 'font') return null
  if (white.test(attribute(attributes, 'color').toLowerCase())) return onColour() ? 'ordinary' : 'deliberate'
  return /^(?:0|-[0-9]+|1px|0px)$/.test(attribute(attributes, 'size')) ? 'aside' : null
}

/** `.name` and `#name` that a style sheet in the text hides. */
function namesHidden(text: string): ReadonlySet<string> {
  const names = new Set<string>()
  const sheet = /<style[^>]{0,200}>/gi
  for (let m = sheet.exec(text); m && names.size < 100; m = sheet.exec(text)) {
    const end = text.indexOf('</', m.index)
    sheet.lastIndex = end < 0 ? text.length : end
    const rules = text.slice(m.index, Math.min(end < 0 ? text.length : end, m.index + 50_000))
    for (const [, selector = '', body = ''] of rules.matchAll(/([.#][\w-]{1,60})\s{0,10}\{([^{}]{0,500})\}/g)) {
      if (hiddenStyle(body) === 'deliberate') names.add(selector)
    }
  }
  return names
}

export interface MarkupFound {
  readonly hits: readonly Hit[]
  /** Places that are hidden, with an instruction or without. */
  readonly hidden: number
}

const innerText = (html: string): string => plainEntities(html.replace(/<[^<>]{0,4096}>/g, ' ')).replace(/\s+/g, ' ')

/** Text that HTML, Markdown or LaTeX does not display, and that addresses a model. */
export function markupHits(text: string): MarkupFound {
  const hits: Hit[] = []
  let hidden = 0
  const look = (start: number, end: number, content: string, concealment: Concealment): void => {
    if (!/\p{L}{2}/u.test(content)) return
    hidden++
    if (hits.length < 4 && instructs(content, concealment)) hits.push(hitAt('hidden markup', text, start, end, content.trim()))
  }
  for (const [start, end, content] of comments(text)) look(start, end, content, 'deliberate')
  for (const [start, end, content] of latexHidden(text)) look(start, end, content, 'deliberate')
  for (const [start, end, content, concealment] of elements(text)) look(start, end, content, concealment)
  return { hits, hidden }
}

/** Elements that are not displayed, the outermost of nested ones. */
function* elements(text: string): Generator<readonly [number, number, string, Concealment]> {
  const names = namesHidden(text)
  let ground: boolean | null = null
  const onColour = (): boolean => {
    ground ??= otherGround.test(text)
    return ground
  }
  const open: string[] = []
  let from = -1
  let depth = 0
  let concealment: Concealment = 'deliberate'
  for (let i = text.indexOf('<'); i >= 0; i = text.indexOf('<', i)) {
    const tag = tagAt(text, i)
    if (!tag) {
      i++
      continue
    }
    i = tag.end
    if (tag.closing) {
      const at = open.lastIndexOf(tag.name)
      if (at >= 0) open.length = at
      if (from >= 0 && open.length < depth) {
        yield [from, tag.start, innerText(text.slice(from, Math.min(tag.start, from + longestHidden))), concealment]
        from = -1
      }
      continue
    }
    if (voids.has(tag.name) || tag.attributes.endsWith('/')) continue
    if (open.length < deepest) open.push(tag.name)
    if (from >= 0 || tag.name === 'script' || tag.name === 'style') continue
    const how = hides(tag, names, onColour)
    if (how) {
      from = tag.end
      depth = open.length
      concealment = how
    }
  }
  if (from >= 0) yield [from, text.length, innerText(text.slice(from, from + longestHidden)), concealment]
}

/** HTML comments, and the link definitions that serve as comments in Markdown. */
function* comments(text: string): Generator<readonly [number, number, string]> {
  for (let i = text.indexOf('<!--'); i >= 0; i = text.indexOf('<!--', i)) {
    const close = text.indexOf('-->', i)
    const end = close < 0 ? text.length : close + 3
    yield [i, end, innerText(text.slice(i + 4, Math.min(close < 0 ? text.length : close, i + longestHidden)))]
    i = end
  }
  if (!/\[(?:\/\/|comment)/i.test(text)) return
  for (const m of text.matchAll(/(?:^|\n)[ \t]{0,3}\[(?:\/\/|comment)[^\]\n]{0,20}\]:[ \t]{0,5}(?:#|<>)[^\n]{0,2000}/gi))
    yield [m.index, m.index + m[0].length, m[0].slice(m[0].indexOf(':') + 1)]
}

/** `{\color{white} ...}`, `\textcolor{white}{...}`, `\fontsize{0}`: instructions to reviewers' models in manuscripts. */
function* latexHidden(text: string): Generator<readonly [number, number, string]> {
  if (!text.includes('\\')) return
  const start = /\\(?:textcolor|color)(?:\[[^\]\n]{0,20}\])?\{(?:white|1(?:,1){2})\}|\\fontsize\{[01](?:\.\d{1,3})?(?:pt)?\}/g
  for (let m = start.exec(text); m; m = start.exec(text)) {
    const from = m.index + m[0].length
    yield [from, Math.min(text.length, from + 1000), text.slice(from, from + 1000).split('\n\n', 1)[0] as string]
    start.lastIndex = from + 500
  }
}
