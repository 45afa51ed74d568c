/** Letters of other scripts, and styled Latin letters that NFKC leaves alone, by the Latin letter that they are taken for. */
const pairs: readonly (readonly [string, string])[] = [
  ['аАӓ', 'a'],
  ['вВЬь', 'b'],
  ['сСϲ', 'c'],
  ['ԁժ', 'd'],
  ['еЕёЁҽ', 'e'],
  ['ցɡ', 'g'],
  ['һНհ', 'h'],
  ['іІїЇӀ', 'i'],
  ['јЈյ', 'j'],
  ['кК', 'k'],
  ['ӏ', 'l'],
  ['мМ', 'm'],
  ['пոռ', 'n'],
  ['оОօ', 'o'],
  ['рР', 'p'],
  ['ԛզ', 'q'],
  ['гⲅ', 'r'],
  ['ѕЅ', 's'],
  ['тТ', 't'],
  ['ս', 'u'],
  ['ѵѴ', 'v'],
  ['ԝѡա', 'w'],
  ['хХ', 'x'],
  ['уУү', 'y'],
]
const greek: readonly (readonly [string, string])[] = [
  ['αΑ', 'a'],
  ['Β', 'b'],
  ['εΕ', 'e'],
  ['Η', 'h'],
  ['ιΙ', 'i'],
  ['κΚ', 'k'],
  ['Μ', 'm'],
  ['ηΝ', 'n'],
  ['οΟσ', 'o'],
  ['ρΡ', 'p'],
  ['τΤ', 't'],
  ['υ', 'u'],
  ['ν', 'v'],
  ['ω', 'w'],
  ['χΧ', 'x'],
  ['γΥ', 'y'],
  ['Ζ', 'z'],
]
const styled: readonly (readonly [string, string])[] = [
  ['ᴀɑꓮ', 'a'],
  ['ʙꓐ', 'b'],
  ['ᴄꓚ', 'c'],
  ['ᴅꓓ', 'd'],
  ['ᴇꓰ', 'e'],
  ['ꜰꓝ', 'f'],
  ['ɢꓖ', 'g'],
  ['ʜꓧ', 'h'],
  ['ɪıꓲ', 'i'],
  ['ᴊȷꓙ', 'j'],
  ['ᴋꓗ', 'k'],
  ['ʟꓡ', 'l'],
  ['ᴍꓟ', 'm'],
  ['ɴꓠ', 'n'],
  ['ᴏꓳ', 'o'],
  ['ᴘꓑ', 'p'],
  ['ʀꓣ', 'r'],
  ['ꜱꓢ', 's'],
  ['ᴛꓔ', 't'],
  ['ᴜꓴ', 'u'],
  ['ᴠꓦ', 'v'],
  ['ᴡꓪ', 'w'],
  ['ʏꓬ', 'y'],
  ['ᴢꓜ', 'z'],
]

const tableOf = (lists: readonly (readonly [string, string])[]): ReadonlyMap<number, number> =>
  new Map(lists.flatMap(([from, to]) => [...from].map((c) => [c.codePointAt(0) as number, to.charCodeAt(0)] as const)))

/** Look-alikes of Cyrillic and Armenian: foreign in a Latin word wherever they stand. */
export const foreignLetters = tableOf(pairs)
/** Greek letters stand in Latin words by right (TNFα, µm), but not between two lower-case Latin letters. */
export const greekLetters = tableOf(greek)
export const styledLetters = tableOf(styled)

/** Zero-width characters that can stand for bits. */
export const isZeroWidth = (cp: number): boolean =>
  (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2060 && cp <= 0x2064) || cp === 0xfeff || cp === 0x180e || cp === 0x034f || cp === 0x061c
/** Other characters that take no room: soft hyphen, fillers, deprecated format characters. */
export const isIgnorable = (cp: number): boolean =>
  cp === 0xad ||
  cp === 0x115f ||
  cp === 0x1160 ||
  cp === 0x3164 ||
  cp === 0xffa0 ||
  (cp >= 0x206a && cp <= 0x206f) ||
  cp === 0x17b4 ||
  cp === 0x17b5
