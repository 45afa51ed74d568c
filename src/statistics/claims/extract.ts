import { rateAfter, type Units } from './units.ts'

/** An amount in a text with the words that it may be about. */
export interface Claim {
  readonly subjects: readonly string[]
  /** What is measured, in the base unit: `mg`, `mg/kg`, `percent`. */
  readonly measures: string
  readonly value: number
}

const stopWords = new Set(
  `about above after again all also although and any are around because been before being below between both but can could daily day
days dose doses each either equal every few first for four from had has have having her his hour hours how however including into its
least less like made make many may mean means might month months more most much must need never not now number often once one only
other over own people per recommended same second seven several should six some such take taken taking ten than that the their them
then there these they this those three time times too total two under until use used using usually very was week weeks well were what
when where whether which while who will with within without would year years you your`.split(/\s+/),
)

const before = 240
const after = 80
const mostWords = 14
const mostClaims = 200

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** Finds the claims of a text; the number of them is bounded. */
export function claimFinder(units: Units): (text: string) => Claim[] {
  const names = Object.keys(units)
    .sort((a, b) => b.length - a.length)
    .map(escaped)
    .join('|')
  const amount = String.raw`\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,4})?|\d{1,8}(?:\.\d{1,4})?`
  const pattern = new RegExp(
    String.raw`(?<![\p{L}\p{N}.,/])(${amount})(?:\s{0,2}(?:-|\u2013|to)\s{0,2}(${amount}))?[\s-]{0,2}(${names})(?![\p{L}\p{N}])`,
    'giu',
  )
  return (text) => {
    if (!/\d/.test(text)) return []
    const claims: Claim[] = []
    pattern.lastIndex = 0
    for (let m = pattern.exec(text); m && claims.length < mostClaims; m = pattern.exec(text)) {
      const unit = units[(m[3] as string).toLowerCase()]
      if (!unit) continue
      const end = m.index + m[0].length
      const measures = unit.measures + rateAfter(text.slice(end, end + 20))
      const subjects = subjectsAround(text, m.index, end)
      for (const written of [m[1], m[2]]) {
        const value = written === undefined ? 0 : Number(written.replaceAll(',', '')) * unit.factor
        if (value > 0) claims.push({ subjects, measures, value })
      }
    }
    return claims
  }
}

/** The words of the sentence around an amount that mean something, and pairs of them that stand together. */
function subjectsAround(text: string, from: number, to: number): string[] {
  const left = text.slice(Math.max(0, from - before), from)
  const right = text.slice(to, to + after)
  const begin =
    Math.max(left.lastIndexOf('. '), left.lastIndexOf('? '), left.lastIndexOf('! '), left.lastIndexOf('\n'), left.lastIndexOf('; ')) + 1
  const stop = right.search(/[.?!;]\s|\n/)
  const subjects = new Set<string>()
  for (const [part, last] of [
    [left.slice(begin), true],
    [stop < 0 ? right : right.slice(0, stop), false],
  ] as const) {
    const all = part.toLowerCase().match(/\p{L}[\p{L}\p{N}-]{2,30}/gu) ?? []
    const words = last ? all.slice(-mostWords) : all.slice(0, mostWords / 2)
    words.forEach((word, i) => {
      if (stopWords.has(word)) return
      subjects.add(word)
      const next = words[i + 1]
      if (next !== undefined && !stopWords.has(next)) subjects.add(`${word} ${next}`)
    })
  }
  return [...subjects]
}

/** Three significant digits: what counts as the same value. */
export const sameValue = (value: number): number => Number(value.toPrecision(3))
