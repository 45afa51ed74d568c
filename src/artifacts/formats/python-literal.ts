export type Literal = string | number | boolean | null | readonly Literal[] | { readonly [key: string]: Literal }

const maxDepth = 32

/**
 * Strings, numbers, tuples, lists and dictionaries with text keys as Python writes them, no more.
 * @throws {Error} with a clause that says what is wrong
 */
export function parseLiteral(text: string): Literal {
  let at = 0
  const skip = (): void => {
    while (at < text.length && /[ \t\r\n\f]/.test(text[at] as string)) at++
  }
  const fail = (): never => {
    throw new Error(`it is no literal of Python at character ${at}`)
  }
  const string = (): string => {
    const quote = text[at++] as string
    let out = ''
    while (at < text.length && text[at] !== quote) {
      if (text[at] === '\\') at++
      out += text[at++] ?? ''
    }
    if (text[at++] !== quote) fail()
    return out
  }
  const sequence = (close: string, depth: number): Literal[] => {
    const items: Literal[] = []
    at++
    for (skip(); text[at] !== close; skip()) {
      items.push(value(depth + 1))
      skip()
      if (text[at] === ',') at++
      else if (text[at] !== close) fail()
    }
    at++
    return items
  }
  const dictionary = (depth: number): Literal => {
    const out: Record<string, Literal> = Object.create(null)
    at++
    for (skip(); text[at] !== '}'; skip()) {
      if (text[at] !== "'" && text[at] !== '"') fail()
      const key = string()
      skip()
      if (text[at++] !== ':') fail()
      if (Object.hasOwn(out, key)) throw new Error(`it has the key ${JSON.stringify(key)} twice`)
      out[key] = value(depth + 1)
      skip()
      if (text[at] === ',') at++
      else if (text[at] !== '}') fail()
    }
    at++
    return out
  }
  const value = (depth: number): Literal => {
    if (depth > maxDepth) fail()
    skip()
    const c = text[at]
    if (c === "'" || c === '"') return string()
    if (c === '(') return sequence(')', depth)
    if (c === '[') return sequence(']', depth)
    if (c === '{') return dictionary(depth)
    const word = /^(?:True|False|None|[+-]?\d+L?)/.exec(text.slice(at, at + 32))?.[0]
    if (word === undefined) return fail()
    at += word.length
    return word === 'None' ? null : word === 'True' || word === 'False' ? word === 'True' : Number(word.replace('L', ''))
  }
  const result = value(0)
  skip()
  return at === text.length ? result : fail()
}
