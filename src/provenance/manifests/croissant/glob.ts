/**
 * Shell patterns as Croissant's own reader takes them (Python's fnmatch): `*` is any text, also across folders, `?` any character,
 * `[abc]`, `[a-z]` and `[!abc]` one of a set. Time is at most pattern times path: no pattern makes it backtrack.
 */
export function globMatches(pattern: string, path: string): boolean {
  const tokens = tokensOf(pattern)
  let p = 0
  let t = 0
  let star = -1
  let resume = 0
  while (t < path.length) {
    const token = tokens[p]
    if (token === '*') {
      star = p
      p += 1
      resume = t
    } else if (token?.(path[t] as string)) {
      p += 1
      t += 1
    } else if (star >= 0) {
      p = star + 1
      resume += 1
      t = resume
    } else return false
  }
  while (tokens[p] === '*') p += 1
  return p === tokens.length
}

type Token = '*' | ((character: string) => boolean)

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  for (let i = 0; i < pattern.length; i += 1) {
    const character = pattern[i] as string
    const end = character === '[' ? pattern.indexOf(']', i + 2 + (pattern[i + 1] === '!' ? 1 : 0)) : -1
    if (character === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*')
    } else if (character === '?') tokens.push(() => true)
    else if (end > 0) {
      tokens.push(setOf(pattern.slice(i + 1, end)))
      i = end
    } else tokens.push((other) => other === character)
  }
  return tokens
}

function setOf(body: string): Token {
  const negated = body.startsWith('!')
  const ranges: (readonly [string, string])[] = []
  for (let i = negated ? 1 : 0; i < body.length; i += 1) {
    const from = body[i] as string
    if (body[i + 1] === '-' && i + 2 < body.length) {
      ranges.push([from, body[i + 2] as string])
      i += 2
    } else ranges.push([from, from])
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== negated
}
