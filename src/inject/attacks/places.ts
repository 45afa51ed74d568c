import type { Random } from '../../math/rng.ts'

export const places = ['start', 'end', 'random'] as const
export type Place = (typeof places)[number]

/** Positions after which a word, or a sentence, may begin. */
function gaps(text: string, between: 'words' | 'sentences'): number[] {
  const pattern = between === 'words' ? /\s+/g : /[.!?]["')\]]*\s+/g
  const out: number[] = []
  for (const match of text.matchAll(pattern)) out.push(match.index + match[0].length)
  return out.filter((at) => at > 0 && at < text.length)
}

/** `mark` as a word or sentence of its own: at the start, at the end, or in a gap between others. */
export function insert(text: string, mark: string, place: Place, between: 'words' | 'sentences', random: Random): string {
  const found = place === 'random' ? gaps(text, between) : []
  const at = place === 'end' ? text.length : place === 'start' ? 0 : ([0, ...found, text.length][random.below(found.length + 2)] as number)
  if (text === '') return mark
  if (at === 0) return `${mark} ${text}`
  if (at === text.length) return `${text}${/\s$/.test(text) ? '' : ' '}${mark}`
  return `${text.slice(0, at)}${mark} ${text.slice(at)}`
}
