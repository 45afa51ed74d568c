import { isAscii } from 'node:buffer'

/** Bytes of a text that does not fit beside its length: DuckDB's own reader of pointers. */
export type ReadPointer = (memory: ArrayBuffer, pointerOffset: number, byteCount: number) => Uint8Array

/** Texts of up to so many bytes stand in the vector itself. */
const inlineBytes = 12
/** Between neighbouring texts of a page stands the length of the next, 4 bytes; more is another place. */
const maxGap = 8
const maxRunBytes = 1 << 22
const notAscii = 0x80808080

/**
 * The texts `from` to `to` of a vector of DuckDB's `string_t` (aligned to 4 bytes) (length, then 12 bytes, or a prefix of 4 and a pointer), null where
 * `valid` is 0. Texts that lie behind one another in a page are fetched and decoded together: a call for each costs more
 * than the text.
 */
export function textsOf(view: DataView, from: number, to: number, valid: Uint8Array | null, read: ReadPointer): (string | null)[] {
  const memory = view.buffer as ArrayBuffer
  const base = view.byteOffset
  const words = new Uint32Array(memory, base + 16 * from, 4 * (to - from))
  const bytes = Buffer.from(memory, base + 16 * from, 16 * (to - from))
  const inline = bytes.toString('latin1')
  const out: (string | null)[] = new Array<string | null>(to - from).fill(null)
  const known = new Map<number, string>()
  const length = (i: number): number => words[4 * i] as number
  const pointer = (i: number): number => (words[4 * i + 2] as number) + (words[4 * i + 3] as number) * 2 ** 32
  const short = (i: number): string => {
    const at = 16 * i + 4
    const plain = ((words[4 * i + 1] as number) | (words[4 * i + 2] as number) | (words[4 * i + 3] as number)) & notAscii
    return plain === 0 ? inline.substring(at, at + length(i)) : bytes.toString('utf8', at, at + length(i))
  }
  for (let i = 0; i < out.length; i++) {
    if (out[i] !== null || (valid && !valid[i])) continue
    if (length(i) <= inlineBytes) {
      out[i] = short(i)
      continue
    }
    const first = pointer(i)
    const same = known.get(first)
    if (same !== undefined && Buffer.byteLength(same) === length(i)) {
      out[i] = same
      continue
    }
    // the texts that lie behind this one, whatever stands in the vector between them
    const run = [i]
    let end = first + length(i)
    for (let k = i + 1; k < out.length; k++) {
      if ((valid && !valid[k]) || length(k) <= inlineBytes) continue
      const gap = pointer(k) - end
      if (!(gap >= 0 && gap <= maxGap) || end - first > maxRunBytes) break
      run.push(k)
      end = pointer(k) + length(k)
    }
    const raw = read(memory, base + 16 * (from + i) + 8, end - first)
    const page = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength)
    const text = run.length > 1 && isAscii(page) ? page.toString('latin1') : null
    for (const k of run) {
      const at = pointer(k) - first
      out[k] = text === null ? page.toString('utf8', at, at + length(k)) : text.substring(at, at + length(k))
    }
    if (run.length === 1) known.set(first, out[i] as string)
  }
  return out
}
