import fc from 'fast-check'

/** What a careless tool or a careful attacker leaves in a manifest. */
const tokens = [
  '',
  '\0',
  '\n',
  '\r\n',
  '\ufeff',
  '../',
  '/etc/passwd',
  'C:\\x',
  '~',
  '%2e%2e%2f',
  './/.',
  '\\',
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '  ',
  '*',
  '#',
  '&a [*a,*a]',
  '!!js/function "x"',
  '__proto__',
  'constructor',
  'null',
  'true',
  '-1',
  '1e999',
  '9007199254740993',
  '0'.repeat(64),
  'f'.repeat(32),
  'é',
  'e\u0301',
  '\u202e',
  '(',
  ') = ',
  'SHA256',
  'md5',
  '=',
  '==',
  '['.repeat(3000),
  '{"a":'.repeat(3000),
  'A'.repeat(70_000),
]

export type Edit =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'end'; readonly at: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: 'token'; readonly at: number; readonly token: string }
  | { readonly kind: 'bytes'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'swap'; readonly at: number; readonly to: number; readonly length: number }
  | { readonly kind: 'json'; readonly at: number; readonly value: unknown }
  | { readonly kind: 'delete-key'; readonly at: number }
  | { readonly kind: 'twice'; readonly at: number }

const at = fc.nat({ max: 9999 }).map((n) => n / 10_000)
const length = fc.integer({ min: 1, max: 80 })

/** One change; positions are fractions, so that an edit fits any content. */
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('cut' as const), at, length }),
  fc.record({ kind: fc.constant('end' as const), at }),
  fc.record({ kind: fc.constant('repeat' as const), at, length, times: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ kind: fc.constant('token' as const), at, token: fc.constantFrom(...tokens) }),
  fc.record({ kind: fc.constant('bytes' as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 24 }) }),
  fc.record({ kind: fc.constant('swap' as const), at, to: at, length }),
  fc.record({
    kind: fc.constant('json' as const),
    at,
    value: fc.oneof(fc.constantFrom<unknown>(...tokens), fc.jsonValue({ maxDepth: 3 })),
  }),
  fc.record({ kind: fc.constant('delete-key' as const), at }),
  fc.record({ kind: fc.constant('twice' as const), at }),
)

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Slot = { readonly holder: Json[] | { [key: string]: Json }; readonly key: string }

function slotsOf(value: Json, found: Slot[] = []): Slot[] {
  if (value === null || typeof value !== 'object') return found
  for (const key of Object.keys(value)) {
    found.push({ holder: value, key })
    slotsOf((value as { [key: string]: Json })[key] as Json, found)
  }
  return found
}

/** A change of structure where the content is JSON; else the content as it is. */
function editJson(content: Buffer, change: Edit): Buffer {
  let value: Json
  try {
    value = JSON.parse(content.toString('utf8')) as Json
  } catch {
    return content
  }
  const slots = slotsOf(value)
  const slot = slots[Math.floor(change.at * slots.length)]
  if (!slot) return content
  const holder = slot.holder as { [key: string]: Json }
  if (change.kind === 'json') holder[slot.key] = change.value as Json
  else if (change.kind === 'twice' && Array.isArray(slot.holder)) slot.holder.push(structuredClone(holder[slot.key] as Json))
  else if (change.kind === 'twice') holder[`${slot.key} `] = holder[slot.key] as Json
  else if (Array.isArray(slot.holder)) slot.holder.splice(Number(slot.key), 1)
  else delete holder[slot.key]
  return Buffer.from(JSON.stringify(value, null, 1))
}

export function apply(content: Buffer, change: Edit): Buffer {
  const from = Math.floor(change.at * content.length)
  const splice = (until: number, ...parts: Uint8Array[]): Buffer =>
    Buffer.concat([content.subarray(0, from), ...parts, content.subarray(until)])
  switch (change.kind) {
    case 'flip': {
      const out = Buffer.from(content)
      if (from < out.length) out[from] = (out[from] as number) ^ (1 << change.bit)
      return out
    }
    case 'cut':
      return splice(from + change.length)
    case 'end':
      return content.subarray(0, from)
    case 'repeat':
      return splice(from, ...Array.from({ length: change.times }, () => content.subarray(from, from + change.length)))
    case 'token':
      return splice(from, Buffer.from(change.token))
    case 'bytes':
      return splice(from, change.bytes)
    case 'swap': {
      const to = Math.floor(change.to * content.length)
      return splice(from + change.length, content.subarray(to, to + change.length))
    }
    default:
      return editJson(content, change)
  }
}

export const edits = fc.array(edit, { minLength: 1, maxLength: 4 })
export const applyAll = (content: Buffer, changes: readonly Edit[]): Buffer =>
  changes.reduce((bytes, change) => (bytes.length > 2_000_000 ? bytes : apply(bytes, change)), content)
