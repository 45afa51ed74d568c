import { crc32 } from 'node:zlib'
import { type Bytes, indexOfBytes, partOf } from '../bytes.ts'
import type { Report } from '../observation.ts'
import { type Member, Unreadable, unsafeName } from './member.ts'
import { type Packing, unpackAll, unpackHead } from './unpack.ts'
import { type Central, type Directory, type Local, localAt, localMagic, readDirectory } from './zip-headers.ts'

export interface ZipOptions {
  readonly maxMembers: number
  /** Bytes that may still be unpacked, asked anew for each member. */
  readonly room: () => number
}

const methods: { readonly [method: number]: string } = {
  9: 'Deflate64',
  14: 'LZMA',
  98: 'PPMd',
  99: 'AES',
}
const packings: { readonly [method: number]: Packing } = { 8: 'deflate', 12: 'bzip2', 93: 'zstd', 95: 'xz' }
const encrypted = 0x1
const strong = 0x40
const patched = 0x20

type Lie = (subject: string, message: string, offset: number | null) => void

/**
 * Members of a zip archive, of both its lists: the central directory, which Python reads, and the local headers, which other readers do.
 * Wherever the two differ, or a header says what is not so, that is told, and the content is there all the same.
 */
export function zipMembers(bytes: Bytes, options: ZipOptions, report: Report): readonly Member[] {
  const lie: Lie = (subject, message, offset) =>
    report({ rule: 'container-lie', verdict: 'block', subject, message: `${message}.`, offset })
  const directory = readDirectory(bytes, options.maxMembers)
  if (directory === null) {
    report({
      rule: 'container-lie',
      verdict: 'review',
      subject: 'directory',
      message: 'is a zip archive without its central directory: cut off, or made for readers that need none.',
      offset: bytes.size,
    })
    return hidden(bytes, [[0, 0]], bytes.size, options, lie, () => {})
  }
  tellFrame(bytes, directory, lie)
  const members: Member[] = []
  const ranges: [number, number][] = []
  const names = new Map<string, number>()
  for (const central of directory.entries) {
    const local = localAt(bytes, central.offset)
    const times = (names.get(central.name) ?? 0) + 1
    names.set(central.name, times)
    if (times === 2) lie(central.name, `has two members of one name: ${central.name}`, central.at)
    const unsafe = unsafeName(central.name)
    if (unsafe !== null) lie(central.name, `has a member whose name ${unsafe}: ${JSON.stringify(central.name)}`, central.at)
    if (local === null) {
      lie(central.name, `names a member where none is: ${central.name}`, central.at)
      continue
    }
    const end = local.data + central.packed
    ranges.push([central.offset, end])
    tellDifferences(central, local, lie)
    if (end > bytes.size) lie(central.name, `has a member that is longer than the archive: ${central.name}`, central.at)
    if (central.name.endsWith('/') && central.packed === 0) continue
    members.push(memberOf(bytes, central.name, { ...central, data: local.data }, options, lie))
    const described = (local.flags & 0x8) !== 0 && local.packed === 0
    if (!described && local.name !== central.name) members.push(memberOf(bytes, local.name, local, options, lie))
    else if (!described && local.packed !== central.packed && local.packed !== 0xffffffff)
      members.push(memberOf(bytes, local.name, local, options, lie))
  }
  const found = hidden(bytes, ranges, directory.start, options, lie, (name, at) =>
    lie(name, `has a member that its central directory does not name: ${name}`, at),
  )
  if (directory.truncated)
    report({
      rule: 'container-lie',
      verdict: 'review',
      subject: 'members',
      message: `has more than ${options.maxMembers.toLocaleString('en')} members: the rest was not read.`,
      offset: null,
    })
  return [...members, ...found]
}

