/** What a character is to the tokeniser. A `single` is a word by itself: scripts written without spaces, and pictographs. */
export const charClass = { none: 0, word: 1, single: 2 } as const

const inWord = /[\p{L}\p{N}\p{M}]/u
const isSingle =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Extended_Pictographic}]/u

const classify = (codePoint: number): number => {
  const char = String.fromCodePoint(codePoint)
  if (codePoint > 0x7f && isSingle.test(char)) return charClass.single
  return inWord.test(char) ? charClass.word : charClass.none
}

const unknown = 255
const basic = new Uint8Array(0x10000).fill(unknown)
const supplementary = new Map<number, number>()

/** Class of a Unicode code point, remembered: the tables depend on the Unicode version of the running Node alone. */
export function classOf(codePoint: number): number {
  if (codePoint < 0x10000) {
    const known = basic[codePoint] as number
    if (known !== unknown) return known
    const found = codePoint >= 0xd800 && codePoint < 0xe000 ? charClass.none : classify(codePoint)
    basic[codePoint] = found
    return found
  }
  let found = supplementary.get(codePoint)
  if (found === undefined) {
    found = classify(codePoint)
    supplementary.set(codePoint, found)
  }
  return found
}
