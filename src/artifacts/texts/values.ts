/** One value of a document and the keys that lead to it. */
export interface Value {
  readonly path: readonly string[]
  readonly value: unknown
}

const maxValues = 2_000_000
const maxDepth = 200

/** Every value, without recursion. */
export function* valuesOf(root: unknown): Generator<Value> {
  const open: Value[] = [{ path: [], value: root }]
  let left = maxValues
  for (let next = open.pop(); next !== undefined && left-- > 0; next = open.pop()) {
    yield next
    const { path, value } = next
    if (value === null || typeof value !== 'object' || path.length >= maxDepth) continue
    if (Array.isArray(value)) {
      // Long lists of numbers or words hold nothing that is looked for.
      if (value.length < 10_000 || typeof value[0] === 'object')
        for (let i = value.length - 1; i >= 0; i--) open.push({ path: [...path, String(i)], value: value[i] })
    } else {
      const entries = Object.entries(value)
      if (entries.length < 10_000) for (const [key, v] of entries.reverse()) open.push({ path: [...path, key], value: v })
    }
  }
}
