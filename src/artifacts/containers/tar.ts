import { type Bytes, partOf } from '../bytes.ts'
import type { Report } from '../observation.ts'
import { type Member, unsafeName } from './member.ts'

const block = 512

const textOf = (header: Buffer, from: number, length: number): string => {
  const end = header.indexOf(0, from)
  return header.toString('utf8', from, end < 0 || end > from + length ? from + length : end)
}

/** Octal, or base 256 where the first bit is set. NaN where it is neither. */
function sizeOf(header: Buffer, from: number, length: number): number {
  if (((header[from] as number) & 0x80) !== 0) {
    let value = (header[from] as number) & 0x7f
    for (let i = 1; i < length; i++) value = value * 256 + (header[from + i] as number)
    return value
  }
  const text = header
    .toString('latin1', from, from + length)
    .replace(/[\0 ]+$/, '')
    .trim()
  return text === '' ? 0 : /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN
}

function checksum(header: Buffer): number {
  let sum = 0
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] as number)
  return sum
}

/** A header of 512 bytes whose sum is what it says. */
export const looksLikeTar = (head: Buffer): boolean =>
  head.length >= block && head[0] !== 0 && sizeOf(head, 148, 8) === checksum(head) && Number.isFinite(sizeOf(head, 124, 12))

/** Members in order. Links and special files have no content but are told when they lead out. */
export function* tarMembers(bytes: Bytes, report: Report): Generator<Member> {
  let at = 0
  let longName: string | null = null
  while (at + block <= bytes.size) {
    const header = bytes.read(at, block)
    if (header.every((b) => b === 0)) {
      if (hiddenAfter(bytes, at)) report(lie('end', 'holds more after the mark that ends a tar archive, where readers stop', at))
      at += block
      continue
    }
    const size = sizeOf(header, 124, 12)
    if (sizeOf(header, 148, 8) !== checksum(header) || !Number.isFinite(size)) {
      report(lie('header', 'has a tar header whose checksum or size is wrong; what follows was not read', at))
      return
    }
    const type = String.fromCharCode(header[156] as number)
    const prefix = header.toString('latin1', 257, 262) === 'ustar' ? textOf(header, 345, 155) : ''
    const own: string = textOf(header, 0, 100)
    const name: string = longName ?? (prefix === '' ? own : `${prefix}/${own}`)
    const from = at + block
    if (from + size > bytes.size) report(lie(name, `has a member that is longer than the archive: ${name}`, at))
    const content = partOf(bytes, from, size)
    at = from + Math.ceil(size / block) * block
    if (type === 'L') {
      longName = content.read(0, 4_096).toString('utf8').replace(/\0.*$/s, '')
      continue
    }
    if (type === 'x' || type === 'g') {
      longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(content.read(0, 65_536).toString('utf8'))?.[1] ?? longName
      continue
    }
    longName = null
    const unsafe = unsafeName(name)
    if (unsafe !== null) report(lie(name, `has a member whose name ${unsafe}: ${JSON.stringify(name)}`, from - block))
    if (type === '1' || type === '2') {
      const target = textOf(header, 157, 100)
      if (unsafeName(target) !== null) report(lie(name, `has a link that leads out of it: ${name} to ${target}`, from - block))
      continue
    }
    if ('346'.includes(type)) report(lie(name, `has a member that is a device or a pipe: ${name}`, from - block))
    if (type === '0' || type === '\0' || type === '7' || type === 'S')
      yield { name, packed: false, bytes: () => content, head: (n) => content.read(0, n), size, note: null }
  }
}

function hiddenAfter(bytes: Bytes, from: number): boolean {
  const rest = bytes.read(from, 64 * block)
  return bytes.size - from > 2 * block && looksLikeTar(rest.subarray(2 * block))
}

const lie = (subject: string, message: string, offset: number) =>
  ({ rule: 'container-lie', verdict: 'block', subject, message: `${message}.`, offset }) as const
