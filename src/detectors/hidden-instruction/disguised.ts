import { type Folded, fold, isBidiControl, isIgnorable, isTag, isZeroWidth } from './folding.ts'
import { type Hit, hitAt } from './kinds.ts'
import { instructs, phrasesIn } from './phrases.ts'

const leastMixed = 3
/** Letters that had to be dropped or changed before a looser reading is fair. */
const leastChanged = 6
/** So many leave no doubt, also where a part of the instruction stands there plainly. */
const surelyChanged = 12
const mostGap = 40

const takesNoRoom = (cp: number): boolean => isZeroWidth(cp) || isTag(cp) || isBidiControl(cp) || isIgnorable(cp)

function interrupted(text: string, start: number, end: number): boolean {
  let count = 0
  for (let i = start; i < end && count < 2; i++) if (takesNoRoom(text.charCodeAt(i))) count++
  return count >= 2
}

/**
 * An instruction that appears only once invisible characters are dropped and look-alike or styled letters are spelt plainly.
 * Without one, words of Latin and look-alike letters mixed are for review.
 */
export function disguisedHits(text: string, mixedWords: number): Hit[] {
  const plain = phrasesIn(text)
  for (const apart of [false, true]) {
    const folded = fold(text, apart)
    for (const found of phrasesIn(folded.text)) {
      if (found.kind === 'role marker') continue
      const start = folded.at[found.start] as number
      const end = (folded.at[found.end - 1] as number) + 1
      const known = plain.some((p) => p.start < end && start < p.end)
      const same = text.slice(start, end) === folded.text.slice(found.start, found.end)
      if (!same && (!known || interrupted(text, start, end)))
        return [hitAt('disguised letters', text, start, end, folded.text.slice(found.start, found.end))]
    }
    const passage = changedPassage(text, folded)
    if (
      passage &&
      instructs(passage.plain, 'deliberate') &&
      (passage.changed >= surelyChanged || !instructs(text.slice(passage.start, passage.end), 'deliberate'))
    )
      return [hitAt('disguised letters', text, passage.start, passage.end, passage.plain)]
  }
  if (mixedWords < leastMixed) return []
  const word =
    /[A-Za-z]{1,40}[\u0400-\u04ff\u0530-\u058f\u0370-\u03ff]\p{L}{0,40}|[\u0400-\u04ff\u0530-\u058f]{1,40}[A-Za-z]\p{L}{0,40}/u.exec(text)
  return word ? [hitAt('mixed scripts', text, word.index, word.index + word[0].length, fold(word[0], false).text)] : []
}

const isAccented = (code: number): boolean => (code >= 0xc0 && code < 0x250) || (code >= 0x1e00 && code < 0x1f00)
const isAccent = (code: number): boolean => (code >= 0x300 && code <= 0x30c) || code === 0x327 || code === 0x328

/** The longest passage whose letters were changed or whose gaps were closed, at most `mostGap` letters from one change to the next. */
function changedPassage(
  text: string,
  folded: Folded,
): { readonly plain: string; readonly start: number; readonly end: number; readonly changed: number } | null {
  const { at } = folded
  let best = { from: 0, to: -1, count: 0 }
  let from = -1
  let last = -1
  let count = 0
  const close = (): void => {
    if (count > best.count) best = { from, to: last, count }
  }
  for (let k = 0; k < at.length; k++) {
    const here = at[k] as number
    const next = k + 1 < at.length ? (at[k + 1] as number) : text.length
    const original = text.charCodeAt(here)
    if (isAccented(original) || (next === here + 1 && original === folded.text.charCodeAt(k))) continue
    if (next > here + 1 && original === folded.text.charCodeAt(k) && isAccent(text.charCodeAt(here + 1))) continue
    if (from < 0 || k - last > mostGap) {
      close()
      from = k
      count = 0
    }
    last = k
    count++
  }
  close()
  if (best.count < leastChanged) return null
  const [a, b] = [Math.max(0, best.from - mostGap), Math.min(at.length, best.to + mostGap)]
  return { plain: folded.text.slice(a, b), start: at[a] as number, end: (at[b - 1] as number) + 1, changed: best.count }
}