export const isBidiControl = (cp: number): boolean => (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069)
export const isSelector = (cp: number): boolean => (cp >= 0xfe00 && cp <= 0xfe0f) || (cp >= 0xe0100 && cp <= 0xe01ef)
export const isTag = (cp: number): boolean => cp >= 0xe0000 && cp <= 0xe007f
export const isMark = (cp: number): boolean =>
  (cp >= 0x300 && cp <= 0x36f) || (cp >= 0x1ab0 && cp <= 0x1aff) || (cp >= 0x1dc0 && cp <= 0x1dff) || (cp >= 0x20d0 && cp <= 0x20ff)
/** Letters that NFKC turns into plain ones: full width, enclosed, mathematical, superscript. */
export const isStyled = (cp: number): boolean =>
  (cp >= 0xff21 && cp <= 0xff5a) ||
  (cp >= 0x2460 && cp <= 0x24ff) ||
  (cp >= 0x2100 && cp <= 0x214f) ||
  (cp >= 0x1d2c && cp <= 0x1d6a) ||
  (cp >= 0x2071 && cp <= 0x209c) ||
  (cp >= 0x02b0 && cp <= 0x02b8) ||
  (cp >= 0x1d400 && cp <= 0x1d7ff) ||
  (cp >= 0x1f110 && cp <= 0x1f189) ||
  (cp >= 0x1f1e6 && cp <= 0x1f1ff) ||
  styledLetters.has(cp)

const invisible = (cp: number): boolean =>
  isZeroWidth(cp) || isIgnorable(cp) || isBidiControl(cp) || isSelector(cp) || isTag(cp) || isMark(cp)

/** Enclosed and squared letters, which NFKC leaves as they are: 0 where it does not. */
function enclosed(cp: number): number {
  if (cp >= 0x1f130 && cp <= 0x1f149) return 97 + cp - 0x1f130
  if (cp >= 0x1f150 && cp <= 0x1f169) return 97 + cp - 0x1f150
  if (cp >= 0x1f170 && cp <= 0x1f189) return 97 + cp - 0x1f170
  if (cp >= 0x1f1e6 && cp <= 0x1f1ff) return 97 + cp - 0x1f1e6
  return 0
}

/** A text as it looks to a reader who takes every letter for Latin; `at[i]` is the place of its i-th character in the original. */
export interface Folded {
  readonly text: string
  readonly at: Int32Array
}

/** Drops what takes no room (with `apart`: puts a space there instead), and spells look-alike and styled letters plainly. */
export function fold(text: string, apart: boolean): Folded {
  const codes: number[] = []
  const at: number[] = []
  const put = (code: number, i: number): void => {
    codes.push(code)
    at.push(i)
  }
  for (let i = 0; i < text.length; ) {
    const cp = text.codePointAt(i) as number
    const from = i
    i += cp > 0xffff ? 2 : 1
    if (cp < 0x80) put(cp, from)
    else if (invisible(cp)) {
      if (apart && !isMark(cp)) put(0x20, from)
    } else {
      const plain = foreignLetters.get(cp) ?? greekLetters.get(cp) ?? styledLetters.get(cp) ?? enclosed(cp)
      if (plain) put(plain, from)
      else if (isStyled(cp) || (cp >= 0xc0 && cp < 0x250) || (cp >= 0x1e00 && cp < 0x1f00)) {
        const out = text.slice(from, i).normalize('NFKD')
        for (let k = 0; k < out.length; k++) if (!isMark(out.charCodeAt(k))) put(out.charCodeAt(k), from)
      } else for (let k = from; k < i; k++) put(text.charCodeAt(k), k)
    }
  }
  let out = ''
  for (let k = 0; k < codes.length; k += 8192) out += String.fromCharCode(...codes.slice(k, k + 8192))
  return { text: out, at: Int32Array.from(at) }
}