function tellFrame(bytes: Bytes, directory: Directory, lie: Lie): void {
  const first = Math.max(
    directory.prefix,
    directory.entries.reduce((least, { offset }) => Math.min(least, offset), directory.start),
  )
  if (first > 0) lie('prefix', `has ${first.toLocaleString('en')} bytes before the archive begins`, 0)
  const after = bytes.size - directory.end
  if (after > 0) lie('suffix', `has ${after.toLocaleString('en')} bytes after the archive ends`, directory.end)
  if (directory.stated !== directory.entries.length && !directory.truncated)
    lie('count', `says it has ${directory.stated} members and lists ${directory.entries.length}`, directory.end)
}

function tellDifferences(central: Central, local: Local, lie: Lie): void {
  const { name, at } = central
  if (local.name !== name) lie(name, `names one member twice: ${name} in its directory, ${local.name} before the content`, central.offset)
  if (local.method !== central.method) lie(name, `states two compression methods for ${name}`, at)
  if (((local.flags ^ central.flags) & (encrypted | strong | patched)) !== 0)
    lie(name, `says only once that ${name} is encrypted or patched`, at)
  if ((central.flags & patched) !== 0) lie(name, `says that ${name} is a patch of another file, which makes some readers stop`, at)
  if ((local.flags & 0x8) === 0 && local.packed !== 0xffffffff && local.packed !== central.packed)
    lie(name, `states two sizes for ${name}: ${central.packed} and ${local.packed} bytes`, at)
  if (central.method === 0 && central.packed !== central.size) lie(name, `stores ${name} as it is, with two sizes`, at)
}

interface Content {
  readonly data: number
  readonly packed: number
  readonly size: number
  readonly method: number
  readonly flags: number
  readonly crc: number
  readonly at: number
}

function memberOf(bytes: Bytes, name: string, content: Content, options: ZipOptions, lie: Lie): Member {
  const packed = partOf(bytes, content.data, content.packed)
  const isEncrypted = (content.flags & (encrypted | strong)) !== 0
  const packing = packings[content.method]
  let whole: Bytes | null = null
  const note = (): void => {
    if (whole === null) return
    if (content.crc !== crcOf(whole)) lie(name, `states a checksum for ${name} that its content does not have`, content.at)
    else if (isEncrypted) lie(name, `says that ${name} is encrypted, and it is not`, content.at)
  }
  return {
    name,
    packed: content.method !== 0,
    size: content.size,
    head: (length) =>
      content.method === 0 ? packed.read(0, length) : content.method === 8 ? unpackHead(packed, 'deflate', length) : Buffer.alloc(0),
    bytes() {
      if (content.method === 0) whole = packed
      else if (packing !== undefined) {
        try {
          whole = unpackAll(packed, packing, options.room())
        } catch (error) {
          if (isEncrypted && error instanceof Unreadable && error.reason === 'damaged') throw new Unreadable('it is encrypted', 'opaque')
          throw error
        }
      } else throw new Unreadable(`it is compressed with ${methods[content.method] ?? `method ${content.method}`}`, 'opaque')
      return whole
    },
    note,
  }
}

function crcOf(bytes: Bytes): number {
  let crc = 0
  for (let at = 0; at < bytes.size; at += 1 << 20) crc = crc32(bytes.read(at, 1 << 20), crc)
  return crc >>> 0
}

/** Local headers between the members that are known: what no directory names. */
function hidden(
  bytes: Bytes,
  known: readonly (readonly [number, number])[],
  end: number,
  options: ZipOptions,
  lie: Lie,
  tell: (name: string, at: number) => void,
): readonly Member[] {
  const found: Member[] = []
  const ranges = [...known].sort((a, b) => a[0] - b[0])
  let at = 0
  for (const [from, to] of [...ranges, [end, end] as const]) {
    while (at < from && found.length < options.maxMembers) {
      const place = indexOfBytes(bytes, localMagic, at, from)
      if (place < 0) break
      const local = localAt(bytes, place)
      at = place + 4
      if (local === null) continue
      tell(local.name, place)
      const packed = local.packed > 0 ? local.packed : Math.max(0, from - local.data)
      found.push(memberOf(bytes, local.name, { ...local, packed, at: place }, options, lie))
      at = Math.max(at, Math.min(local.data + local.packed, from))
    }
    at = Math.max(at, to)
  }
  return found
}
