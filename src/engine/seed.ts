import { createHash, randomBytes } from 'node:crypto'

/** 32 hex digits are taken as they are; any other text is hashed; null draws one. */
export function seedFrom(text: string | null): string {
  if (text === null) return randomBytes(16).toString('hex')
  if (/^[0-9a-f]{32}$/i.test(text)) return text.toLowerCase()
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
