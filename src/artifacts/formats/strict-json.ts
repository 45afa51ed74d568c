/** Why JSON is refused: a clause. */
export class StrictJsonError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
  }
}

const maxDepth = 64

/**
 * JSON in valid UTF-8 without duplicate keys, which readers resolve differently.
 * @throws {StrictJsonError}
 */
export function parseStrict(raw: Buffer): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw)
  } catch {
    throw new StrictJsonError('is not UTF-8', 0)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const at = Number(/position (\d+)/.exec((error as Error).message)?.[1] ?? 0)
    throw new StrictJsonError('is not JSON', at)
  }
  const twice = duplicateKey(text)
  if (twice !== null) throw new StrictJsonError(`has the key ${JSON.stringify(twice.key.slice(0, 100))} twice`, twice.at)
  return value
}

/** The first key that an object of valid JSON has twice. */
export function duplicateKey(text: string): { readonly key: string; readonly at: number } | null {
  const scopes: (Set<string> | null)[] = []
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g
  let expectsKey = false
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [found] = match
    if (found === '{' || found === '[') {
      if (scopes.length > maxDepth) throw new StrictJsonError('nests too deep', match.index)
      scopes.push(found === '{' ? new Set() : null)
      expectsKey = found === '{'
    } else if (found === '}' || found === ']') {
      scopes.pop()
      expectsKey = false
    } else if (found === ',') expectsKey = scopes.at(-1) !== null
    else if (found === ':') expectsKey = false
    else if (expectsKey) {
      const key = JSON.parse(found) as string
      const keys = scopes.at(-1)
      if (keys?.has(key)) return { key, at: match.index }
      keys?.add(key)
      expectsKey = false
    }
  }
  return null
}
